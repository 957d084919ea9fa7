"""The commit point as a station: sessions hand messages in, and hear when they are safe."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.disk import Disk
from mailsys.intake.batches import Batches, Order, WaitingJob
from mailsys.intake.boot import boot_id as machine_boot_id
from mailsys.intake.commit import Committer
from mailsys.intake.drops import Drops
from mailsys.intake.log import Log
from mailsys.intake.replay import Replay
from mailsys.intake.settle import Settler
from mailsys.intake.spool import spool_path
from mailsys.intake.thread import CommittingThread
from mailsys.interfaces import (
    Acceptance,
    Action,
    IIntake,
    IJournal,
    IWorkers,
    NotStored,
)
from mailsys.message.content import FileContent
from mailsys.threads import EndOfTurn


@dataclass(frozen=True, slots=True)
class Limits:
    """Octets, counts and seconds.

    A batch is what the messages in it have to wait for: ``batch_octets`` bounds what is written for it.
    A message with more copies than ``alone_copies``, or more octets in them than ``alone_octets``, is
    copied in another thread before it joins a batch.

    ``waiting_octets`` bounds what is in memory for messages that wait, ``unsettled_octets`` the segments
    that wait to be settled; above either, messages are not taken.  A segment is sealed when it has
    ``segment_octets``, or after ``settle_seconds``; then it is settled.
    """

    batch_messages: int = 128
    batch_octets: int = 8 * 1024 * 1024
    alone_copies: int = 16
    alone_octets: int = 1024 * 1024
    waiting_octets: int = 64 * 1024 * 1024
    segment_octets: int = 16 * 1024 * 1024
    settle_seconds: float = 5.0
    unsettled_octets: int = 1024 * 1024 * 1024


def random_token() -> str:
    """A token for a segment, as the log wants it."""
    return secrets.token_hex(8)


@implementer(IIntake)
class Intake:
    """Owns the log in ``directory``, the thread that writes it, and the rounds of settling.

    In this order: ``replay`` in a worker thread, ``start``, any ``commit``, ``stop``.  The journal has
    to run from before the replay until after the stop.  ``reactor`` provides IReactorFromThreads and
    IReactorTime; ``workers`` write large messages, and ``settling`` does nothing but settle, for that may
    take long.  ``now`` gives seconds since 1970; ``boot_id`` is the machine's unless one is given.
    """

    _log = Logger()

    def __init__(
        self,
        disk: Disk,
        directory: str,
        drop: Drops,
        journal: IJournal,
        *,
        reactor: Any,
        workers: IWorkers,
        settling: IWorkers,
        now: Callable[[], float],
        boot_id: str | None = None,
        token: Callable[[], str] = random_token,
        limits: Limits = Limits(),
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._drop = drop
        self._journal = journal
        self._workers = workers
        self._settling = settling
        self._reactor = reactor
        self._now = now
        self._boot_id = machine_boot_id() if boot_id is None else boot_id
        self._limits = limits
        self._segments = Log(disk, directory, boot_id=self._boot_id, token=token, now=now)
        self._committer = Committer(disk, drop, self._segments, journal, spool_path(directory))
        self._settler = Settler(disk, directory, drop, journal, self._announce_late, now)
        self._batches = Batches(limits.batch_messages, limits.batch_octets)
        self._waiting_octets = 0
        self._handed_in: list[WaitingJob] = []  # in this turn of the reactor
        self._turn = EndOfTurn(reactor, self._hand_on)
        self._thread: CommittingThread | None = None
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = reactor
        self._is_open = False
        self._is_settling = False
        self._round: Deferred[None] = succeed(None)

    def replay(self) -> None:
        """Do what the last run left undone.  From a worker thread, before ``start``; raises OSError."""
        replay = Replay(self._disk, self._directory, self._drop, self._journal, self._settler, self._boot_id)
        self._segments.last_number = replay.run()

    def start(self) -> None:
        """Take messages from now on."""
        self._thread = CommittingThread(
            self._batches,
            self._committer,
            self._segments,
            self._settler,
            self._reactor,
            self._answer,
            self._limits.segment_octets,
        )
        self._thread.start()
        self._ticks.start(self._limits.settle_seconds, now=False)
        self._is_open = True

    async def commit(self, acceptance: Acceptance) -> None:
        """Return when the message is synced and in every mailbox; raises NotStored.

        A spooled content is the log's from then on; after NotStored it is still the caller's.
        """
        job = WaitingJob(acceptance, self._now())
        self._admit(job)
        self._waiting_octets += job.octets
        try:
            if self._is_for_another_thread(job):
                await self._prepare(job)
            self._handed_in.append(job)
            self._turn.ask()
            is_stored = await job.done
        finally:
            self._waiting_octets -= job.octets
        if not is_stored:
            raise NotStored("the message could not be written")

    async def stop(self) -> None:
        """Commit what waits and take no more; settle once.  What is left after that, replay does."""
        if not self._is_open or self._thread is None:
            return
        self._is_open = False
        self._ticks.stop()
        self._hand_on()
        self._batches.put(Order.STOP)
        await self._thread.ended
        await self._round
        await self._settling.run(self._settler.run)

    def _hand_on(self) -> None:
        """Give the committing thread what has been handed in."""
        jobs, self._handed_in = self._handed_in, []
        for job in jobs:
            self._batches.put(job)

    def _admit(self, job: WaitingJob) -> None:
        """Refuse what would take too much memory or disk; the sender tries again."""
        if not self._is_open:
            raise NotStored("no messages are taken at the moment")
        if self._waiting_octets + job.octets > self._limits.waiting_octets and self._waiting_octets:
            raise NotStored("too many messages wait to be stored")
        if self._settler.waiting_octets > self._limits.unsettled_octets:
            raise NotStored("too much of the log cannot be settled")

    def _is_for_another_thread(self, job: WaitingJob) -> bool:
        """Would those who wait with it wait too long for its copies to be written?"""
        return (
            isinstance(job.acceptance.content, FileContent)
            or len(job.acceptance.actions) > self._limits.alone_copies
            or job.copied_octets > self._limits.alone_octets
        )

    async def _prepare(self, job: WaitingJob) -> None:
        """Copy a large message in a worker thread, so that the small ones need not wait for it."""
        await self._workers.run(self._committer.prepare, job)
        if not self._is_open:
            await self._workers.run(self._committer.withdraw, job)
            raise NotStored("no messages are taken at the moment")

    def _answer(self, jobs: Sequence[WaitingJob]) -> None:
        """Let the sessions go on, then tell open mailboxes.  A session that gave up hears nothing."""
        for job in jobs:
            if not job.done.called:
                job.done.callback(job.is_stored)
        for job in jobs:
            self._announce(job.laid)

    def _announce(self, actions: Sequence[Action]) -> None:
        for action in actions:
            self._drop.announce(action)

    def _announce_late(self, actions: Sequence[Action]) -> None:
        self._reactor.callFromThread(self._announce, actions)

    def _tick(self) -> None:
        """Seal what was written, and let what is sealed be settled, one round at a time."""
        self._batches.put(Order.ROTATE)
        if not self._is_settling and not self._settler.is_idle:
            self._is_settling = True
            self._round = Deferred.fromCoroutine(self._settle())

    async def _settle(self) -> None:
        try:
            await self._settling.run(self._settler.run)
        except Exception:
            self._log.failure("A round of settling failed")
        self._is_settling = False
