"""The queue on the disk: rows in ``queue.sqlite3``, contents in ``queue/content``.

A message that comes in is the intake log's until it is settled here; what became of its recipients is
synced before anybody acts on it.  ``docs/queue.rst`` argues why nothing is lost.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooSlow
from typing import Any, TypeVar, cast

from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import (
    Batch,
    Changed,
    IQueueDrop,
    IQueueSpool,
    Notice,
    Order,
    Progress,
    QueueAction,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
)
from mailsys.interfaces.queue import Listener
from mailsys.message.content import Content
from mailsys.queue import orders as ordered
from mailsys.queue import rows
from mailsys.queue.answers import Answers
from mailsys.queue.contents import Contents
from mailsys.queue.database import Change
from mailsys.queue.rows import Arrival, DestinationOf
from mailsys.queue.writer import Work, Writer, nothing

T = TypeVar("T")
_NAMES_AT_ONCE = 500
WAIT_SECONDS = 60.0  # a disk that takes longer counts as one that does not take it

log = Logger(namespace="mailsys.queue")


@implementer(IQueueSpool, IQueueDrop)
class Spool:
    """``destination_of`` says whose limits count; ``call_in_reactor`` runs a function in that thread.

    ``hurry`` lets the writer go on with outcomes, which come several in a turn of the reactor.
    """

    def __init__(
        self,
        contents: Contents,
        writer: Writer,
        destination_of: DestinationOf,
        call_in_reactor: Callable[..., Any],
        hurry: Callable[[], None] = nothing,
    ) -> None:
        self._contents = contents
        self._writer = writer
        self.destination_of = destination_of
        self._call_in_reactor = call_in_reactor
        self._answers = Answers(call_in_reactor)
        self._unsettled: dict[str, QueueAction] = {}  # laid by this process; the intake log still has them
        self._hurry = hurry
        self._listener: Listener | None = None

    def prepare(self) -> None:
        """Make folders and tables.  From a worker thread, before the intake's replay; raises OSError."""
        self._contents.make_folders()
        self._wait(lambda _: None)

    def tidy(self, names: Sequence[str]) -> None:
        """Remove those contents that nobody needs.  From a worker thread; raises OSError.

        The names were read after the replay and before anything new came in: each has its row by now, but
        for those whose row was not possible.  They stay until they are settled.
        """
        for start in range(0, len(names), _NAMES_AT_ONCE):
            some = names[start : start + _NAMES_AT_ONCE]
            for name in self._wait(lambda connection, some=some: rows.unneeded(connection, some)):
                if name not in self._unsettled:
                    self._contents.remove(name)

    # ------------------------------------------------------------------ as intake sees it

    def write(self, action: QueueAction, content: Content) -> None:
        """Take the content with our header lines, into memory if it is small, or into ``queue/tmp``."""
        self._contents.write(action.name, action.head, content)

    def lay(self, action: QueueAction) -> None:
        """Put it in its place; its rows follow in a moment, before anything else is done to it."""
        self._unsettled[action.name] = action
        self._contents.lay(action.name)
        arrivals = [_as_arrival(action)]
        done = self._submit(lambda connection: self._add(connection, arrivals), is_owed=True, may_wait=True)
        if done.done():
            done.result()

    def discard(self, action: QueueAction) -> None:
        """Remove what was written."""
        self._contents.discard(action.name)

    def is_written(self, action: QueueAction) -> bool:
        """Is the whole content in ``queue/tmp``?"""
        return self._contents.written_octets(action.name) == action.octets

    def is_kept(self, action: QueueAction) -> bool:
        """Is there a row, and the content if somebody waits for it?"""
        is_unfinished = self._is_unfinished(action)
        return is_unfinished is False or (
            is_unfinished is True and self._contents.octets(action.name) == action.octets
        )

    def laid_octets(self, action: QueueAction) -> int | None:
        """None without a row.  A finished message counts as whole, though its content has gone."""
        is_unfinished = self._is_unfinished(action)
        if is_unfinished is None:
            return None
        return self._contents.octets(action.name) or 0 if is_unfinished else sys.maxsize

    def remove_short(self, action: QueueAction, octets: int) -> None:
        """Laying replaces what is there; until then it must not be taken for lost."""
        self._contents.owe(action.name)

    def replace(self, action: QueueAction) -> None:
        """Move the written content over the laid one; a finished message needs none."""
        if self._is_unfinished(action):
            self._contents.lay(action.name)
        else:
            self._contents.discard(action.name)

    def settle(self, actions: Sequence[QueueAction]) -> Sequence[QueueAction]:
        """Sync contents and rows, each with one sync for all; what has no row gets it now, or fails."""
        names = [action.name for action in actions]
        try:
            self._contents.sync(names)
            missing = set(self._wait(lambda connection: rows.missing(connection, names), is_durable=True))
        except OSError:
            log.failure("{count} messages of the queue could not be synced", count=len(actions))
            return actions
        failed = [action for action in actions if action.name in missing and not self._has_row_now(action)]
        for name in set(names) - {action.name for action in failed}:
            self._unsettled.pop(name, None)
        return failed

    def _has_row_now(self, action: QueueAction) -> bool:
        """Put it in once more, alone; one without a content is finished, and was forgotten already."""
        try:
            octets = self._contents.octets(action.name)
            if octets is None:
                return True
            if octets != action.octets:
                raise OSError(f"its content has {octets} octets instead of {action.octets}")
            self._wait(lambda connection: self._add(connection, [_as_arrival(action)]), is_durable=True)
        except OSError:
            log.failure("{id} has no row in the queue, and stays in the log of the intake", id=action.name)
            return False
        self._call_in_reactor(self.announce, action)
        return True

    def announce(self, action: QueueAction) -> None:
        """Tell the runner of those who are not held."""
        if self._listener is None:
            return
        content = self._contents.open(action.name, action.octets)
        message = QueuedMessage(action.envelope, action.at, content, action.not_before)
        by_destination: dict[str, list[QueuedRecipient]] = {}
        for address in action.free if action.held else action.envelope.recipients:
            by_destination.setdefault(self.destination_of(address), []).append(
                QueuedRecipient(address, next_attempt=message.released)
            )
        for destination, recipients in by_destination.items():
            first = tuple(recipients[: rows.RECIPIENTS_AT_ONCE])
            self._listener(QueueItem(message, destination, first, len(first) < len(recipients)))

    def _is_unfinished(self, action: QueueAction) -> bool | None:
        return self._wait(lambda connection: rows.is_known(connection, action.name))

    def _without_row(self, connection: sqlite3.Connection, id_: str) -> list[Arrival]:
        """The message, if its row was not possible so far: an outcome needs one, or it would come again."""
        action = self._unsettled.get(id_)
        return [_as_arrival(action)] if action is not None and rows.is_known(connection, id_) is None else []

    def _add(self, connection: sqlite3.Connection, arrivals: Sequence[Arrival]) -> None:
        rows.add(connection, arrivals, self.destination_of)

    # ------------------------------------------------------------------ as the runner sees it

    def watch(self, listener: Listener) -> None:
        """Call the listener with what comes in."""
        self._listener = listener

    async def destinations(self) -> Mapping[str, float]:
        """Where somebody waits, and when the first of them is due."""
        return await self._ask(rows.destinations)

    async def due(self, destination: str, now: float, limit: int, busy: Collection[str]) -> Batch:
        """Messages that are due."""
        busy = frozenset(busy)
        return await self._ask(
            lambda connection: rows.due(connection, self._contents.open, destination, now, limit, busy)
        )

    async def aged(self, after: float, until: float, limit: int) -> Sequence[QueueItem]:
        """Messages of an age."""
        return await self._ask(
            lambda connection: rows.aged(connection, self._contents.open, after, until, limit)
        )

    async def record(
        self, message: QueuedMessage, progress: Sequence[Progress], notices: Sequence[Notice]
    ) -> None:
        """Keep what became of recipients, with the notices about it, and sync both."""
        at = max((one.at for one in progress), default=message.at)
        arrivals = [Arrival(notice.envelope, at, notice.content.size) for notice in notices]

        def before() -> None:
            for notice in notices:
                self._contents.write_durably(notice.envelope.id, notice.content)

        def change(connection: sqlite3.Connection) -> bool:
            self._add(connection, [*self._without_row(connection, message.id), *arrivals])
            return rows.record(connection, message.id, progress)

        def after(is_finished: bool) -> None:
            if is_finished:
                self._contents.remove(message.id)

        work = Work(change, is_durable=True, is_owed=True, may_wait=True, before=before, after=after)
        recorded = self._answers.of(self._writer.submit(work))
        self._hurry()
        await recorded
        for arrival in arrivals:
            self.announce(_as_action(arrival))

    async def outcomes(self, seconds: float, limit: int) -> Sequence[tuple[str, Progress]]:
        """The newest outcomes."""
        return await self._ask(lambda connection: rows.outcomes(connection, seconds, limit))

    async def depth(self) -> int:
        """How many messages are not finished."""
        return await self._ask(rows.depth)

    async def orders(self) -> Sequence[Order]:
        """What other programs have asked for."""
        return await self._ask(ordered.waiting)

    async def carry_out(self, order: Order, now: float, busy: Collection[str]) -> Sequence[Changed]:
        """Do it in slices, so that nothing else waits long."""
        busy, changed = frozenset(busy), list[Changed]()
        place: ordered.Place | None = ordered.BEGINNING
        while place is not None:
            piece = await self._carry_out(order, now, busy, place)
            changed += piece.changed
            place = piece.go_on
        if order.number:
            await self._change(lambda connection: ordered.answer(connection, order.number, len(changed)))
        return changed

    async def _carry_out(
        self, order: Order, now: float, busy: Collection[str], place: ordered.Place
    ) -> ordered.Slice:
        def after(piece: ordered.Slice) -> None:
            for id_ in piece.finished:
                self._contents.remove(id_)

        return await self._change(
            lambda connection: ordered.carry_out(connection, order, now, busy, place), after
        )

    async def clamp(self, latest: float, now: float) -> int:
        """Make due what would wait beyond ``latest``."""
        return await self._change(lambda connection: rows.clamp(connection, latest, now))

    async def prune(self, before: float, limit: int) -> int:
        """Forget what was finished long ago."""
        return await self._ask(lambda connection: rows.prune(connection, before, limit))

    # ------------------------------------------------------------------ the writer

    def _submit(self, change: Change, **options: Any) -> Future[Any]:
        return self._writer.submit(Work(change, **options))

    def _wait(self, change: Callable[..., T], **options: Any) -> T:
        """Do it and wait, in a worker thread; raises OSError."""
        try:
            return cast(T, self._submit(change, **options).result(WAIT_SECONDS))
        except TooSlow:
            raise OSError(f"the queue was not written within {WAIT_SECONDS:.0f} seconds") from None

    async def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        return cast(T, await self._answers.of(self._submit(question)))

    async def _change(
        self, change: Callable[[sqlite3.Connection], T], after: Callable[[T], None] = lambda _: None
    ) -> T:
        return cast(T, await self._answers.of(self._submit(change, is_durable=True, after=after)))


def _as_arrival(action: QueueAction) -> Arrival:
    return Arrival(action.envelope, action.at, action.octets, action.not_before, action.held, action.free)


def _as_action(arrival: Arrival) -> QueueAction:
    return QueueAction(arrival.envelope, arrival.at, b"", arrival.octets)
