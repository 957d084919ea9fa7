"""All mail of one store in memory: folders by account and name, and copies that are not laid yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from mailsys.interfaces import Flags, MailboxAction
from mailsys.message.address import Address
from mailsys.message.structure.describe import Description, describe_octets
from mailsys.store.hierarchy import INBOX, plain
from mailsys.store.messages import NO_FLAGS


@dataclass(slots=True)
class Copy:
    """One message in a folder; ``name`` is unique for ever.  Dates are seconds since 1970."""

    name: str
    octets: bytes
    flags: Flags = NO_FLAGS
    internal_date: float = 0.0
    save_date: float = 0.0
    _description: Description | None = None

    def description(self) -> Description:
        """What is in it, looked at once."""
        if self._description is None:
            self._description = describe_octets(self.octets)
        return self._description


@dataclass(slots=True)
class Folder:
    """Copies by rising UID; no UID is used twice."""

    uid_validity: int
    special_use: str = ""
    copies: dict[int, Copy] = field(default_factory=dict)
    uid_next: int = 1

    def add(self, copy: Copy) -> int:
        """Give it the next UID, and return that."""
        uid = self.uid_next
        self.copies[uid] = copy
        self.uid_next += 1
        return uid


class Mail:
    """What the parts of the store share; whoever looks at anything in it holds ``lock``."""

    def __init__(self, uid_validity: int) -> None:
        self.lock = Lock()
        self.written: dict[str, bytes] = {}
        self._uid_validity = uid_validity
        self._folders: dict[Address, dict[str, Folder]] = {}

    def folders(self, account: Address) -> dict[str, Folder]:
        """An account's folders by name; its INBOX is made when it is missing."""
        found = self._folders.get(account)
        if found is None:
            found = self._folders[account] = {INBOX: self._new()}
        return found

    def folder(self, account: Address, name: str) -> Folder:
        """The folder; raises FileNotFoundError."""
        try:
            return self.folders(account)[plain(name)]
        except KeyError:
            raise FileNotFoundError(f"{account} has no folder {name}") from None

    def make_folder(self, account: Address, name: str) -> Folder:
        """The folder, made when it is missing."""
        try:
            return self.folder(account, name)
        except FileNotFoundError:
            return self.folders(account).setdefault(plain(name), self._new())

    def _new(self) -> Folder:
        """A folder with a UIDVALIDITY that none had before."""
        folder = Folder(self._uid_validity)
        self._uid_validity += 1
        return folder

    def find(self, action: MailboxAction) -> tuple[Folder, int] | None:
        """Where the laid copy is, in whatever folder."""
        for folder in self._folders.get(action.account, {}).values():
            for uid, copy in folder.copies.items():
                if copy.name == action.name:
                    return folder, uid
        return None

    def used(self, account: Address) -> int:
        """The octets of all that an account has."""
        folders = self._folders.get(account, {}).values()
        return sum(len(copy.octets) for folder in folders for copy in folder.copies.values())
