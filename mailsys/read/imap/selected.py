"""The folder that a session has open, and the news of it that the client has yet to hear."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import IFolder, IFolders, IFolderWatcher, IWorkers
from mailsys.read.imap.reading import Reading
from mailsys.read.imap.search.contexts import Contexts
from mailsys.read.imap.view import View

log = Logger(namespace="mailsys.read")


@implementer(IFolderWatcher)
class Selected:
    """``folder`` shows the present, ``view`` what the client knows; ``news`` is called when they part."""

    folder: IFolder

    def __init__(self, news: Callable[[], None]) -> None:
        self.view = View(())
        self.contexts = Contexts()
        self.is_gone = False
        self.keywords_told = 0  # how many the client knows
        self._news = news
        self._reading: Reading | None = None

    async def open(self, folders: IFolders, name: str, *, read_only: bool) -> None:
        """Look into the folder; raises FolderRefused, OSError."""
        self.folder = await folders.open(name, self, read_only=read_only)
        self.view = View(self.folder.uids)

    def reading(self, workers: IWorkers) -> Reading:
        """What reads messages of the folder."""
        if self._reading is None:
            self._reading = Reading(self.folder, workers)
        return self._reading

    def close(self) -> None:
        """Look away."""
        self.folder.close()

    # ------------------------------------------------------------------ what the store calls

    def arrived(self, uids: Sequence[int]) -> None:
        """Messages have come."""
        self.contexts.note(uids)
        self._tell()

    def flags_changed(self, uids: Collection[int]) -> None:
        """Flags are others now."""
        self.view.note_reflagged(uids)
        self.contexts.note(uids)
        self._tell()

    def expunged(self, uids: Sequence[int]) -> None:
        """Messages have gone."""
        self.view.note_gone(uids)
        self._tell()

    def gone(self) -> None:
        """The folder has gone."""
        self.is_gone = True
        self._tell()

    def _tell(self) -> None:
        """A fault of ours in one session must not become one of whoever changed the folder."""
        try:
            self._news()
        except Exception:
            log.failure("News of {folder} could not be told", folder=self.folder.name)
