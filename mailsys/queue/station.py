"""The queue as a station: builds its parts, and starts and stops them in order."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from mailsys.config.retry import RetrySchedule
from mailsys.disk import Disk
from mailsys.interfaces import IDelivery, IDiagnosis, IJournal, INotices, IWorkers
from mailsys.message.address import Address
from mailsys.queue import FILE_NAME, FOLDER
from mailsys.queue.attempting import Attempting
from mailsys.queue.contents import Contents
from mailsys.queue.database import QueueDatabase
from mailsys.queue.no_diagnosis import NoDiagnosis
from mailsys.queue.progress import Rules
from mailsys.queue.runner import QueueLimits, Runner
from mailsys.queue.spool import Spool
from mailsys.queue.upkeep import Upkeep
from mailsys.queue.writer import WriterThread
from mailsys.threads import EndOfTurn

log = Logger(namespace="mailsys.queue")


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What may change while the queue runs."""

    schedule: RetrySchedule
    limits: QueueLimits
    keep_seconds: float
    delay_seconds: float


class Queue:
    """Owns ``queue.sqlite3`` and ``queue/`` in the folder ``data``.

    In this order: ``prepare``, the intake's replay, ``start``, ``stop``, ``close``.  ``reactor`` provides
    IReactorTime and IReactorFromThreads.
    """

    def __init__(
        self,
        disk: Disk,
        data: str,
        settings: QueueSettings,
        *,
        delivery: IDelivery,
        notices: INotices,
        journal: IJournal,
        workers: IWorkers,
        destination_of: Callable[[Address], str],
        reactor: Any,
        now: Callable[[], float],
        chance: Callable[[], float],
        connect: Callable[..., sqlite3.Connection] = sqlite3.connect,
        diagnosis: IDiagnosis | None = None,
    ) -> None:
        self._tidied: Deferred[None] = succeed(None)
        contents = Contents(disk, os.path.join(data, FOLDER))
        self._contents = contents
        self._workers = workers
        self._chance = chance
        self._writer = WriterThread(QueueDatabase(os.path.join(data, FILE_NAME), connect))
        hurry = EndOfTurn(reactor, self._writer.hurry)
        self.spool = Spool(contents, self._writer, destination_of, reactor.callFromThread, hurry.ask)
        rules = Rules(settings.schedule, chance)
        self._attempting = Attempting(
            self.spool,
            delivery,
            notices,
            journal,
            rules,
            settings.delay_seconds,
            now,
            diagnosis or NoDiagnosis(),
        )
        self.runner = Runner(self.spool, self._attempting, settings.limits, reactor, now)
        self.upkeep = Upkeep(
            self.spool, self.runner, self._attempting, journal, reactor, now, settings.keep_seconds
        )

    def configure(
        self, settings: QueueSettings, delivery: IDelivery, destination_of: Callable[[Address], str]
    ) -> None:
        """Go on with other settings."""
        self._attempting.rules = Rules(settings.schedule, self._chance)
        self._attempting.delay_seconds = settings.delay_seconds
        self._attempting.delivery = delivery
        self.runner.limits = settings.limits
        self.upkeep.keep_seconds = settings.keep_seconds
        self.spool.destination_of = destination_of

    async def prepare(self) -> None:
        """Make files and tables ready for what the intake's replay may bring; raises OSError."""
        self._writer.start()
        await self._workers.run(self.spool.prepare)

    async def start(self) -> None:
        """Begin to deliver, before the intake takes anything new; raises OSError."""
        await self._workers.run(self._contents.clear_tmp)
        names = await self._workers.run(self._contents.names)
        self._tidied = Deferred.fromCoroutine(self._tidy(names))
        await self.upkeep.start()
        await self.runner.start()

    async def stop(self) -> None:
        """Deliver no more; what was begun ends in a few seconds."""
        await self._tidied
        await self.upkeep.stop()
        await self.runner.stop()

    async def _tidy(self, names: Sequence[str]) -> None:
        """May take a while where much waits, and nobody has to wait for it."""
        try:
            await self._workers.run(self.spool.tidy, names)
        except Exception:
            log.failure("Contents in the queue that nobody needs could not be removed")

    async def close(self) -> None:
        """Write what is left, and close the files.  After the intake has stopped."""
        await self._workers.run(self._writer.stop)
