"""What is done from time to time: orders of others, a clock that was set, what has waited too long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from mailsys.config.retry import RetrySchedule
from mailsys.interfaces import (
    Changed,
    IJournal,
    IQueueSpool,
    Order,
    Progress,
    QueueItem,
    RecipientState,
    Verb,
)
from mailsys.queue.attempting import Attempting
from mailsys.queue.runner import Runner
from mailsys.queue.schedule import LEAST_ATTEMPTS, lifetime, longest_wait
from mailsys.queue.story import tell_order, tell_progress

ORDERS_SECONDS = 1.0
CLOCK_SECONDS = 10.0
AGED_SECONDS = 60.0
PRUNE_SECONDS = 600.0
DEPTH_SECONDS = 10.0
CLOCK_WAS_SET_SECONDS = 30.0  # by so much or more
AT_ONCE = 200
RETELL_SECONDS = 60.0  # how much of a story may be missing after a crash
MOST_RETOLD = 5000

log = Logger(namespace="mailsys.queue")


@dataclass(slots=True)
class _Clocks:
    """What the machine's clock and the steady one said last."""

    wall: float
    steady: float

    def set_by(self, wall: float, steady: float) -> float:
        """By how many seconds the machine's clock was set since then."""
        drift = (wall - self.wall) - (steady - self.steady)
        self.wall, self.steady = wall, steady
        return drift


