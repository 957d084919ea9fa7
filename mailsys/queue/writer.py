"""The thread that owns the database: all changes that wait share one transaction, and one sync.

What must not get lost, it tries again until the disk takes it, in the order in which it came.  What nobody
waits for is done together with what comes next: a message that leaves at once needs one transaction, not two.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum, auto
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol

from twisted.logger import Logger

from mailsys.queue.database import Change, QueueDatabase

MOST_TOGETHER = 500
RETRY_SECONDS = 1.0
SOON_SECONDS = 0.1  # how long at most what may wait does so

log = Logger(namespace="mailsys.queue")


def nothing(*_: object) -> None:
    """Do nothing."""


@dataclass(slots=True, eq=False)
class Work:
    """A change.  ``before`` is called outside of the transaction, ``after`` when it is committed.

    A durable one is done when it is on the disk.  An owed one never fails for what is wrong with the disk.
    One that ``may_wait`` is done with the next that may not, or soon.
    """

    change: Change
    is_durable: bool = False
    is_owed: bool = False
    may_wait: bool = False
    before: Callable[[], None] = nothing
    after: Callable[[Any], None] = nothing
    done: Future[Any] = field(default_factory=Future)


class Writer(Protocol):
    """Does works in the order in which they come."""

    def submit(self, work: Work) -> Future[Any]:
        """Do it soon."""


class DirectWriter:
    """Does each work at once, in the caller's thread: for the command line and for tests.

    Owed works fail as others do: here whoever gave them is told at once, and tries again.
    """

    def __init__(self, database: QueueDatabase) -> None:
        self._database = database

    def submit(self, work: Work) -> Future[Any]:
        """Do it now."""
        try:
            _do(self._database, [work])
        except (sqlite3.Error, OSError) as error:
            work.done.set_exception(_as_os_error(error))
        return work.done


class _Call(Enum):
    """What the thread is told."""

    SOON = auto()
    NOW = auto()
    STOP = auto()


class WriterThread:
    """Owns ``database`` from ``start`` to ``stop``."""

    def __init__(self, database: QueueDatabase) -> None:
        self._database = database
        self._waiting: deque[Work] = deque()
        self._calls: SimpleQueue[_Call] = SimpleQueue()
        self._is_called = False  # for what may wait, since the thread last looked
        self._owed: list[Work] = []  # failed, and to be done before all others
        self._trouble = ""
        self._thread = Thread(target=self._run, name="queue", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def submit(self, work: Work) -> Future[Any]:
        """Do it soon.  From any thread."""
        self._waiting.append(work)
        if not work.may_wait:
            self._calls.put(_Call.NOW)
        elif not self._is_called:
            self._is_called = True
            self._calls.put(_Call.SOON)
        return work.done

    def hurry(self) -> None:
        """Nothing more is to come for what may wait.  From any thread."""
        self._calls.put(_Call.NOW)

    def stop(self) -> None:
        """Do what waits, and end.  Waits for the disk."""
        self._calls.put(_Call.STOP)
        self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._wait()
            self._is_called = False  # before looking: who comes after that calls again
            self._do_together(self._owed + self._take())
            while works := self._take():
                self._do_together(self._owed + works)
        for work in self._owed:
            log.error("A change of the queue is lost: {trouble}", trouble=self._trouble)
            work.done.set_exception(OSError(self._trouble))
        self._database.close()

    def _wait(self) -> bool:
        """Return when there is something to do; True when it is the end."""
        try:
            call = self._calls.get(timeout=RETRY_SECONDS if self._owed else None)
            if call is _Call.SOON:
                call = self._calls.get(timeout=SOON_SECONDS)
            while call is not _Call.STOP:
                call = self._calls.get_nowait()  # one look is enough for all that have called
        except Empty:
            return False
        return True

    def _take(self) -> list[Work]:
        """All that waits, up to a bound."""
        works: list[Work] = []
        while self._waiting and len(works) < MOST_TOGETHER:
            works.append(self._waiting.popleft())
        return works

    def _do_together(self, works: Sequence[Work]) -> None:
        self._owed = []
        if not works:
            return
        try:
            _do(self._database, works)
        except Exception:
            self._do_each(works)
        else:
            self._has_succeeded()

    def _do_each(self, works: Sequence[Work]) -> None:
        """One by one, so that one that cannot be done does not keep the others from it."""
        trouble: Exception | None = None
        for work in works:
            if trouble is None:
                trouble = self._do_alone(work)
            elif work.is_owed:
                self._owed.append(work)
            else:
                work.done.set_exception(_as_os_error(trouble))
        if trouble is None:
            self._has_succeeded()

    def _do_alone(self, work: Work) -> Exception | None:
        """Return what is wrong with the disk, or with other programs that hold the file."""
        try:
            _do(self._database, [work])
        except Exception as error:
            if not _is_trouble(error):
                log.failure("A change of the queue is not possible")
                work.done.set_exception(_as_os_error(error))
                return None
            if work.is_owed:
                self._owed.append(work)
                self._tell(str(error))
            else:
                work.done.set_exception(_as_os_error(error))
            return error
        return None

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            log.error("The queue cannot be written ({trouble}); it is tried again", trouble=trouble)

    def _has_succeeded(self) -> None:
        if self._trouble:
            self._trouble = ""
            log.warn("The queue is written again")


def _do(database: QueueDatabase, works: Sequence[Work]) -> None:
    """All of them in one transaction; raises whatever went wrong, and then none is done."""
    for work in works:
        work.before()
    results = database.run([work.change for work in works], is_durable=any(w.is_durable for w in works))
    for work, result in zip(works, results, strict=True):
        try:
            work.after(result)
        except Exception:
            log.failure("What should follow a change of the queue was not possible")
    for work, result in zip(works, results, strict=True):  # together, so that they share a way back
        work.done.set_result(result)


def _is_trouble(error: Exception) -> bool:
    """Is it of the disk or of other programs, so that it may pass?

    SQLite tells of a file that is damaged with DatabaseError itself, of wrong changes with its subclasses.
    """
    return isinstance(error, (sqlite3.OperationalError, OSError)) or type(error) is sqlite3.DatabaseError


def _as_os_error(error: Exception) -> OSError:
    return error if isinstance(error, OSError) else OSError(f"the queue cannot be used: {error}")
