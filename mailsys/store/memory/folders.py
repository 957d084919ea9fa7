"""All folders of one account in memory, as its sessions share them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from zope.interface import implementer

from mailsys.interfaces import (
    Account,
    Column,
    FolderEntry,
    FolderFault,
    FolderRefused,
    FolderStatus,
    IFolder,
    IFolders,
    IFolderWatcher,
    NewMessage,
    Placed,
    Usage,
)
from mailsys.store import hierarchy
from mailsys.store.folder_session import FolderSession
from mailsys.store.hierarchy import INBOX, plain
from mailsys.store.listeners import Listeners
from mailsys.store.maildir.folders import FolderNameError, folder_directory
from mailsys.store.memory.folder import MemoryFolder
from mailsys.store.memory.mail import Copy, Folder, Mail
from mailsys.store.status import status_of


@implementer(IFolders)
class MemoryFolders:
    """The folders of ``account``; ``next_name`` names copies, ``now`` gives seconds since 1970."""

    def __init__(
        self,
        mail: Mail,
        account: Account,
        next_name: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self.account = account
        self._mail = mail
        self._next_name = next_name
        self._now = now
        self._subscribed: set[str] = set()
        self._shared: dict[str, MemoryFolder] = {}
        self._listeners = Listeners()

    async def list(self) -> Sequence[FolderEntry]:
        """Every folder, INBOX first."""
        with self._mail.lock:
            uses = {name: folder.special_use for name, folder in self._folders().items()}
        return hierarchy.entries(uses, self._subscribed, uses)

    async def create(self, name: str, special_use: str = "") -> None:
        """Make a folder and those above it."""
        name = _checked(name)
        with self._mail.lock:
            if name in self._folders():
                raise FolderRefused(FolderFault.EXISTS)
            for parent in (*hierarchy.above(name), name):
                self._mail.make_folder(self.account.address, parent)
            self._folders()[name].special_use = special_use
        self._listeners.tell(name)

    async def delete(self, name: str) -> None:
        """Delete a folder with its messages."""
        name = plain(name)
        if name == INBOX:
            raise FolderRefused(FolderFault.NOT_ALLOWED, "the INBOX stays")
        with self._mail.lock:
            self._existing(name)
            del self._folders()[name]
        self._vanish(name)

    async def rename(self, name: str, new: str) -> None:
        """Rename with all below it; the INBOX gives its messages and stays."""
        name, new = plain(name), _checked(new)
        if name == INBOX:
            await self._empty_inbox(new)
            return
        with self._mail.lock:
            folders = self._folders()
            moving = hierarchy.renames(folders, name, new)
            for parent in hierarchy.above(new):
                self._mail.make_folder(self.account.address, parent)
            for old, target in moving.items():
                folders[target] = folders.pop(old)
        for old, target in moving.items():
            self._vanish(old)
            self._listeners.tell(target)

    async def subscribe(self, name: str) -> None:
        """Note it, whether it exists or not."""
        name = _checked(name)
        self._subscribed.add(name)
        self._listeners.tell(name)

    async def unsubscribe(self, name: str) -> None:
        """Take it off."""
        self._subscribed.discard(plain(name))
        self._listeners.tell(plain(name))

    async def status(self, name: str) -> FolderStatus:
        """Count."""
        shared = self._open(plain(name))
        shared.notice()
        [sizes] = await shared.columns(shared.messages.uids, [Column.WIRE_SIZE])
        return status_of(shared, sum(sizes))

    async def open(self, name: str, watcher: IFolderWatcher, *, read_only: bool) -> IFolder:
        """Open for a session."""
        shared = self._open(plain(name))
        shared.notice()
        return FolderSession(shared, shared, watcher, read_only=read_only, left=lambda: None)

    async def append(self, name: str, messages: Sequence[NewMessage]) -> Placed:
        """Add messages, all or none."""
        now = self._now()
        copies = [
            Copy("", b"".join(one.content.pieces()), one.flags, one.internal_date, now) for one in messages
        ]
        return self._place(name, copies)

    async def usage(self) -> Usage:
        """Count."""
        with self._mail.lock:
            messages = sum(len(folder.copies) for folder in self._folders().values())
            octets = self._mail.used(self.account.address)
        return Usage(octets, messages, self.account.quota_bytes)

    def watch(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call after a change of a folder or of the list."""
        return self._listeners.add(changed)

    def notice(self, name: str) -> None:
        """Something was delivered or deleted by another protocol."""
        if name in self._shared:
            self._shared[name].notice()
        else:
            self._listeners.tell(name)

    def _place(self, name: str, copies: Sequence[Copy], *, moves: bool = False) -> Placed:
        """Put new copies into a folder, with names of their own; raises FolderRefused."""
        shared = self._open(plain(name))
        octets = 0 if moves else sum(len(copy.octets) for copy in copies)
        limit = self.account.quota_bytes
        with self._mail.lock:
            if limit is not None and octets and self._mail.used(self.account.address) + octets > limit:
                raise FolderRefused(FolderFault.OVER_QUOTA)
            folder = self._existing(shared.name)
            uids = [
                folder.add(replace(copy, name=self._next_name(), flags=shared.keywords.spelled(copy.flags)))
                for copy in copies
            ]
        shared.notice()
        return Placed(shared.uid_validity, uids)

    async def _empty_inbox(self, new: str) -> None:
        await self.create(new)
        inbox = self._open(INBOX)
        await inbox.move(inbox.messages.uids[:], new)

    def _open(self, name: str) -> MemoryFolder:
        with self._mail.lock:
            folder = self._existing(name)
        shared = self._shared.get(name)
        if shared is None:
            shared = self._shared[name] = MemoryFolder(
                name, folder, self._mail.lock, self._now, self._place, self._listeners.tell
            )
        return shared

    def _vanish(self, name: str) -> None:
        shared = self._shared.pop(name, None)
        if shared is not None:
            shared.vanish()
        self._listeners.tell(name)

    def _folders(self) -> dict[str, Folder]:
        return self._mail.folders(self.account.address)

    def _existing(self, name: str) -> Folder:
        try:
            return self._folders()[name]
        except KeyError:
            raise FolderRefused(FolderFault.NONEXISTENT) from None


def _checked(name: str) -> str:
    try:
        folder_directory(name)
    except FolderNameError as error:
        raise FolderRefused(FolderFault.BAD_NAME, str(error)) from error
    return plain(name)
