"""What the index remembers of a folder's changes: written soon after they are shown, several together.

Nobody waits for it.  What a crash leaves unwritten is found, with new modseqs, when the folder is opened.
After a write that failed all is written anew, and expunges are known only from then on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsys.interfaces import HostStops, IWorkers
from mailsys.store.folder_events import Event, History
from mailsys.store.index import descriptions, history, words
from mailsys.store.index.database import AccountIndex, NoIndex
from mailsys.store.messages import Messages
from mailsys.store.shared_folder import SharedFolder

# What happens meanwhile is written together.
PAUSE_SECONDS = 0.3

log = Logger(namespace="mailsys.store")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be written; ``states`` are of all messages, ``since`` is from when expunges are known.

    ``is_begun`` says that the index has all that was before.
    """

    events: Sequence[Event]
    removed: Sequence[str]
    states: Messages | None
    since: int
    is_begun: bool


class Records:
    """Of one folder, in the reactor's thread; ``read`` and what writes run in worker threads.

    Without a ``clock`` all is written at once.
    """

    def __init__(
        self,
        folder: SharedFolder,
        workers: IWorkers,
        index: Callable[[], AccountIndex],
        clock: IReactorTime | None,
    ) -> None:
        self._folder = folder
        self._workers = workers
        self._index = index
        self._clock = clock
        self._waiting: list[Event] = []
        self._removed: list[str] = []
        self._is_writing = False
        self._is_begun = False
        self._lost_at = 0  # the modseq up to which events may never have been written
        self._rows = 0

    def read(self, uid_validity: int) -> History | None:
        """What is known of a folder; None for nothing."""
        try:
            return self._index().run(partial(history.read, uid_validity=uid_validity))
        except NoIndex:
            return None

    def take_over(self, known: History | None) -> None:
        """This is what the index has."""
        self._is_begun = known is not None
        self._rows = known.rows if known else 0

    def add(self, events: Sequence[Event]) -> None:
        """Something was shown."""
        self._waiting += events
        self._write_soon()

    def forget(self, bases: Sequence[str]) -> None:
        """Messages have gone for good."""
        self._removed += bases
        self._write_soon()

    def _write_soon(self) -> None:
        if self._is_writing or not (self._waiting or self._removed):
            return
        self._is_writing = True
        if self._clock is None:
            self._begin()
        else:
            self._clock.callLater(PAUSE_SECONDS, self._begin)

    def _begin(self) -> None:
        Deferred.fromCoroutine(self._write_all()).addErrback(self._log_failure)

    async def _write_all(self) -> None:
        try:
            while self._waiting or self._removed:
                await self._write_batch()
        finally:
            self._is_writing = False

    async def _write_batch(self) -> None:
        since = max(self._folder.remembers_from, self._lost_at)
        batch = Batch(self._waiting, self._removed, self._states(), since, self._is_begun)
        self._waiting, self._removed = [], []
        # Until it is written it counts as lost.
        self._is_begun, self._lost_at = False, self._folder.highest_modseq
        rows = await self._workers.run(self._write, self._folder.uid_validity, batch)
        if rows is not None:
            self._is_begun = True
            self._rows = rows if batch.states is not None else self._rows + rows

    def _states(self) -> Messages | None:
        """All messages as they are, when the rows are to be written anew."""
        if self._is_begun and self._rows <= history.MOST_ROWS:
            return None
        return self._folder.messages.copy()

    def _write(self, uid_validity: int, batch: Batch) -> int | None:
        try:
            return self._index().run(partial(_write, uid_validity=uid_validity, batch=batch))
        except NoIndex:
            return None  # the log says why

    def _log_failure(self, failure: Failure) -> None:
        if not failure.check(HostStops):
            log.failure("What happened in {name} could not be noted", failure, name=self._folder.name)


def _write(connection: sqlite3.Connection, uid_validity: int, batch: Batch) -> int:
    """Return how many rows were written."""
    descriptions.delete(connection, batch.removed)
    if batch.removed:
        words.delete(connection, batch.removed)
    if not batch.is_begun:
        history.begin(connection, uid_validity, batch.since)
    if batch.states is None:
        return history.write(connection, uid_validity, batch.events)
    history.write(connection, uid_validity, [event for event in batch.events if event.flags is None])
    return history.rewrite(connection, uid_validity, batch.states)
