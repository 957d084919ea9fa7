"""The journal: takes events without making anyone wait, and writes them in batches, in a thread of its own.

An event is in memory alone for up to a quarter of a second; whoever needs it on the disk calls ``flush``.
Nothing here refuses an event or raises to who records one: the journal is never the reason that mail is
not taken.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread

from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface import implementer

from mailsys.interfaces import IJournal, JournalEvent
from mailsys.journal.backlog import BATCH_EVENTS, EVENTS_IN_MEMORY, Backlog
from mailsys.journal.database import Connect, JournalDatabase
from mailsys.journal.flood import Flood
from mailsys.journal.logbook import Logbook
from mailsys.journal.upkeep import Upkeep

BATCH_SECONDS = 0.25
RETRY_SECONDS = 2.0
FLUSH_SECONDS = 30.0  # a disk that takes longer counts as one that does not take it
COUNT_SECONDS = 60.0
KEEP_SECONDS = 30 * 86_400.0
SIZE_OCTETS = 1 << 30


@implementer(IJournal)
class Journal:
    """Owns the journal's file at ``path`` and the thread that writes it.

    ``start`` begins the thread; ``close`` writes what is left and ends it.  Significant events also go
    to ``observer``, the log, as one line each.
    """

    def __init__(
        self,
        path: str,
        *,
        now: Callable[[], float] = time.time,
        observer: ILogObserver = globalLogPublisher,
        connect: Connect = sqlite3.connect,
        seconds: Callable[[], float] = time.monotonic,
        keep_seconds: float = KEEP_SECONDS,
        size_octets: int = SIZE_OCTETS,
        events_in_memory: int = EVENTS_IN_MEMORY,
    ) -> None:
        self._events_in_memory = events_in_memory
        self._logbook = Logbook(observer)
        database = JournalDatabase(path, connect)
        upkeep = Upkeep(database, now, seconds, keep_seconds, size_octets)
        self._backlog = Backlog(database, self._logbook, now, upkeep, events_in_memory)
        self._seconds = seconds
        self._next_count = seconds() + COUNT_SECONDS
        # The condition guards what callers and the thread share.
        self._changed = Condition()
        self._recorded: deque[JournalEvent] = deque()
        self._flood = Flood(seconds)
        self._dropped = 0
        self._flushes: list[Future[None]] = []
        self._closing = False
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to write.  Not before the process has become its user and a daemon."""
        # A daemon thread, so that a process that ends without ``close`` does not hang.
        self._thread = Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def record(self, event: JournalEvent) -> None:
        """Keep it, soon.  From any thread.  What is refused over and over may only be counted."""
        with self._changed:
            if not self._flood.admits(event):
                return
            self._recorded.append(event)
            waiting = len(self._recorded)
            if waiting > self._events_in_memory:
                self._recorded.popleft()
                self._dropped += 1
            elif waiting in (1, BATCH_EVENTS):
                self._changed.notify()

    def flush(self) -> None:
        """Return when all that was recorded is synced.  From a worker thread; raises OSError.

        It does so after ``FLUSH_SECONDS``, too, so that a thread that others need is not held up for ever.
        """
        done: Future[None] = Future()
        with self._changed:
            if self._thread is None or self._closing:
                raise OSError("the journal is closed")
            self._flushes.append(done)
            self._changed.notify()
        try:
            done.result(FLUSH_SECONDS)
        except TimeoutError:
            raise OSError(f"the journal was not written within {FLUSH_SECONDS:.0f} seconds") from None

    def close(self) -> None:
        """Write and sync what is left, and end.  Waits for the disk; what cannot be written is lost."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        else:
            self._finish()

    @property
    def is_failing(self) -> bool:
        """Did the last attempt to write fail?  What is recorded waits in memory then."""
        return self._backlog.is_failing

    def _run(self) -> None:
        try:
            while self._wait():
                self._write()
                self._unbroken(self._count)
                self._unbroken(self._backlog.keep_up)
            self._finish()
        except Exception:
            self._logbook.failure("The journal is not written any more, until the server is started again")
        finally:
            self._leave()

    def _wait(self) -> bool:
        """Wait for a batch, a flush, or the time to prune or to try again; False at the end."""
        failing = self._backlog.is_failing
        with self._changed:
            if not failing:
                self._changed.wait_for(self._has_work, self._seconds_to_rest())
            seconds = RETRY_SECONDS if failing else BATCH_SECONDS if self._recorded else 0
            self._changed.wait_for(lambda: self._is_urgent(failing), seconds)
            return not self._closing

    def _seconds_to_rest(self) -> float:
        return min(self._backlog.seconds_to_upkeep(), max(0.0, self._next_count - self._seconds()))

    def _has_work(self) -> bool:
        return bool(self._recorded or self._flushes or self._closing)

    def _is_urgent(self, failing: bool) -> bool:
        is_full = len(self._recorded) >= BATCH_EVENTS and not failing
        return bool(is_full or self._flushes or self._closing)

    def _write(self) -> None:
        """Write what was recorded so far, and answer those who wait for that."""
        with self._changed:
            events, self._recorded = self._recorded, deque()
            dropped, self._dropped = self._dropped, 0
            flushes, self._flushes = self._flushes, []
        trouble = self._unbroken(lambda: self._store(events, dropped))
        if flushes:
            self._answer(flushes, trouble or self._unbroken(self._backlog.sync))

    def _store(self, events: Sequence[JournalEvent], dropped: int) -> None:
        self._backlog.add(events, dropped)
        self._logbook.tell(events)
        self._backlog.write()

    def _count(self, *, at_once: bool = False) -> None:
        """From time to time, write how many events were counted and not kept."""
        if not at_once and self._seconds() < self._next_count:
            return
        self._next_count = self._seconds() + COUNT_SECONDS
        with self._changed:
            counts = self._flood.counts()
        self._logbook.tell_counts(counts)
        self._backlog.count(counts)

    def _unbroken(self, step: Callable[[], str | None]) -> str:
        """Take a step and return what stood in the way; what nobody expected does not end the thread."""
        try:
            return step() or ""
        except Exception:
            self._logbook.failure("The journal met an error that nobody expected, and goes on")
            return "an error that the log tells of"

    def _answer(self, flushes: Sequence[Future[None]], trouble: str) -> None:
        for done in flushes:
            if trouble:
                done.set_exception(OSError(f"the journal cannot be written: {trouble}"))
            else:
                done.set_result(None)

    def _finish(self) -> None:
        self._write()
        self._unbroken(lambda: self._count(at_once=True))
        self._backlog.close()

    def _leave(self) -> None:
        """Let nobody wait for a thread that is no more."""
        with self._changed:
            self._closing = True
            flushes, self._flushes = self._flushes, []
        self._answer(flushes, "it is closed")
