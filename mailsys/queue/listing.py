"""What is in the queue, as people want to see it: read from the file, beside a server or without one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mailsys.interfaces import Selection
from mailsys.queue.orders import matching

_RECIPIENT = (
    "address, destination, state, attempts, next_attempt, last_attempt, remote, tls, said, reason,"
    " is_uncertain, ended"
)


@dataclass(frozen=True, slots=True)
class ListedRecipient:
    """A row of ``recipients``.  Times are seconds since 1970."""

    address: str
    destination: str
    state: str
    attempts: int
    next_attempt: float
    last_attempt: float
    remote: str
    tls: str
    said: str
    reason: str
    is_uncertain: int
    ended: float | None


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """A row of ``messages`` with its recipients.  ``sender`` is empty for notices.

    ``forwarded`` are those recipients who stand behind an address of ours, with that address.
    """

    id: str
    at: float
    sender: str
    octets: int
    not_before: float
    finished: float | None
    recipients: tuple[ListedRecipient, ...]
    forwarded: Mapping[str, str] = field(default_factory=dict)


def messages(
    connection: sqlite3.Connection, selections: Sequence[Selection], *, is_finished: bool, limit: int
) -> list[ListedMessage]:
    """Up to ``limit`` messages that match any selection, the oldest first; raises sqlite3.Error.

    One that is to leave later counts from then on.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for selection in selections or [Selection()]:
        for row in _messages(connection, selection, is_finished=is_finished, limit=limit):
            found[row[0]] = row
    oldest = sorted(found.values(), key=lambda row: (max(row[1], row[4]), row[0]))[:limit]
    return [_listed(connection, *row) for row in oldest]


def _messages(
    connection: sqlite3.Connection, selection: Selection, *, is_finished: bool, limit: int
) -> list[tuple[Any, ...]]:
    condition, values = matching(selection)
    if selection == Selection():
        where = ""
    elif selection == Selection(id=selection.id):
        where = "AND m.id = :id"
    else:
        where = f"AND EXISTS (SELECT 1 FROM recipients r WHERE r.message = m.id AND {condition})"  # noqa: S608
    return connection.execute(
        "SELECT m.id, m.at, m.sender, m.octets, m.not_before, m.finished, m.envelope FROM messages m"  # noqa: S608
        f" WHERE m.finished IS {'NOT NULL' if is_finished else 'NULL'} {where}"
        f" ORDER BY {'m.finished' if is_finished else 'max(m.at, m.not_before)'} LIMIT :limit",
        {**values, "limit": limit},
    ).fetchall()


def _recipients(connection: sqlite3.Connection, id_: str) -> tuple[ListedRecipient, ...]:
    rows = connection.execute(
        f"SELECT {_RECIPIENT} FROM recipients WHERE message = ? ORDER BY number",  # noqa: S608
        (id_,),
    )
    return tuple([ListedRecipient(*row) for row in rows])


def _listed(
    connection: sqlite3.Connection,
    id_: str,
    at: float,
    sender: str,
    octets: int,
    not_before: float,
    finished: float | None,
    envelope: str,
) -> ListedMessage:
    forwarded = json.loads(envelope).get("forwarded", {}) if '"forwarded"' in envelope else {}
    recipients = _recipients(connection, id_)
    return ListedMessage(id_, at, sender, octets, not_before, finished, recipients, forwarded)
