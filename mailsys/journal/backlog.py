"""Events that wait to be written, and what becomes of them when the file does not take them.

A disk that is full: they wait in memory, up to a bound, and are tried again; beyond it the oldest are
dropped and counted.  A file that is damaged: it is renamed, and a new one begun.  The log tells of both.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from mailsys.interfaces import JournalEvent
from mailsys.journal.database import JournalDatabase, is_damage
from mailsys.journal.logbook import Logbook

BATCH_EVENTS = 500
EVENTS_IN_MEMORY = 20_000  # About 20 MB.
PRUNE_EVENTS = 200
PRUNE_AGAIN_SECONDS = 0.25
PRUNE_SECONDS = 600.0


class Backlog:
    """Used by one thread.  No method raises; ``is_failing`` tells whether the last write failed."""

    def __init__(
        self,
        database: JournalDatabase,
        logbook: Logbook,
        now: Callable[[], float],
        keep_seconds: float,
        events_in_memory: int = EVENTS_IN_MEMORY,
    ) -> None:
        self._database = database
        self._logbook = logbook
        self._now = now
        self._keep_seconds = keep_seconds
        self._events_in_memory = events_in_memory
        self._waiting: deque[JournalEvent] = deque()
        self._dropped = 0
        self._trouble = ""
        self._next_prune = 0.0

    @property
    def is_failing(self) -> bool:
        """Did the file not take the last write?"""
        return bool(self._trouble)

    def add(self, events: Iterable[JournalEvent], dropped: int = 0) -> None:
        """Queue events for ``write``; ``dropped`` were lost before they came here."""
        self._waiting.extend(events)
        self._dropped += dropped
        while len(self._waiting) > self._events_in_memory:
            self._waiting.popleft()
            self._dropped += 1

    def write(self) -> None:
        """Commit what waits, batch by batch, until all is written or one fails."""
        try:
            if self._trouble and not self._waiting:
                self._database.sync(self._now())  # Nothing to write, so only this tells whether it is over.
            while batch := list(islice(self._waiting, BATCH_EVENTS)):
                self._write_batch(batch)
                for _ in batch:
                    self._waiting.popleft()
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
        else:
            self._succeed()

    def sync(self) -> str:
        """Make what was written durable; return what stood in the way, or nothing."""
        if not self._trouble:
            try:
                self._database.sync(self._now())
            except (sqlite3.Error, OSError) as error:
                self._fail(error)
        return self._trouble

    def seconds_to_prune(self) -> float:
        """How long until ``prune`` has something to do again."""
        return max(0.0, self._next_prune - self._now())

    def prune(self) -> None:
        """Forget a slice of what is too old, when it is time to look for that."""
        now = self._now()
        if now < self._next_prune or self._trouble:
            return
        self._next_prune = now + PRUNE_SECONDS
        try:
            if self._database.prune(now - self._keep_seconds, PRUNE_EVENTS) == PRUNE_EVENTS:
                self._next_prune = now + PRUNE_AGAIN_SECONDS
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def close(self) -> None:
        """Sync and close the file.  What still waits then is lost, and the log says so."""
        self.sync()
        self._dropped += len(self._waiting)
        self._waiting.clear()
        self._tell_dropped()
        self._close_database()

    def _write_batch(self, batch: list[JournalEvent]) -> None:
        try:
            self._database.write(batch)
        except (sqlite3.Error, OSError):
            raise
        except Exception:
            # A value that no one expected; it must not hold up all events after it.
            self._logbook.failure(f"{len(batch)} events could not be written to the journal")

    def _fail(self, error: Exception) -> None:
        """Remember and tell what is wrong; the same trouble is told once."""
        self._close_database()
        trouble = str(error) or type(error).__name__
        if is_damage(error):
            self._set_aside(trouble)
        elif trouble != self._trouble:
            self._logbook.warn(f"The journal cannot be written: {trouble}.  Its events wait in memory.")
        self._trouble = trouble

    def _succeed(self) -> None:
        if self._trouble:
            self._trouble = ""
            self._logbook.warn("The journal is written again.")
        self._tell_dropped()

    def _tell_dropped(self) -> None:
        if self._dropped:
            self._logbook.warn(
                f"{self._dropped} events of the journal were lost while it could not be written."
            )
            self._dropped = 0

    def _set_aside(self, trouble: str) -> None:
        try:
            aside = self._database.set_aside(f"damaged-{int(self._now())}")
        except OSError as error:
            self._logbook.warn(f"The journal is damaged ({trouble}) and cannot be renamed: {error}.")
        else:
            self._logbook.warn(
                f"The journal was damaged ({trouble}).  It is now {aside}, and a new one is begun."
            )

    def _close_database(self) -> None:
        try:
            self._database.close()
        except sqlite3.Error as error:
            self._logbook.warn(f"The journal could not be closed: {error}.")
