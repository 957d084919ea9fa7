"""Rows of the queue: put in, found when they are due, and changed by what became of them.

Each function is one change or question for :class:`~mailsys.queue.database.QueueDatabase`.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mailsys.interfaces import (
    Attempt,
    Batch,
    Progress,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
    RecipientState,
)
from mailsys.message import envelope_json
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.envelope_json import read_address, written
from mailsys.message.outcome import Delivered, Failed, Step
from mailsys.message.reply import Reply

RECIPIENTS_AT_ONCE = 100  # of one message, for one attempt
WORDS_CHARACTERS = 1000
_as_json = json.JSONEncoder(separators=(",", ":")).encode

OpenContent = Callable[[str, int], Content]
DestinationOf = Callable[[Address], str]

_ITEM_COLUMNS = (
    "r.message, r.destination, r.address, r.attempts, r.breakdowns, r.is_delay_told, r.next_attempt, r.reason"
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message as it is put in: all its recipients wait, or are held with the reason in ``held``.

    Those who are ``free`` wait in any case.
    """

    envelope: Envelope
    at: float
    octets: int
    not_before: float = 0.0
    held: str = ""
    free: tuple[Address, ...] = ()


def add(connection: sqlite3.Connection, arrivals: Sequence[Arrival], destination_of: DestinationOf) -> None:
    """Put messages in; those that are there, or were, stay as they are."""
    for arrival in arrivals:
        envelope = arrival.envelope
        sender = written(envelope.reverse_path) if envelope.reverse_path else ""
        description = _as_json(envelope_json.describe(envelope))
        row = envelope.id, arrival.at, sender, arrival.octets, arrival.not_before, description
        statement = "INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?, ?, NULL)"
        if not connection.execute(statement, row).rowcount:
            continue
        connection.executemany(
            "INSERT INTO recipients (message, number, address, destination, state, next_attempt, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            _new_recipients(arrival, destination_of),
        )


def _new_recipients(arrival: Arrival, destination_of: DestinationOf) -> Iterator[tuple[object, ...]]:
    due = max(arrival.at, arrival.not_before)
    for number, address in enumerate(arrival.envelope.recipients, 1):
        reason = "" if address in arrival.free else arrival.held
        state = RecipientState.HELD if reason else RecipientState.WAITING
        yield (
            arrival.envelope.id,
            number,
            written(address),
            destination_of(address),
            state.value,
            due,
            reason,
        )


def is_known(connection: sqlite3.Connection, id_: str) -> bool | None:
    """Is the message unfinished?  None when there is no such message."""
    row = connection.execute("SELECT finished IS NULL FROM messages WHERE id = ?", (id_,)).fetchone()
    return None if row is None else bool(row[0])


def missing(connection: sqlite3.Connection, ids: Collection[str]) -> list[str]:
    """Those of the ids for which there is no message, finished or not."""
    rows = connection.execute(
        "SELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM messages WHERE id = value)",
        (_as_json(list(ids)),),
    )
    return [row[0] for row in rows]


def unneeded(connection: sqlite3.Connection, names: Collection[str]) -> list[str]:
    """Those of the names that no unfinished message has."""
    rows = connection.execute(
        "SELECT value FROM json_each(?) WHERE NOT EXISTS"
        " (SELECT 1 FROM messages WHERE id = value AND finished IS NULL)",
        (_as_json(list(names)),),
    )
    return [row[0] for row in rows]


def depth(connection: sqlite3.Connection) -> int:
    """How many messages are not finished."""
    row = connection.execute("SELECT count(*) FROM messages WHERE finished IS NULL").fetchone()
    return int(row[0])


def destinations(connection: sqlite3.Connection) -> dict[str, float]:
    """Where somebody waits, and when the first of them is due."""
    return dict(
        connection.execute(
            "SELECT destination, min(next_attempt) FROM recipients WHERE state = 'waiting'"
            " GROUP BY destination"
        )
    )


