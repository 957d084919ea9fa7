"""The thread that owns the database: all changes that wait share one transaction, and one sync.

What must not get lost, it tries again until the disk takes it, in the order in which it came.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol

from twisted.logger import Logger

from mailsys.queue.database import Change, QueueDatabase

MOST_TOGETHER = 500
RETRY_SECONDS = 1.0
_TROUBLES = (sqlite3.OperationalError, OSError)  # of the disk or of other programs; they may pass

log = Logger(namespace="mailsys.queue")


def nothing(*_: object) -> None:
    """Do nothing."""


@dataclass(slots=True, eq=False)
class Work:
    """A change.  ``before`` is called outside of the transaction, ``after`` when it is committed.

    A durable one is done when it is on the disk.  An owed one never fails for what is wrong with the disk.
    """

    change: Change
    is_durable: bool = False
    is_owed: bool = False
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


class WriterThread:
    """Owns ``database`` from ``start`` to ``stop``."""

    def __init__(self, database: QueueDatabase) -> None:
        self._database = database
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()
        self._owed: list[Work] = []  # failed, and to be done before all others
        self._trouble = ""
        self._thread = Thread(target=self._run, name="queue", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def submit(self, work: Work) -> Future[Any]:
        """Do it soon.  From any thread."""
        self._waiting.put(work)
        return work.done

    def stop(self) -> None:
        """Do what waits, and end.  Waits for the disk."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            works, is_last = self._take()
            self._do_together(self._owed + works)
        for work in self._owed:
            log.error("A change of the queue is lost: {trouble}", trouble=self._trouble)
            work.done.set_exception(OSError(self._trouble))
        self._database.close()

    def _take(self) -> tuple[list[Work], bool]:
        """All that waits, up to a bound, and whether it is the end."""
        works: list[Work] = []
        try:
            item = self._waiting.get(timeout=RETRY_SECONDS if self._owed else None)
            while item is not None:
                works.append(item)
                if len(works) >= MOST_TOGETHER:
                    return works, False
                item = self._waiting.get_nowait()
        except Empty:
            return works, False
        return works, True

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
        except _TROUBLES as trouble:
            if not work.is_owed:
                work.done.set_exception(_as_os_error(trouble))
                return trouble
            self._owed.append(work)
            self._tell(str(trouble))
            return trouble
        except Exception as mistake:
            log.failure("A change of the queue is not possible")
            work.done.set_exception(_as_os_error(mistake))
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
        work.done.set_result(result)


def _as_os_error(error: Exception) -> OSError:
    return error if isinstance(error, OSError) else OSError(f"the queue cannot be used: {error}")
