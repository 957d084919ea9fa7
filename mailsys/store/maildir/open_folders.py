"""The folders that sessions have open, and some that they had open lately."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsys.disk import Disk
from mailsys.interfaces import FolderFault, FolderRefused, HostStops, IWorkers
from mailsys.store.index.database import AccountIndex, Indexes
from mailsys.store.maildir.folder import MaildirFolder, Surroundings
from mailsys.store.maildir.folder_files import FolderFiles
from mailsys.store.maildir.folder_tree import FolderTree
from mailsys.store.maildir.indexer import Tell, nobody
from mailsys.store.maildir.uid_book import UidBook

# Messages in folders that no session has open; they take about 100 octets each.
KEPT_MESSAGES = 300_000
# How often a folder is looked at for the sake of sessions that wait for what other programs do.
POLL_SECONDS = 3.0
ATTEMPTS = 3

log = Logger(namespace="mailsys.store")


@dataclass(frozen=True, slots=True)
class Means:
    """What all folders of a store work with.

    ``seconds`` is a monotonic clock, ``now`` gives seconds since 1970, ``random_octets`` makes GUIDs.
    Without a ``clock`` nobody polls.
    """

    disk: Disk
    workers: IWorkers
    seconds: Callable[[], float]
    now: Callable[[], float]
    random_octets: Callable[[int], bytes]
    clock: IReactorTime | None = None
    indexes: Indexes = field(default_factory=Indexes)
    tell: Tell = nobody  # of what came in, to be indexed


class Kept:
    """Folders that nobody has open, the latest last, up to a number of messages in all."""

    def __init__(self, messages: int = KEPT_MESSAGES) -> None:
        self._most = messages
        self._folders: OrderedDict[MaildirFolder, Callable[[], None]] = OrderedDict()

    def put(self, folder: MaildirFolder, forget: Callable[[], None]) -> None:
        """Keep one more; ``forget`` is called when there is no more room for it."""
        self._folders[folder] = forget
        self._folders.move_to_end(folder)
        total = sum(len(one.messages) for one in self._folders)
        while total > self._most and self._folders:
            oldest, forget_oldest = self._folders.popitem(last=False)
            total -= len(oldest.messages)
            forget_oldest()

    def take(self, folder: MaildirFolder) -> None:
        """Somebody has it open."""
        self._folders.pop(folder, None)


class OpenFolders:
    """Those of one account."""

    def __init__(self, means: Means, tree: FolderTree, kept: Kept, around: Surroundings) -> None:
        self._means = means
        self._tree = tree
        self._kept = kept
        self._around = around
        self._folders: dict[str, MaildirFolder] = {}
        self._looks: dict[MaildirFolder, bool] = {}  # under way; True when another must follow
        self._is_polling = False

    def known(self, name: str) -> MaildirFolder | None:
        """The folder, if it is open or was lately."""
        return self._folders.get(name)

    async def get(self, name: str) -> MaildirFolder:
        """The folder as it is now; raises FolderRefused, OSError."""
        for _attempt in range(ATTEMPTS):
            folder = self._folders.get(name)
            if folder is None:
                folder = await self._open(name)
            try:
                await folder.look()
            except OSError:
                if not folder.uid_validity:
                    self.drop(folder)
                raise
            if not folder.is_lost:
                self.left(folder)
                return folder
            self.drop(folder)
        raise OSError(f"Another program makes {name} anew all the time")

    def drop(self, folder: MaildirFolder) -> None:
        """It shows nothing that is true any more."""
        self._kept.take(folder)
        self._forget(folder)

    def joined(self, folder: MaildirFolder) -> None:
        """A session has it open."""
        self._kept.take(folder)
        self._poll()

    def left(self, folder: MaildirFolder) -> None:
        """A session may have closed it: keep it for a while."""
        if not folder.sessions and self._folders.get(folder.name) is folder:
            self._kept.put(folder, lambda: self._forget(folder))

    def look_soon(self, folder: MaildirFolder) -> None:
        """Look without anybody who waits for it; what comes while a look is under way is seen by another."""
        if folder in self._looks:
            self._looks[folder] = True
            return
        self._looks[folder] = False
        Deferred.fromCoroutine(self._look(folder)).addErrback(self._log_failure, folder)

    async def _look(self, folder: MaildirFolder) -> None:
        try:
            await folder.look()
        finally:
            again = self._looks.pop(folder)
        if again:
            self.look_soon(folder)

    def _log_failure(self, failure: Failure, folder: MaildirFolder) -> None:
        if failure.check(HostStops):
            return
        log.error(
            "The folder {name} of {path!r} could not be looked at: {error}",
            name=folder.name,
            path=folder.files.path,
            error=failure.getErrorMessage(),
        )

    async def _open(self, name: str) -> MaildirFolder:
        if not await self._means.workers.run(self._is_there, name):
            raise FolderRefused(FolderFault.NONEXISTENT)
        folder = self._folders.get(name)  # another may have been quicker
        if folder is None:
            folder = self._folders[name] = self._new(name)
        return folder

    def _is_there(self, name: str) -> bool:
        self._tree.ready()
        if not self._tree.has(name):
            return False
        self._tree.prepare(name)
        return True

    def _new(self, name: str) -> MaildirFolder:
        means, path = self._means, self._tree.path(name)
        book = UidBook(means.disk, self._tree.root, path, means.now, means.random_octets)
        files = FolderFiles(means.disk, path, book, means.seconds, means.now)
        return MaildirFolder(name, files, self._around, means.workers, means.now, self._index, means.clock)

    def _index(self) -> AccountIndex:
        return self._means.indexes.of(self._tree.root)

    def _forget(self, folder: MaildirFolder) -> None:
        if self._folders.get(folder.name) is folder:
            del self._folders[folder.name]

    def watched(self) -> Iterable[MaildirFolder]:
        """Folders that sessions have open."""
        return [folder for folder in self._folders.values() if folder.sessions]

    def _poll(self) -> None:
        if self._means.clock is not None and not self._is_polling:
            self._is_polling = True
            self._means.clock.callLater(POLL_SECONDS, self._look_at_all)

    def _look_at_all(self) -> None:
        self._is_polling = False
        watched = self.watched()
        for folder in watched:
            self.look_soon(folder)
        if watched:
            self._poll()