def due(
    connection: sqlite3.Connection,
    open_content: OpenContent,
    destination: str,
    now: float,
    limit: int,
    busy: Collection[str],
) -> Batch:
    """The first messages that are due, without busy ones; and when the next is."""
    found: dict[str, None] = {}
    next_due = math.inf
    # In the order of the index, so no more rows are looked at than are needed.
    rows = connection.execute(
        "SELECT message, next_attempt FROM recipients"
        " WHERE destination = ? AND state = 'waiting' ORDER BY next_attempt",
        (destination,),
    )
    for message, next_attempt in rows:
        if message in busy or message in found:
            continue
        if next_attempt > now or len(found) == limit:
            next_due = next_attempt
            break
        found[message] = None
    rows.close()
    items = [_item(connection, open_content, message, destination, now) for message in found]
    return Batch(tuple(items), next_due)


def _item(
    connection: sqlite3.Connection, open_content: OpenContent, message: str, destination: str, now: float
) -> QueueItem:
    rows = connection.execute(
        f"SELECT {_ITEM_COLUMNS} FROM recipients r WHERE message = ? AND destination = ?"  # noqa: S608
        " AND state = 'waiting' ORDER BY number",
        (message, destination),
    ).fetchall()
    (item,) = _items(connection, open_content, rows)
    due = [recipient for recipient in item.recipients if recipient.next_attempt <= now]
    chosen = tuple(due[:RECIPIENTS_AT_ONCE])
    return replace(item, recipients=chosen, is_part=len(chosen) < len(rows))


def aged(
    connection: sqlite3.Connection, open_content: OpenContent, after: float, until: float, limit: int
) -> list[QueueItem]:
    """Messages of this age with somebody waiting, the first released first."""
    ids = connection.execute(
        "SELECT id FROM messages WHERE finished IS NULL AND max(at, not_before) > ?"
        " AND max(at, not_before) <= ? ORDER BY max(at, not_before) LIMIT ?",
        (after, until, limit),
    ).fetchall()
    items: list[QueueItem] = []
    for (id_,) in ids:
        rows = connection.execute(
            f"SELECT {_ITEM_COLUMNS} FROM recipients r WHERE message = ? AND state = 'waiting'"  # noqa: S608
            " ORDER BY destination, number",
            (id_,),
        ).fetchall()
        items += _items(connection, open_content, rows)
    return items


def _items(
    connection: sqlite3.Connection, open_content: OpenContent, rows: Sequence[tuple[Any, ...]]
) -> Iterator[QueueItem]:
    """Rows of one message, ordered by destination, as items."""
    by_destination: dict[str, list[QueuedRecipient]] = {}
    for _id, destination, address, attempts, breakdowns, is_delay_told, next_attempt, reason in rows:
        by_destination.setdefault(destination, []).append(
            QueuedRecipient(
                read_address(address), attempts, breakdowns, bool(is_delay_told), next_attempt, reason
            )
        )
    if rows:
        message = read_message(connection, open_content, rows[0][0])
        for destination, recipients in by_destination.items():
            yield QueueItem(message, destination, tuple(recipients))


def read_message(connection: sqlite3.Connection, open_content: OpenContent, id_: str) -> QueuedMessage:
    """A message that is there."""
    at, octets, not_before, described = connection.execute(
        "SELECT at, octets, not_before, envelope FROM messages WHERE id = ?", (id_,)
    ).fetchone()
    envelope = envelope_json.read(json.loads(described))
    return QueuedMessage(envelope, at, open_content(id_, octets), not_before)


