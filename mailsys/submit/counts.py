"""How much an account sent to other hosts within a day: rows of ``submission.sqlite3``.

Called in a transaction; each may raise sqlite3.Error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection

DAY_SECONDS = 86_400.0
HOUR_SECONDS = 3600.0
RECIPIENT_ROWS = 10_000  # of one account, those it wrote to last


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an account may send in a day, to other hosts, one copy a recipient; 0 is without limit.

    Beyond ``copies`` and ``new_recipients`` mail is held; beyond ``most`` copies none is taken.
    """

    copies: int
    new_recipients: int
    most: int


@dataclass(frozen=True, slots=True)
class Counted:
    """``over`` says in words which limit was passed; ``is_first`` that nobody was told of it today."""

    over: str = ""
    is_first: bool = False


def copies_within_a_day(connection: Connection, account: str, now: float) -> int:
    """How many were handed in, to the hour.

    What was counted far in the future, before the clock was set back, is not of today.
    """
    row = connection.execute(
        "SELECT sum(copies) FROM sent WHERE account = ? AND hour > ? AND hour <= ?",
        (account, _hour(now - DAY_SECONDS), _hour(now + HOUR_SECONDS)),
    ).fetchone()
    return int(row[0] or 0)


def add(
    connection: Connection, account: str, recipients: Sequence[str], allowance: Allowance, now: float
) -> Counted:
    """Count a message in, and say whether it is to be held; who is written to then stays new."""
    copies = copies_within_a_day(connection, account, now) + len(recipients)
    new = _new_within_a_day(connection, account, recipients, now)
    connection.execute(
        "DELETE FROM sent WHERE hour <= ? OR hour > ?", (_hour(now - DAY_SECONDS), _hour(now + DAY_SECONDS))
    )
    connection.execute(
        "INSERT INTO sent VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET copies = copies + excluded.copies",
        (account, _hour(now), len(recipients)),
    )
    if allowance.copies and copies > allowance.copies:
        over = f"{copies:,} messages within a day, and {allowance.copies:,} are let go at once"
    elif allowance.new_recipients and new > allowance.new_recipients:
        over = f"{new:,} new recipients within a day, and {allowance.new_recipients:,} are let go at once"
    else:
        _remember(connection, account, recipients, now)
        return Counted()
    return Counted(over, _is_first(connection, account, now))


def held_accounts(connection: Connection, now: float) -> list[str]:
    """Whose mail was held within a day."""
    rows = connection.execute(
        "SELECT account FROM held WHERE since > ? AND since <= ? ORDER BY since", _day_until(now)
    )
    return [account for (account,) in rows]


def _day_until(now: float) -> tuple[float, float]:
    """A clock that was set back a little has not begun another day."""
    return now - DAY_SECONDS, now + HOUR_SECONDS


def _hour(at: float) -> int:
    return int(at // HOUR_SECONDS)


def _new_within_a_day(connection: Connection, account: str, recipients: Sequence[str], now: float) -> int:
    known = "SELECT 1 FROM recipients WHERE account = ? AND address = ?"
    new = sum(not connection.execute(known, (account, address)).fetchone() for address in recipients)
    row = connection.execute(
        "SELECT count(*) FROM recipients WHERE account = ? AND first > ? AND first <= ?",
        (account, *_day_until(now)),
    ).fetchone()
    return int(row[0]) + new


def _remember(connection: Connection, account: str, recipients: Sequence[str], now: float) -> None:
    connection.executemany(
        "INSERT INTO recipients VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO UPDATE SET last = excluded.last",
        [(account, address, now) for address in recipients],
    )
    connection.execute(
        "DELETE FROM recipients WHERE account = ?1 AND last < (SELECT last FROM recipients"
        " WHERE account = ?1 ORDER BY last DESC LIMIT 1 OFFSET ?2)",
        (account, RECIPIENT_ROWS - 1),
    )


def _is_first(connection: Connection, account: str, now: float) -> bool:
    row = connection.execute("SELECT since FROM held WHERE account = ?", (account,)).fetchone()
    begin, end = _day_until(now)
    if row is not None and begin < row[0] <= end:
        return False
    connection.execute("DELETE FROM held WHERE since <= ? OR since > ?", (begin, end))
    connection.execute("INSERT INTO held VALUES (?, ?)", (account, now))
    return True
