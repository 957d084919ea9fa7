"""Orders of people who run the host: retry, hold, release, remove what a selection matches.

Beside a running server an order waits in a table until the server does it; without one it is done at once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from mailsys.interfaces import Changed, Order, RecipientState, Selection, Verb
from mailsys.message.envelope_json import read_address
from mailsys.queue import rows

AT_ONCE = 500  # recipients changed in one transaction
HELD_BY_ORDER = "held by order"

_FROM: dict[Verb, tuple[RecipientState, ...]] = {
    Verb.RETRY: (RecipientState.WAITING,),
    Verb.HOLD: (RecipientState.WAITING,),
    Verb.RELEASE: (RecipientState.HELD,),
    Verb.REMOVE: (RecipientState.WAITING, RecipientState.HELD),
}
_CHANGE: dict[Verb, str] = {
    Verb.RETRY: "next_attempt = :now",
    Verb.HOLD: f"state = 'held', reason = '{HELD_BY_ORDER}'",
    Verb.RELEASE: (
        "state = 'waiting', breakdowns = 0, reason = '', next_attempt = max(:now,"
        " (SELECT not_before FROM messages WHERE id = message))"
    ),
    Verb.REMOVE: "state = 'removed', next_attempt = 0, ended = :now, reason = 'removed by order'",
}

Place = tuple[str, int]  # message and number of a recipient
BEGINNING: Place = ("", 0)


@dataclass(frozen=True, slots=True)
class Slice:
    """What one transaction changed; where the next begins, or None; which messages are finished by it."""

    changed: Sequence[Changed]
    go_on: Place | None
    finished: Sequence[str]


def give(connection: sqlite3.Connection, verb: Verb, selection: Selection, now: float) -> int:
    """Leave an order for the server; returns its number."""
    cursor = connection.execute(
        "INSERT INTO orders (at, verb, selection) VALUES (?, ?, ?)",
        (now, verb.value, json.dumps(asdict(selection))),
    )
    return int(cursor.lastrowid or 0)


def answer_to(connection: sqlite3.Connection, number: int) -> int | None:
    """For how many recipients it was done; None when it was not yet."""
    row = connection.execute("SELECT answer FROM orders WHERE number = ?", (number,)).fetchone()
    return row[0] if row is not None else None


def withdraw(connection: sqlite3.Connection, number: int) -> None:
    """Take an order back that nobody has done."""
    connection.execute("DELETE FROM orders WHERE number = ? AND answer IS NULL", (number,))


def waiting(connection: sqlite3.Connection) -> list[Order]:
    """What nobody has done yet."""
    found = connection.execute("SELECT number, verb, selection FROM orders WHERE answer IS NULL").fetchall()
    return [Order(Verb(verb), Selection(**json.loads(text)), number) for number, verb, text in found]


def answer(connection: sqlite3.Connection, number: int, count: int) -> None:
    """Say for how many recipients it was done."""
    connection.execute("UPDATE orders SET answer = ? WHERE number = ?", (count, number))


def carry_out(
    connection: sqlite3.Connection, order: Order, now: float, busy: Collection[str], place: Place
) -> Slice:
    """Do it for the next recipients after ``place``."""
    found = _select(connection, order, busy, place)
    connection.executemany(
        f"UPDATE recipients SET {_CHANGE[order.verb]} WHERE message = :message AND number = :number",  # noqa: S608
        [{"now": now, "message": message, "number": number} for message, number, _, _ in found],
    )
    messages = list(dict.fromkeys(message for message, _, _, _ in found))
    finished = [id_ for id_ in messages if rows.finish(connection, id_, now)]
    changed = [Changed(id_, read_address(address), destination) for id_, _, address, destination in found]
    go_on = (found[-1][0], found[-1][1]) if len(found) == AT_ONCE else None
    return Slice(changed, go_on, finished)


def _select(
    connection: sqlite3.Connection, order: Order, busy: Collection[str], place: Place
) -> list[tuple[str, int, str, str]]:
    states = ", ".join(f"'{state.value}'" for state in _FROM[order.verb])
    where, values = matching(order.selection)
    return connection.execute(
        "SELECT r.message, r.number, r.address, r.destination"  # noqa: S608
        " FROM recipients r JOIN messages m ON m.id = r.message"
        " WHERE (r.message, r.number) > (:after_message, :after_number)"
        f" AND m.finished IS NULL AND r.state IN ({states})"
        f" AND r.message NOT IN (SELECT value FROM json_each(:busy)) AND {where}"
        f" ORDER BY r.message, r.number LIMIT {AT_ONCE}",
        {"after_message": place[0], "after_number": place[1], "busy": json.dumps(list(busy)), **values},
    ).fetchall()


def matching(selection: Selection) -> tuple[str, dict[str, str]]:
    """A condition on ``messages m`` and ``recipients r``, and its values."""
    conditions, values = ["1"], asdict(selection)
    if selection.id:
        conditions.append("m.id = :id")
    if selection.address:
        conditions.append("(r.address = :address COLLATE NOCASE OR m.sender = :address COLLATE NOCASE)")
    if selection.domain:
        conditions.append("substr(r.address, -length(:domain) - 1) = '@' || :domain")
    return " AND ".join(conditions), values
