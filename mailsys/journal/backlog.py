"""Events that wait to be written, and what becomes of them when the file does not take them.

A disk that is full: they wait in memory, up to a bound, and are tried again; beyond it the oldest are
dropped and counted.  A file that is damaged: it is renamed, and a new one begun.  The log tells of both.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from mailsys.interfaces import JournalEvent
from mailsys.journal.database import JournalDatabase, is_damage
from mailsys.journal.logbook import Logbook
from mailsys.journal.upkeep import Upkeep

BATCH_EVENTS = 500
EVENTS_IN_MEMORY = 20_000  # About 20 MB.


class Backlog:
    """Used by one thread.  No method raises; ``is_failing`` tells whether the last write failed."""

    def __init__(
        self,
        database: JournalDatabase,
        logbook: Logbook,
        now: Callable[[], float],
        upkeep: Upkeep,
        events_in_memory: int = EVENTS_IN_MEMORY,
    ) -> None:
        self._database = database
        self._logbook = logbook
        self._now = now
        self._upkeep = upkeep
        self._events_in_memory = events_in_memory
        self._waiting: deque[JournalEvent] = deque()
        self._dropped = 0
        self._trouble = ""

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

    def count(self, events: Sequence[JournalEvent]) -> None:
        """Write numbers that take the place of earlier ones; if that fails the next ones will do."""
        if not events or self._trouble:
            return
        try:
            self._database.count(events)
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def seconds_to_upkeep(self) -> float:
        """How long until ``keep_up`` has something to do again."""
        return self._upkeep.seconds_to_next()

    def keep_up(self) -> None:
        """Forget or index a slice, when it is time to look for that."""
        if self._trouble:
            return
        try:
            self._upkeep.step()
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
