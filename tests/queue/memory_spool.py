"""A spool that keeps everything in memory: for tests of what uses one."""

import math
from dataclasses import dataclass, field, replace

from zope.interface import implementer

from mailsys.interfaces import (
    Batch,
    Changed,
    IQueueSpool,
    Progress,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
    RecipientState,
    Verb,
)

WAITING, HELD = RecipientState.WAITING, RecipientState.HELD


@dataclass
class Row:
    destination: str
    recipient: QueuedRecipient
    state: RecipientState
    ended: float = math.inf
    attempt: object = None


@dataclass
class Kept:
    message: QueuedMessage
    rows: list[Row] = field(default_factory=list)
    not_before: float = 0.0

    @property
    def finished(self):
        return max(row.ended for row in self.rows) if all(row.state.is_outcome for row in self.rows) else None


@implementer(IQueueSpool)
class MemorySpool:
    def __init__(self):
        self.kept = {}
        self.waiting_orders = []
        self.answers = {}  # by the order's number: for how many recipients it was done
        self._listener = lambda item: None

    def put(self, message, *, held="", not_before=0.0):
        """A message comes in."""
        state = HELD if held else WAITING
        message = replace(message, not_before=not_before)
        due = message.released
        rows = [
            Row(address.domain, QueuedRecipient(address, next_attempt=due, reason=held), state)
            for address in message.envelope.recipients
        ]
        self.kept[message.id] = Kept(message, rows, not_before)
        if not held:
            for destination in dict.fromkeys(row.destination for row in rows):
                self._listener(self._item(self.kept[message.id], destination, math.inf))

    def _item(self, kept, destination, now):
        waiting = [
            row.recipient for row in kept.rows if row.destination == destination and row.state is WAITING
        ]
        due = tuple([one for one in waiting if one.next_attempt <= now][:100])
        return QueueItem(kept.message, destination, due, len(due) < len(waiting))

    def _waiting(self):
        return [(kept, row) for kept in self.kept.values() for row in kept.rows if row.state is WAITING]

    def watch(self, listener):
        self._listener = listener

    async def destinations(self):
        found = {}
        for _, row in self._waiting():
            due = row.recipient.next_attempt
            found[row.destination] = min(due, found.get(row.destination, math.inf))
        return found

    async def due(self, destination, now, limit, busy):
        rows = sorted(
            (row.recipient.next_attempt, kept.message.id)
            for kept, row in self._waiting()
            if row.destination == destination and kept.message.id not in busy
        )
        found = list(dict.fromkeys(id_ for due, id_ in rows if due <= now))[:limit]
        rest = [due for due, id_ in rows if id_ not in found]
        items = [self._item(self.kept[id_], destination, now) for id_ in found]
        return Batch(tuple(items), min(rest, default=math.inf))

    async def aged(self, after, until, limit):
        found = sorted(
            (
                kept
                for kept in self.kept.values()
                if kept.finished is None and after < kept.message.released <= until
            ),
            key=lambda kept: kept.message.released,
        )
        items = [
            self._item(kept, destination, math.inf)
            for kept in found[:limit]
            for destination in dict.fromkeys(row.destination for row in kept.rows)
        ]
        return [item for item in items if item.recipients]

    async def record(self, message, progress, notices):
        kept = self.kept[message.id]
        for one in progress:
            for row in kept.rows:
                if row.recipient.address == one.recipient.address and not row.state.is_outcome:
                    row.recipient = replace(one.recipient, next_attempt=one.next_attempt, reason=one.reason)
                    row.state, row.attempt = one.state, one.attempt or row.attempt
                    row.ended = one.at if one.state.is_outcome else math.inf
        at = max((one.at for one in progress), default=message.at)
        for notice in notices:
            self.put(QueuedMessage(notice.envelope, at, notice.content))

    async def outcomes(self, seconds, limit):
        since = max((kept.finished or 0.0 for kept in self.kept.values()), default=0.0) - seconds
        return [
            (
                kept.message.id,
                Progress(row.recipient, row.state, row.ended, row.attempt, reason=row.recipient.reason),
            )
            for kept in self.kept.values()
            if kept.finished is not None and kept.finished >= since
            for row in kept.rows
        ][:limit]

    async def depth(self):
        return sum(kept.finished is None for kept in self.kept.values())

    async def orders(self):
        return [order for order in self.waiting_orders if order.number not in self.answers]

    async def carry_out(self, order, now, busy):
        sources = {Verb.RELEASE: {HELD}, Verb.REMOVE: {WAITING, HELD}}.get(order.verb, {WAITING})
        changed = []
        for kept in self.kept.values():
            for row in kept.rows:
                if kept.message.id in busy or row.state not in sources or not _matches(order, kept, row):
                    continue
                changed.append(Changed(kept.message.id, row.recipient.address, row.destination))
                _change(order.verb, row, now, kept.not_before)
        self.answers[order.number] = len(changed)
        return changed

    async def clamp(self, latest, now):
        late = [
            row
            for kept, row in self._waiting()
            if row.recipient.next_attempt > latest and kept.not_before <= latest
        ]
        for row in late:
            row.recipient = replace(row.recipient, next_attempt=now)
        return len(late)

    async def prune(self, before, limit):
        old = [id_ for id_, kept in self.kept.items() if (kept.finished or math.inf) < before][:limit]
        for id_ in old:
            del self.kept[id_]
        return len(old)


def _matches(order, kept, row):
    wanted, address, sender = order.selection, row.recipient.address, kept.message.envelope.reverse_path
    return (
        wanted.id in ("", kept.message.id)
        and wanted.address in ("", str(address), str(sender))
        and wanted.domain in ("", address.domain)
    )


def _change(verb, row, now, not_before):
    match verb:
        case Verb.RETRY:
            row.recipient = replace(row.recipient, next_attempt=now)
        case Verb.HOLD:
            row.state = HELD
        case Verb.RELEASE:
            row.state = WAITING
            row.recipient = replace(row.recipient, next_attempt=max(now, not_before), breakdowns=0)
        case Verb.REMOVE:
            row.state, row.ended = RecipientState.REMOVED, now