class Upkeep:
    """Beside the runner, from ``start`` to ``stop``.  A finished message is kept for ``keep_seconds``."""

    def __init__(
        self,
        spool: IQueueSpool,
        runner: Runner,
        attempting: Attempting,
        journal: IJournal,
        clock: IReactorTime,
        now: Callable[[], float],
        keep_seconds: float,
    ) -> None:
        self._spool = spool
        self._runner = runner
        self._attempting = attempting
        self._journal = journal
        self._clock = clock
        self._now = now
        self.keep_seconds = keep_seconds
        self._clocks = _Clocks(now(), clock.seconds())
        self.depth = 0  # how many messages were not finished when it was last looked
        self._told_until = 0.0  # messages older than this were looked at for a notice of delay
        # Orders for messages that were under way: done when their attempt is over.
        self._later: list[tuple[Order, str]] = []
        self._calls: list[LoopingCall] = []
        self._ended: list[Deferred[LoopingCall]] = []

    async def start(self) -> None:
        """Make stories whole that a crash may have cut off, and begin; raises OSError."""
        await self._tell_again()
        await self.look_at_depth()
        await self._spool.clamp(self._now() + longest_wait(self._schedule), self._now())
        for step, seconds in (
            (self.do_orders, ORDERS_SECONDS),
            (self.watch_clock, CLOCK_SECONDS),
            (self.look_at_aged, AGED_SECONDS),
            (self.prune, PRUNE_SECONDS),
            (self.look_at_depth, DEPTH_SECONDS),
        ):
            call = LoopingCall(self._unbroken, step)
            call.clock = self._clock
            self._calls.append(call)
            self._ended.append(call.start(seconds, now=False))

    async def stop(self) -> None:
        """Do no more."""
        for call in self._calls:
            call.stop()
        await DeferredList(self._ended)

    @property
    def _schedule(self) -> RetrySchedule:
        return self._attempting.rules.schedule

    def _unbroken(self, step: Callable[[], Awaitable[None]]) -> Deferred[None]:
        return Deferred.fromCoroutine(_logged(step))

    async def _tell_again(self) -> None:
        """The journal may have lost the last moments before a crash; what it knows it keeps once."""
        for id_, progress in await self._spool.outcomes(RETELL_SECONDS, MOST_RETOLD):
            tell_progress(self._journal, id_, [progress])

    # ------------------------------------------------------------------ orders

    async def do_orders(self) -> None:
        """Do what other programs have asked for, and what an attempt stood in the way of."""
        later, self._later = self._later, []
        for order, id_ in later:
            await self.do(Order(order.verb, replace(order.selection, id=id_)))
        for order in await self._spool.orders():
            await self.do(order)

    async def do(self, order: Order) -> None:
        """Do one, but for messages under way; for those it is tried again soon."""
        now = self._now()

        async def change(busy: Collection[str]) -> tuple[list[Changed], list[str]]:
            return list(await self._spool.carry_out(order, now, busy)), list(busy)

        changed, busy = await self._runner.undisturbed(change)
        wanted = order.selection.id
        self._later += [(order, id_) for id_ in busy if wanted in ("", id_)]
        tell_order(self._journal, order, changed, now)
        destinations = {one.destination for one in changed}
        if order.verb in (Verb.RETRY, Verb.RELEASE) and destinations:
            await self._runner.try_now(destinations)

    async def look_at_depth(self) -> None:
        """For those who want to know without waiting."""
        self.depth = await self._spool.depth()

    # ------------------------------------------------------------------ time

    async def watch_clock(self) -> None:
        """When the clock was set back, nobody waits for the difference as well."""
        now = self._now()
        drift = self._clocks.set_by(now, self._clock.seconds())
        if abs(drift) < CLOCK_WAS_SET_SECONDS:
            return
        log.warn("The clock was set by {seconds} seconds; the queue goes by it", seconds=round(drift))
        await self._spool.clamp(now + longest_wait(self._schedule), now)
        await self._runner.look_again()

    async def look_at_aged(self) -> None:
        """Tell senders of what waits for long; give up what waits too long for a host that is dead."""
        now = self._now()
        until = now - self._attempting.delay_seconds
        await self._each_aged(self._told_until, until, self._tell_delay)
        self._told_until = max(self._told_until, until)
        await self._each_aged(0.0, now - lifetime(self._schedule), self._give_up)

    async def _each_aged(
        self, after: float, until: float, step: Callable[[QueueItem, float], list[Progress]]
    ) -> None:
        """Some at a time, while nothing else is done to them."""
        is_more = True
        while is_more:

            async def change(busy: Collection[str], after: float = after) -> float | None:
                items = await self._spool.aged(after, until, AT_ONCE)
                idle = [item for item in items if item.message.id not in busy]
                await self._keep_all([(item, step(item, self._now())) for item in idle])
                return items[-1].message.released if items else None

            last = await self._runner.undisturbed(change)
            is_more = last is not None
            after = last if last is not None else after

    async def _keep_all(self, changes: Sequence[tuple[QueueItem, list[Progress]]]) -> None:
        """All together, so that they share a sync."""
        kept = [
            Deferred.fromCoroutine(self._attempting.keep(item.message, progress))
            for item, progress in changes
            if progress
        ]
        await DeferredList(kept, fireOnOneErrback=True, consumeErrors=True)

    def _tell_delay(self, item: QueueItem, now: float) -> list[Progress]:
        """Those who were not tried since: an attempt tells by itself."""
        return [
            Progress(recipient, RecipientState.WAITING, now, None, recipient.next_attempt, recipient.reason)
            for recipient in item.recipients
            if not recipient.is_delay_told
        ]

    def _give_up(self, item: QueueItem, now: float) -> list[Progress]:
        """Those for whom an attempt would be the same as those before."""
        failures = self._runner.failures_of(item.destination)
        return [
            self._attempting.rules.given_up(recipient, recipient.reason or "it cannot be reached", now)
            for recipient in item.recipients
            if max(failures, recipient.attempts) >= LEAST_ATTEMPTS
        ]

    async def prune(self) -> None:
        """Forget what was finished long ago."""
        while await self._spool.prune(self._now() - self.keep_seconds, AT_ONCE) == AT_ONCE:
            pass


async def _logged(step: Callable[[], Awaitable[None]]) -> None:
    try:
        await step()
    except Exception:
        log.failure("The upkeep of the queue met an error, and goes on")
