"""All mail of one store in memory: folders by account and name, and copies that are not laid yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from mailsys.interfaces import MailboxAction
from mailsys.message.address import Address

INBOX = "INBOX"


@dataclass(slots=True)
class Copy:
    """One message in a folder; ``name`` is unique for ever."""

    name: str
    octets: bytes


@dataclass(slots=True)
class Folder:
    """Copies by rising UID; no UID is used twice."""

    copies: dict[int, Copy] = field(default_factory=dict)
    uid_next: int = 1

    def add(self, copy: Copy) -> None:
        """Give it the next UID."""
        self.copies[self.uid_next] = copy
        self.uid_next += 1


class Mail:
    """What the parts of the store share; whoever looks at anything in it holds ``lock``."""

    def __init__(self, uid_validity: int) -> None:
        self.uid_validity = uid_validity
        self.lock = Lock()
        self.written: dict[str, bytes] = {}
        self._folders: dict[Address, dict[str, Folder]] = {}

    def folder(self, account: Address, name: str) -> Folder:
        """The folder; an account's INBOX is made when it is missing.  Raises FileNotFoundError."""
        folders = self._folders.setdefault(account, {INBOX: Folder()})
        try:
            return folders[INBOX if name.upper() == INBOX else name]
        except KeyError:
            raise FileNotFoundError(f"{account} has no folder {name}") from None

    def make_folder(self, account: Address, name: str) -> Folder:
        """The folder, made when it is missing."""
        try:
            return self.folder(account, name)
        except FileNotFoundError:
            return self._folders[account].setdefault(name, Folder())

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
