"""All folders of one account on the disk, as its sessions share them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from sqlite3 import Connection
from typing import TypeVar

from twisted.internet.defer import DeferredLock
from zope.interface import implementer

from mailsys.interfaces import (
    Account,
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
from mailsys.store.index import descriptions, history
from mailsys.store.index.database import AccountIndex, NoIndex
from mailsys.store.listeners import Listeners
from mailsys.store.maildir.appending import Appending
from mailsys.store.maildir.crossing import Crossing
from mailsys.store.maildir.file_names import TMP
from mailsys.store.maildir.folder import ALL_LETTERS, MaildirFolder
from mailsys.store.maildir.folder_tree import FolderTree
from mailsys.store.maildir.folders import FolderNameError, folder_directory, found_directory
from mailsys.store.maildir.keywords_file import NoKeywordLeft
from mailsys.store.maildir.maildirsize import MaildirSize
from mailsys.store.maildir.names import NameSource
from mailsys.store.maildir.open_folders import Kept, Means, OpenFolders
from mailsys.store.maildir.placing import FolderGone
from mailsys.store.maildir.quota import MaildirQuota
from mailsys.store.maildir.scan import scan
from mailsys.store.maildir.subscriptions import TooManySubscriptions
from mailsys.store.maildir.transfer import Transfer
from mailsys.store.maildir.tree import MaildirTree
from mailsys.store.maildir.uidlist import UidListFile
from mailsys.store.status import status_of

MOST_FOLDERS = 10_000

T = TypeVar("T")


@implementer(IFolders)
class MaildirFolders:
    """The folders of ``account``."""

    def __init__(
        self,
        account: Account,
        means: Means,
        tree: MaildirTree,
        names: NameSource,
        quota: MaildirQuota,
        kept: Kept,
    ) -> None:
        self.account = account
        self._means = means
        self._disk = means.disk
        self._workers = means.workers
        self._quota = quota
        self._tree = FolderTree(tree, means.disk, account.address)
        self._open = OpenFolders(means, self._tree, kept, self)
        self._listeners = Listeners()
        self._list_lock = DeferredLock()
        transfer = Transfer(means.disk, names, f"{self._tree.root}/{TMP}", means.now)
        self._crossing = Crossing(means.workers, quota, transfer, self._index, means.now)
        self._appending = Appending(means.workers, quota, transfer, self._tree.root, means.tell)

    # ------------------------------------------------------------------ the list

    async def list(self) -> Sequence[FolderEntry]:
        """Every folder, INBOX first; raises OSError."""
        names, subscribed, uses = await self._workers.run(self._read_list)
        return hierarchy.entries(names, subscribed, {name: uses.get(names[name], "") for name in names})

    def _read_list(self) -> tuple[dict[str, str], Sequence[str], dict[str, str]]:
        self._tree.ready()
        return self._tree.names(), self._tree.subscriptions.names(), self._tree.special_use.uses()

    async def create(self, name: str, special_use: str = "") -> None:
        """Make a folder and those above it."""
        name = _checked(name)
        async with self._list_lock:
            await self._workers.run(self._create, name, special_use)
        self._listeners.tell(name)

    def _create(self, name: str, special_use: str) -> None:
        self._tree.ready()
        there = self._tree.names()
        if name in there:
            raise FolderRefused(FolderFault.EXISTS)
        if len(there) >= MOST_FOLDERS:
            raise FolderRefused(FolderFault.LIMIT)
        for parent in hierarchy.above(name):
            self._tree.make(parent)
        if special_use:
            self._tree.special_use.change({folder_directory(name): special_use})
        self._tree.make(name)

    async def delete(self, name: str) -> None:
        """Delete a folder with its messages."""
        name = plain(name)
        if name == INBOX:
            raise FolderRefused(FolderFault.NOT_ALLOWED, "the INBOX stays")
        async with self._list_lock, self._alone_with([name]):
            octets, messages = await self._workers.run(self._delete, name)
            self._lose([name])
        self._quota.subtract(self.account, octets, messages)
        self._listeners.tell(name)

    def _delete(self, name: str) -> tuple[int, int]:
        if not _is_name(name) or not self._tree.has(name):
            raise FolderRefused(FolderFault.NONEXISTENT)
        path = self._tree.path(name)
        counted = self._size().count_folder(path)
        bases = list(scan(path))
        uids = UidListFile(self._disk, path).read()
        self._tree.delete(name)
        self._forget(uids.uid_validity if uids else 0, bases)
        return counted

    def _forget(self, uid_validity: int, bases: Sequence[str]) -> None:
        """The index needs to know no more of a folder, if there is an index."""

        def forget(connection: Connection) -> None:
            history.forget(connection, uid_validity)
            descriptions.delete(connection, bases)

        with suppress(NoIndex):
            self._index().run(forget)

    async def rename(self, name: str, new: str) -> None:
        """Rename with all below it; the INBOX gives its messages and stays."""
        name, new = plain(name), _checked(new)
        if name == INBOX:
            await self.create(new)
            inbox = await self._open.get(INBOX)
            await self.move(inbox, inbox.messages.uids[:], new)
            return
        async with self._list_lock:
            moving = hierarchy.renames(await self._workers.run(self._tree.names), name, new)
            async with self._alone_with(moving):
                await self._workers.run(self._rename, new, moving)
                self._lose(moving)
        for changed in (*moving, *moving.values()):
            self._listeners.tell(changed)

    def _rename(self, new: str, moving: dict[str, str]) -> None:
        for target in moving.values():
            _checked(target)
        for parent in hierarchy.above(new):
            self._tree.make(parent)
        self._tree.rename(moving)

    async def subscribe(self, name: str) -> None:
        """Note it, whether it exists or not."""
        await self._subscribe(_checked(name), wanted=True)

    async def unsubscribe(self, name: str) -> None:
        """Take it off."""
        await self._subscribe(plain(name), wanted=False)

    async def _subscribe(self, name: str, *, wanted: bool) -> None:
        try:
            changed = await self._workers.run(partial(self._set_subscribed, name, wanted=wanted))
        except TooManySubscriptions:
            raise FolderRefused(FolderFault.LIMIT) from None
        if changed:
            self._listeners.tell(name)

    def _set_subscribed(self, name: str, *, wanted: bool) -> bool:
        self._tree.ready()
        return self._tree.subscriptions.set(name, wanted=wanted)

    # ------------------------------------------------------------------ one folder

    async def status(self, name: str) -> FolderStatus:
        """Count."""
        folder = await self._get(name)
        octets = await folder.octets()
        return status_of(folder, octets)

    async def open(self, name: str, watcher: IFolderWatcher, *, read_only: bool) -> IFolder:
        """Open for a session."""
        folder = await self._get(name)
        session = FolderSession(
            folder, folder, watcher, read_only=read_only, left=lambda: self._open.left(folder)
        )
        self._open.joined(folder)
        if session.recent and not read_only:
            self._open.look_soon(folder)  # they are no longer new for other programs
        return session

    async def append(self, name: str, messages: Sequence[NewMessage]) -> Placed:
        """Add messages, all or none, synced when it returns."""
        folder = await self._get(name)
        uids = await _refusing(self._appending.append(self.account, folder, messages))
        return Placed(folder.uid_validity, uids)

    async def copy(self, folder: MaildirFolder, uids: Sequence[int], target: str) -> Placed:
        """Copy from one folder to another."""
        goal = await self._get(target)
        placed = await _refusing(self._crossing.copy(self.account, folder, uids, goal))
        return replace(placed, uid_validity=goal.uid_validity)

    async def move(self, folder: MaildirFolder, uids: Sequence[int], target: str) -> Placed:
        """Move from one folder to another."""
        goal = await self._get(target)
        placed = await _refusing(self._crossing.move(self.account, folder, uids, goal))
        return replace(placed, uid_validity=goal.uid_validity)

    async def usage(self) -> Usage:
        """From ``maildirsize``, or counted."""
        octets, messages = await self._workers.run(self._usage)
        return Usage(octets, messages, self.account.quota_bytes)

    def _usage(self) -> tuple[int, int]:
        self._tree.ready()
        return self._size().look() if self.account.quota_bytes is not None else self._size().count()

    def watch(self, changed: Callable[[str], None]) -> Callable[[], None]:
        """Call after a change of a folder or of the list."""
        return self._listeners.add(changed)

    # ------------------------------------------------------------------ what happens around

    def freed(self, octets: int, messages: int) -> None:
        """Messages have gone from a folder."""
        self._quota.subtract(self.account, octets, messages)

    def changed(self, folder: MaildirFolder) -> None:
        """A folder shows something else."""
        self._listeners.tell(folder.name)

    def delivered(self, name: str) -> None:
        """Something new is in the folder."""
        name = plain(name)
        folder = self._open.known(name)
        if folder is not None:
            folder.files.new.suspect()
        self._notice(name, folder)

    def expunged(self, name: str) -> None:
        """Another protocol has removed messages."""
        name = plain(name)
        folder = self._open.known(name)
        if folder is not None:
            folder.files.suspect()
        self._notice(name, folder)

    def _notice(self, name: str, folder: MaildirFolder | None) -> None:
        if folder is not None and folder.sessions:
            self._open.look_soon(folder)
        else:
            self._listeners.tell(name)

    async def _get(self, name: str) -> MaildirFolder:
        name = plain(name)
        if not _is_name(name):
            raise FolderRefused(FolderFault.NONEXISTENT)
        return await self._open.get(name)

    def _index(self) -> AccountIndex:
        return self._means.indexes.of(self._tree.root)

    def _size(self) -> MaildirSize:
        return MaildirSize(self._disk, self._tree.root, self.account.quota_bytes or 0)

    @asynccontextmanager
    async def _alone_with(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Hold the locks of these folders, as far as they are known."""
        async with AsyncExitStack() as stack:
            for name in sorted(names):
                folder = self._open.known(name)
                if folder is not None:
                    await folder.lock.acquire()
                    stack.callback(folder.lock.release)
            yield

    def _lose(self, names: Iterable[str]) -> None:
        for name in names:
            folder = self._open.known(name)
            if folder is not None:
                self._open.drop(folder)
                folder.lose()


async def _refusing(work: Awaitable[T]) -> T:
    """What other programs did meanwhile, and what the file names cannot hold, in words for the client."""
    try:
        return await work
    except FolderGone:
        raise FolderRefused(FolderFault.NONEXISTENT) from None
    except NoKeywordLeft:
        raise FolderRefused(FolderFault.LIMIT, ALL_LETTERS) from None


def _is_name(name: str) -> bool:
    """Can there be such a folder?"""
    try:
        found_directory(name)
    except FolderNameError:
        return False
    return True


def _checked(name: str) -> str:
    try:
        folder_directory(name)
    except FolderNameError as error:
        raise FolderRefused(FolderFault.BAD_NAME, str(error)) from error
    return plain(name)
