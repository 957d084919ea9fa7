"""The store in memory: opens folders, one POP3 session at a time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from zope.interface import implementer

from mailsys.interfaces import (
    Account,
    IFolders,
    IFolderStore,
    IMailbox,
    IQuota,
    MailboxInUse,
    StoredMessage,
)
from mailsys.message.address import Address
from mailsys.message.content import READ_OCTETS, Content, MemoryContent
from mailsys.store.hierarchy import plain
from mailsys.store.memory.drop import MemoryDrop
from mailsys.store.memory.folders import MemoryFolders
from mailsys.store.memory.mail import Mail


@implementer(IMailbox)
class MemoryMailbox:
    """A folder as it was when it was opened; ``closed`` is called once."""

    def __init__(self, mail: Mail, account: Address, name: str, closed: Callable[[], None]) -> None:
        with mail.lock:
            self._folder = mail.folder(account, name)
            self.messages = tuple(
                [_stored(uid, copy.octets) for uid, copy in sorted(self._folder.copies.items())]
            )
        self.uid_validity = self._folder.uid_validity
        self._mail = mail
        self._closed: Callable[[], None] | None = closed

    def name(self, uid: int) -> str:
        """What it is called for ever; empty when it has gone."""
        with self._mail.lock:
            copy = self._folder.copies.get(uid)
            return copy.name if copy else ""

    async def content(self, uid: int) -> Content:
        """The message; raises KeyError when it has gone."""
        return MemoryContent([self._octets(uid)])

    def read_cached(self, uid: int) -> bytes | None:
        """Return the whole of a small message."""
        try:
            octets = self._octets(uid)
        except KeyError:
            return None
        return octets if len(octets) <= READ_OCTETS else None

    async def read_many(self, uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Return whole messages, None for one that is not small."""
        return [self._read(uid) for uid in uids]

    async def expunge(self, uids: Sequence[int]) -> int:
        """Delete."""
        with self._mail.lock:
            return sum(self._folder.copies.pop(uid, None) is not None for uid in uids)

    def close(self) -> None:
        """Give up the hold; again does no harm."""
        if self._closed is not None:
            closed, self._closed = self._closed, None
            closed()

    def _octets(self, uid: int) -> bytes:
        with self._mail.lock:
            return self._folder.copies[uid].octets

    def _read(self, uid: int) -> bytes | KeyError | None:
        try:
            octets = self._octets(uid)
        except KeyError as error:
            return error
        return octets if len(octets) <= READ_OCTETS else None


@implementer(IQuota)
class MemoryQuota:
    """Room in mailboxes, counted anew each time."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._held: Counter[Address] = Counter()

    async def has_room(self, account: Account, octets: int) -> bool:
        """Would a message of this size fit at this moment?"""
        if account.quota_bytes is None:
            return True
        with self._mail.lock:
            used = self._mail.used(account.address)
        return used + self._held[account.address] + octets <= account.quota_bytes

    async def hold(self, account: Account, octets: int) -> bool:
        """Set room aside."""
        if not await self.has_room(account, octets):
            return False
        self._held[account.address] += octets
        return True

    def release(self, account: Account, octets: int, *, used: int) -> None:
        """End a hold; the copy that was laid counts by itself."""
        self._held[account.address] = max(0, self._held[account.address] - octets)


@implementer(IFolderStore)
class MemoryStore:
    """All mailboxes.

    ``life`` and ``uid_validity`` differ from those of any store before it; ``now`` gives seconds since 1970.
    """

    def __init__(
        self,
        life: str,
        uid_validity: int,
        announce: Callable[[Address, str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._mail = Mail(uid_validity)
        self._now = now
        self._announce = announce
        self._held: set[tuple[Address, str]] = set()
        self._folders: dict[Address, MemoryFolders] = {}
        self.drop = MemoryDrop(self._mail, life, self._changed, now)
        self.quota = MemoryQuota(self._mail)

    def folders(self, account: Account) -> IFolders:
        """The folders of an account; a quota that has changed counts from now on."""
        found = self._folders.get(account.address)
        if found is None:
            found = self._folders[account.address] = MemoryFolders(
                self._mail, account, self.drop.next_name, self._now
            )
        found.account = account
        return found

    async def open(self, account: Account, folder: str, *, exclusive: bool) -> IMailbox:
        """Open for reading; raises MailboxInUse, FileNotFoundError."""
        key = account.address, plain(folder)
        if exclusive and key in self._held:
            raise MailboxInUse

        def closed() -> None:
            if exclusive:
                self._held.discard(key)
            self._notice(*key)

        mailbox = self._open(*key, closed)
        if exclusive:
            self._held.add(key)
        return mailbox

    def _open(self, account: Address, folder: str, closed: Callable[[], None]) -> MemoryMailbox:
        return MemoryMailbox(self._mail, account, folder, closed)

    def _changed(self, account: Address, folder: str) -> None:
        self._notice(account, folder)
        self._announce(account, folder)

    def _notice(self, account: Address, folder: str) -> None:
        """Mail came, or a reader of another protocol may have deleted some."""
        if account in self._folders:
            self._folders[account].notice(plain(folder))


def _stored(uid: int, octets: bytes) -> StoredMessage:
    bare = octets.count(b"\n") - octets.count(b"\r\n")
    return StoredMessage(uid, len(octets), len(octets) + bare)
