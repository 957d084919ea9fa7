"""An IMAP session after login: what it has enabled and selected, and what all its commands share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsys.interfaces import (
    Account,
    ConnectionEnded,
    HostStops,
    IFolder,
    IFolders,
    IFolderStore,
    IWorkers,
)
from mailsys.read.imap import updates
from mailsys.read.imap.dialogue import Dialogue
from mailsys.read.imap.incoming import Incoming
from mailsys.read.imap.search.finder import Finder
from mailsys.read.imap.selected import Selected
from mailsys.wire.imap import responses
from mailsys.wire.imap.responses import Response
from mailsys.wire.imap.sequence import BadSet, SequenceSet

log = Logger(namespace="mailsys.read")


CONGESTED_SECONDS = 1.0  # until a client that takes nothing is looked at again


class CannotDo(Exception):  # noqa: N818 - it is an answer
    """The command fails; ``response`` tells the client why."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.text)
        self.response = response


@dataclass(slots=True)
class Counts:
    """What was done, for the journal."""

    fetched: int = 0
    appended: int = 0
    expunged: int = 0


@dataclass(slots=True, kw_only=True)
class IMAPSession:
    """``enabled`` has the extensions in capitals; ``is_idle`` says that news may be told at any moment."""

    dialogue: Dialogue
    account: Account
    store: IFolderStore
    folders: IFolders
    workers: IWorkers
    incoming: Incoming
    now: Callable[[], float]  # seconds since 1970
    enabled: set[str] = field(default_factory=set)
    met: set[str] = field(default_factory=set)  # folders that were there when a message was put into them
    selected: Selected | None = None
    is_idle: bool = False
    counts: Counts = field(default_factory=Counts)
    _is_later: bool = False  # more news will be told by themselves

    # ------------------------------------------------------------------ what is enabled

    @property
    def utf8(self) -> bool:
        """May names and strings be UTF-8?  (RFC 6855 3, RFC 9051 5.1)"""
        return "UTF8=ACCEPT" in self.enabled or self.rev2

    @property
    def rev2(self) -> bool:
        """Does the client speak IMAP4rev2 alone?"""
        return "IMAP4REV2" in self.enabled

    @property
    def condstore(self) -> bool:
        """Must changes be told with their MODSEQ?  (RFC 7162 3.1)"""
        return "CONDSTORE" in self.enabled or "QRESYNC" in self.enabled

    @property
    def qresync(self) -> bool:
        """Are messages that have gone told by UID?  (RFC 7162 3.2)"""
        return "QRESYNC" in self.enabled

    # ------------------------------------------------------------------ the selected folder

    @property
    def open(self) -> Selected:
        """The folder that is selected; the machine lets no command through that needs one without."""
        if self.selected is None:
            raise CannotDo(responses.SELECT_FIRST)
        return self.selected

    @property
    def folder(self) -> IFolder:
        """What the selected folder shows."""
        return self.open.folder

    @property
    def writable(self) -> IFolder:
        """The selected folder, to change something in it."""
        if self.folder.read_only:
            raise CannotDo(responses.READ_ONLY)
        return self.folder

    def find(self, wanted: SequenceSet, *, by_uid: bool) -> list[int]:
        """UIDs of the messages that a command names."""
        try:
            return self.open.view.find(wanted, by_uids=by_uid)
        except BadSet:
            raise CannotDo(responses.BAD_NUMBERS) from None

    async def select(self, name: str, *, read_only: bool) -> Selected:
        """Open a folder in place of the one that is open; raises FolderRefused and OSError."""
        self.leave()
        selected = Selected(self.news)
        await selected.open(self.folders, name, read_only=read_only)
        self.selected = selected
        self.dialogue.machine.select(True)
        return selected

    def leave(self) -> None:
        """No folder is open any more."""
        if self.selected is not None:
            self.selected.close()
            self.selected = None
            self.dialogue.machine.select(False)

    def news(self) -> None:
        """Something has changed in the folder; it is told now if the client waits for it."""
        if not self.is_idle:
            return
        if self.dialogue.connection.congested:
            self._news_later(CONGESTED_SECONDS)
        elif self.tell_news(may_expunge=True):
            self._news_later(0)
        else:
            Deferred.fromCoroutine(self.tell_of_searches(while_idle=True)).addErrback(self._log_failure)

    def _news_later(self, seconds: float) -> None:
        """The rest of the news, unless they have been told by then."""
        if not self._is_later:
            self._is_later = True
            self.dialogue.later(seconds, self._tell_later)

    def _tell_later(self) -> None:
        self._is_later = False
        self.news()

    async def tell_of_searches(self, *, while_idle: bool = False) -> None:
        """Tell what has changed in the results of searches that the client watches; after the news.

        ``while_idle``: nobody waits for this, so that IDLE may end meanwhile and something else be half said.
        The rest is then told at the end of a command.
        """
        selected = self.selected
        if selected is None or selected.is_gone:
            return

        def may_tell() -> bool:
            return self.selected is selected and (self.is_idle or not while_idle)

        finder = Finder(selected.folder, selected.view, self.workers, self._pause, self.now())
        try:
            await selected.contexts.look(selected.view, finder.find, may_tell, self.dialogue.send_some)
        except OSError as error:
            log.error("Searches of {account} are not watched: {error}", account=self.account, error=error)
            if may_tell():
                for response in selected.contexts.give_up():
                    self.dialogue.tell(response)

    async def _pause(self) -> None:
        await self.dialogue.pause(0)

    def _log_failure(self, failure: Failure) -> None:
        if not failure.check(ConnectionEnded, HostStops):
            log.failure("What changed in searches could not be told", failure)

    def tell_news(self, *, may_expunge: bool) -> bool:
        """Tell what the client does not know yet of its folder; is there more?"""
        if self.selected is None:
            return False
        self.dialogue.send_some(updates.news(self, self.selected, may_expunge=may_expunge))
        return self.selected.view.has_reflagged