def record(connection: sqlite3.Connection, id_: str, progress: Sequence[Progress]) -> bool:
    """Keep what became of recipients that have no outcome yet; is the message finished with that?"""
    for one in progress:
        columns = _state(one) | (_last_attempt(one.attempt, one.at) if one.attempt is not None else {})
        changes = ", ".join(f"{column} = ?" for column in columns)
        connection.execute(
            f"UPDATE recipients SET {changes}"  # noqa: S608 - our own names of columns
            " WHERE message = ? AND address = ? AND state IN ('waiting', 'held')",
            (*columns.values(), id_, written(one.recipient.address)),
        )
    return finish(connection, id_, max((one.at for one in progress), default=0.0))


def finish(connection: sqlite3.Connection, id_: str, at: float) -> bool:
    """Mark a message as finished if nobody waits or is held any more."""
    return bool(
        connection.execute(
            "UPDATE messages SET finished = ? WHERE id = ? AND finished IS NULL AND NOT EXISTS"
            " (SELECT 1 FROM recipients WHERE message = id AND state IN ('waiting', 'held'))",
            (at, id_),
        ).rowcount
    )


def _state(progress: Progress) -> dict[str, object]:
    recipient = progress.recipient
    return {
        "state": progress.state.value,
        "attempts": recipient.attempts,
        "breakdowns": recipient.breakdowns,
        "next_attempt": progress.next_attempt,
        "reason": progress.reason[:WORDS_CHARACTERS],
        "is_delay_told": recipient.is_delay_told,
        "ended": progress.at if progress.state.is_outcome else None,
    }


def _last_attempt(attempt: Attempt, at: float) -> dict[str, object]:
    columns: dict[str, object] = {
        "last_attempt": at,
        "remote": attempt.remote,
        "tls": attempt.tls,
        "said": attempt.said[:WORDS_CHARACTERS],
    }
    if attempt.is_uncertain:
        columns["is_uncertain"] = True
    return columns


def outcomes(connection: sqlite3.Connection, seconds: float, limit: int) -> list[tuple[str, Progress]]:
    """Of messages that were finished in the last seconds before the newest one."""
    rows = connection.execute(
        "SELECT r.message, r.address, r.state, r.attempts, r.ended, r.remote, r.tls, r.said, r.reason"
        " FROM messages m JOIN recipients r ON r.message = m.id"
        " WHERE m.finished >= (SELECT max(finished) FROM messages) - ? AND r.ended IS NOT NULL"
        " ORDER BY m.finished DESC LIMIT ?",
        (seconds, limit),
    )
    return [(row[0], _outcome(*row[1:])) for row in rows]


def _outcome(
    address: str, state: str, attempts: int, ended: float, remote: str, tls: str, said: str, reason: str
) -> Progress:
    """As it was recorded, as far as the story needs it."""
    recipient = QueuedRecipient(read_address(address), attempts)
    outcome = Delivered(said) if state == "delivered" else Failed(Reply(554, "5.0.0", reason))
    attempt = Attempt(outcome, Step.MESSAGE, remote, tls, said) if remote else None
    return Progress(recipient, RecipientState(state), ended, attempt, reason=reason)


def clamp(connection: sqlite3.Connection, latest: float, now: float) -> int:
    """Make due what would wait beyond ``latest``, unless its sender wanted it so."""
    return connection.execute(
        "UPDATE recipients SET next_attempt = ? WHERE state = 'waiting' AND next_attempt > ?"
        " AND NOT EXISTS (SELECT 1 FROM messages WHERE id = message AND not_before > ?)",
        (now, latest, latest),
    ).rowcount


def prune(connection: sqlite3.Connection, before: float, limit: int) -> int:
    """Forget messages that were finished before, the oldest first, and orders that were answered."""
    ids = connection.execute(
        "SELECT id FROM messages WHERE finished < ? ORDER BY finished LIMIT ?", (before, limit)
    ).fetchall()
    connection.executemany("DELETE FROM recipients WHERE message = ?", ids)
    connection.executemany("DELETE FROM messages WHERE id = ?", ids)
    connection.execute("DELETE FROM orders WHERE answer IS NOT NULL AND at < ?", (before,))
    return len(ids)
