"""Takes what is due, and lets it be tried: as much at one time as each destination, and the host, can take.

What comes in is tried at once.  What waits lies in the spool; in memory is one small object for each
destination, so that 100,000 messages for one dead host are one entry here, and one probe now and then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsys.interfaces import IQueueSpool, QueueItem
from mailsys.queue.attempting import Attempting, Tried
from mailsys.queue.destinations import MOST_READY, NEVER, Destination
from mailsys.queue.schedule import back_off

SHARE_FOR_RETRIES = 0.75  # of all deliveries: the rest is kept for what is tried for the first time
MOST_READY_IN_ALL = 1000  # items in memory that have not begun
AT_ONCE = 1000  # destinations looked at before others get their turn
SOON_ENOUGH_SECONDS = 0.05  # an alarm so much later than wanted needs no second one
TROUBLE_SECONDS = 5.0  # until the spool is asked again after an error
GRACE_SECONDS = 5.0  # for deliveries under way when we stop

T = TypeVar("T")

log = Logger(namespace="mailsys.queue")


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """So many deliveries at one time, and so many of them to one destination."""

    deliveries: int = 100
    deliveries_per_destination: int = 10


class Runner:
    """In the reactor's thread.  ``clock`` does not jump; ``now`` gives seconds since 1970."""

    def __init__(
        self,
        spool: IQueueSpool,
        attempting: Attempting,
        limits: QueueLimits,
        clock: IReactorTime,
        now: Callable[[], float],
    ) -> None:
        self._spool = spool
        self._attempting = attempting
        self.limits = limits
        self._clock = clock
        self._now = now
        self._destinations: dict[str, Destination] = {}
        self._alarms: list[tuple[float, str]] = []
        self._timer: IDelayedCall | None = None
        # Destinations with something ready that wait for a place: first attempts, and others.
        self._first: deque[Destination] = deque()
        self._others: deque[Destination] = deque()
        self._under_way: set[Deferred[Any]] = set()
        self._questions: set[Deferred[None]] = set()  # to the spool, each with a place set aside
        self._ready = 0  # items in memory that have not begun
        self._pauses = 0
        self._is_open = False

    # ------------------------------------------------------------------ from outside

    async def start(self) -> None:
        """Begin with what waits already; raises OSError."""
        self._is_open = True
        self._spool.watch(self.take_in)
        await self.look_again()

    async def look_again(self, names: Iterable[str] | None = None) -> None:
        """Look where somebody waits, everywhere or at some destinations; raises OSError."""
        wanted = None if names is None else set(names)
        for number, (name, next_due) in enumerate((await self._spool.destinations()).items(), 1):
            if wanted is None or name in wanted:
                destination = self._known(name)
                destination.next_due = min(destination.next_due, next_due)
                self._go_on(destination)
            if number % AT_ONCE == 0:
                await deferLater(self._clock, 0)

    async def try_now(self, names: Iterable[str]) -> None:
        """Forget that these could not be reached, and look what is due; raises OSError."""
        names = set(names)
        for name in names & self._destinations.keys():
            self._destinations[name].has_answered(self.limits.deliveries_per_destination)
        await self.look_again(names)

    def take_in(self, item: QueueItem) -> None:
        """Try what has just come in, at once if there is room; else it is found in the spool."""
        if not self._is_open:
            return
        destination = self._known(item.destination)
        if (due := item.recipients[0].next_attempt) > self._now():
            destination.next_due = min(destination.next_due, due)
            self._go_on(destination)
            return
        destination.is_fresh = True
        may_be_ready = self._pauses == 0 and self._ready < MOST_READY_IN_ALL
        if may_be_ready and len(destination.ready) < MOST_READY and self._reached(destination):
            self._make_ready(destination, [item])
        else:
            destination.next_due = min(destination.next_due, self._now())
        self._go_on(destination)

    def failures_of(self, name: str) -> int:
        """How often in a row a destination could not be reached."""
        return self._destinations[name].failures if name in self._destinations else 0

    async def undisturbed(self, change: Callable[[set[str]], Awaitable[T]]) -> T:
        """Make a change in the spool while nothing is taken from it, but for the messages under way.

        The change is called with the ids of those.
        """
        self._pauses += 1
        try:
            await DeferredList(list(self._questions))
            for destination in self._destinations.values():
                self._give_back(destination)
            return await change(
                {id_ for destination in self._destinations.values() for id_ in destination.busy}
            )
        finally:
            self._pauses -= 1
            self._next_in_line()

    async def stop(self) -> None:
        """Begin nothing more, and end what is under way: soon by itself, then without its answer."""
        self._is_open = False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        under_way = list(self._under_way)
        for each in under_way:
            each.addTimeout(GRACE_SECONDS, self._clock)
        await DeferredList(under_way, consumeErrors=True)

    # ------------------------------------------------------------------ one destination

    def _known(self, name: str) -> Destination:
        if name not in self._destinations:
            self._destinations[name] = Destination(name)
        return self._destinations[name]

    def _reached(self, destination: Destination) -> bool:
        """Does it not pause?"""
        return self._clock.seconds() >= destination.not_before

    def _go_on(self, destination: Destination) -> None:
        """Do for a destination what can be done now, and see to it that the rest is done in time."""
        if not self._is_open or destination.is_asked:
            return
        if not self._reached(destination):
            self._give_back(destination)
            self._wake_at(destination, destination.not_before)
            return
        while destination.ready and destination.may_begin:
            if not self._has_place(is_first=destination.is_fresh):
                self._line_up(destination)
                return
            self._begin(destination)
        if not destination.ready and destination.may_begin:
            self._look_for_more(destination)

    def _look_for_more(self, destination: Destination) -> None:
        """It has nothing ready."""
        now = self._now()
        if destination.next_due == NEVER:
            if destination.is_idle:
                self._destinations.pop(destination.name, None)
        elif destination.next_due > now:
            self._wake_at(destination, self._clock.seconds() + destination.next_due - now)
        elif self._pauses or not self._has_place(is_first=destination.is_fresh):
            self._line_up(destination)
        else:
            destination.is_asked = True
            destination.next_due = NEVER  # what becomes due from here on is another matter
            question = Deferred.fromCoroutine(self._fill(destination))
            if not question.called:
                self._questions.add(question)
                question.addBoth(lambda _: self._questions.discard(question))

    async def _fill(self, destination: Destination) -> None:
        """Take more of what is due into memory."""
        limit = 1 if destination.failures else 2 * destination.limit
        try:
            batch = await self._spool.due(destination.name, self._now(), limit, destination.busy)
            destination.next_due = min(destination.next_due, batch.next_due)
            destination.is_fresh = any(_is_first(item) for item in batch.items)
            self._make_ready(destination, batch.items)
        except Exception:
            log.failure("What waits for {name} cannot be read", name=destination.name)
            destination.next_due = self._now() + TROUBLE_SECONDS
        destination.is_asked = False
        self._go_on(destination)

    def _make_ready(self, destination: Destination, items: Sequence[QueueItem]) -> None:
        self._ready -= len(destination.ready)
        destination.add(items)
        self._ready += len(destination.ready)

    def _give_back(self, destination: Destination) -> None:
        """Leave to the spool what has not begun."""
        self._ready -= len(destination.ready)
        destination.forget_ready(self._now())

    # ------------------------------------------------------------------ places

    def _has_place(self, *, is_first: bool) -> bool:
        share = 1 if is_first else SHARE_FOR_RETRIES
        return len(self._under_way) + len(self._questions) < self.limits.deliveries * share

    def _line_up(self, destination: Destination) -> None:
        if not destination.is_in_line:
            destination.is_in_line = True
            (self._first if destination.is_fresh else self._others).append(destination)

    def _next_in_line(self) -> None:
        """There may be places: give them to those who wait, who have waited longest first."""
        for line, is_first in ((self._first, True), (self._others, False)):
            while line and not self._pauses and self._has_place(is_first=is_first):
                destination = line.popleft()
                destination.is_in_line = False
                self._go_on(destination)

    def _begin(self, destination: Destination) -> None:
        item = destination.take()
        self._ready -= 1
        destination.under_way += 1
        attempt: Deferred[Any] = Deferred.fromCoroutine(self._attempting.attempt(item))
        self._under_way.add(attempt)
        attempt.addBoth(self._ended, attempt, destination, item)

    def _ended(
        self, result: object, attempt: Deferred[Any], destination: Destination, item: QueueItem
    ) -> None:
        self._under_way.discard(attempt)
        destination.under_way -= 1
        if isinstance(result, Tried):
            destination.busy.discard(item.message.id)
            self._learn(destination, result)
            if item.is_part:
                destination.next_due = min(destination.next_due, self._now())
        elif self._is_open:
            # It stays busy: what became of it could not be kept, so it must not be tried again now.
            log.error("What became of {id} cannot be kept: {reason}", id=item.message.id, reason=result)
        self._go_on(destination)
        self._next_in_line()

    def _learn(self, destination: Destination, tried: Tried) -> None:
        now = self._clock.seconds()
        if not tried.is_unreachable:
            destination.has_answered(self.limits.deliveries_per_destination)
        elif destination.has_failed(now):
            destination.not_before = now + back_off(self._attempting.rules.schedule, destination.failures)
            destination.is_fresh = False
        if tried.next_due is not None:
            destination.next_due = min(destination.next_due, tried.next_due)

    # ------------------------------------------------------------------ time

    def _wake_at(self, destination: Destination, time: float) -> None:
        if self._clock.seconds() < destination.wake <= time + SOON_ENOUGH_SECONDS:
            return
        destination.wake = time
        heappush(self._alarms, (time, destination.name))
        self._set_timer()

    def _set_timer(self) -> None:
        time = self._alarms[0][0]
        if self._timer is not None and self._timer.active():
            if self._timer.getTime() <= time:
                return
            self._timer.cancel()
        self._timer = self._clock.callLater(max(0.0, time - self._clock.seconds()), self._ring)

    def _ring(self) -> None:
        """Go on with those whose time has come, some at a time."""
        now = self._clock.seconds()
        for _ in range(AT_ONCE):
            if not self._alarms or self._alarms[0][0] > now:
                break
            time, name = heappop(self._alarms)
            destination = self._destinations.get(name)
            if destination is not None and destination.wake == time:
                destination.wake = NEVER
                self._go_on(destination)
        if self._alarms and self._is_open:
            self._set_timer()


def _is_first(item: QueueItem) -> bool:
    """Is it tried for the first time?"""
    return not any(recipient.attempts for recipient in item.recipients)
