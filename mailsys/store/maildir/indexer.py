"""Puts what came in into the index, when there is time: so that a client's first look need not read it all.

While mail pours in, it waits, or takes a part of the time only.  What it does not get to is read when
somebody asks for it.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsys.interfaces import HostStops, IWorkers
from mailsys.message.content import FileContent
from mailsys.message.structure.describe import describe
from mailsys.store.index import descriptions
from mailsys.store.index.database import Indexes, NoIndex
from mailsys.store.index.descriptions import Described
from mailsys.store.maildir.info import INFO
from mailsys.store.maildir.scan import open_regular

QUIET_SECONDS = 0.3
# What waits, about 200 octets each; more is not noted.
MOST_WAITING = 20_000
# From here on it does not wait for a quiet moment any more, and takes one part in so many of the time.
MANY = 5_000
SHARE = 4.0
# Messages in one job, of one account.
BATCH = 50

log = Logger(namespace="mailsys.store")


class Arrived(NamedTuple):
    """A message in a folder of the account whose Maildir is ``root``."""

    root: str
    directory: str
    subdirectory: str
    base: str
    suffix: str


class Indexer:
    """Does its work in worker threads, one job at a time; it is told in the reactor's thread."""

    def __init__(self, indexes: Indexes, workers: IWorkers, clock: IReactorTime) -> None:
        self._indexes = indexes
        self._workers = workers
        self._clock = clock
        # By account, for mail comes for one after the other, and a job is of one: the longest waiting first.
        self._waiting: dict[str, deque[Arrived]] = {}
        self._count = 0
        self._last = 0.0
        self._is_due = False

    def arrived(self, message: Arrived) -> None:
        """There is one more."""
        self._last = self._clock.seconds()
        if self._count < MOST_WAITING:
            self._count += 1
            self._waiting.setdefault(message.root, deque()).append(message)
            self._soon(QUIET_SECONDS)

    def _soon(self, seconds: float) -> None:
        if not self._is_due and self._waiting:
            self._is_due = True
            self._clock.callLater(seconds, self._turn)

    def _turn(self) -> None:
        self._is_due = False
        if self._is_quiet() or self._count >= MANY:
            self._is_due = True
            Deferred.fromCoroutine(self._work()).addErrback(self._log_failure)
        else:
            self._soon(QUIET_SECONDS)

    def _is_quiet(self) -> bool:
        return self._clock.seconds() - self._last >= QUIET_SECONDS

    async def _work(self) -> None:
        began = self._clock.seconds()
        try:
            await self._workers.run(self._index, self._batch())
        finally:
            self._is_due = False
        took = self._clock.seconds() - began
        self._soon(0.0 if self._is_quiet() else SHARE * took)

    def _batch(self) -> list[Arrived]:
        root = next(iter(self._waiting))
        waiting = self._waiting.pop(root)
        batch = [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]
        if waiting:
            self._waiting[root] = waiting  # behind the others
        self._count -= len(batch)
        return batch

    def _index(self, batch: Sequence[Arrived]) -> None:
        described = (one for one in map(_described, batch) if one is not None)
        try:
            for some in descriptions.batches(described, BATCH):
                self._indexes.of(batch[0].root).run(partial(descriptions.insert, described=some))
        except NoIndex:
            pass  # the log has it; they are read when somebody asks

    def _log_failure(self, failure: Failure) -> None:
        if not failure.check(HostStops):
            log.failure("Messages could not be put into the index", failure)


def _described(message: Arrived) -> Described | None:
    """Where it lies, or where a session has just moved it; None when it is elsewhere by now."""
    places = [
        f"{message.directory}/{message.subdirectory}/{message.base}{message.suffix}",
        f"{message.directory}/cur/{message.base}{message.suffix or INFO}",
    ]
    for path in places:
        try:
            status = _status(path)
            description = describe(FileContent(path, status.st_size))
        except OSError:
            continue  # whoever wants to read it hears why
        return Described(message.base, status.st_mtime, status.st_ctime, description)
    return None


def _status(path: str) -> os.stat_result:
    descriptor = open_regular(path)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


Tell = Callable[[Arrived], None]


def nobody(message: Arrived) -> None:
    """Nothing is indexed before somebody asks."""
