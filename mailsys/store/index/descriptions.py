"""Rows of messages: what was learned by reading them once, by their base names."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mailsys.interfaces import Column
from mailsys.message.structure.describe import Description

# Values in one statement.
BATCH = 500
# Of descriptions that are held until they are written; one more may come to it.
HELD_OCTETS = 1024 * 1024

_FIELDS = tuple(name.rstrip("_") for name in Description._fields)
_KEPT = ", ".join(f'"{name}"' for name in ("internal_date", *_FIELDS))
_MARKS = ", ".join("?" * (len(_FIELDS) + 3))
_INSERT = f"INSERT OR REPLACE INTO message (base, save_date, {_KEPT}) VALUES ({_MARKS})"  # noqa: S608
_COPY = f"""
    INSERT OR REPLACE INTO message (base, save_date, {_KEPT}) SELECT ?, ?, {_KEPT} FROM message WHERE base = ?
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Described:
    """A message and what it is like; dates are seconds since 1970."""

    base: str
    internal_date: float
    save_date: float | None
    description: Description

    @property
    def octets(self) -> int:
        """About what it takes in memory."""
        return sum(len(value) for value in self.description if isinstance(value, bytes | str))


def batches(described: Iterable[Described], count: int) -> Iterator[list[Described]]:
    """What comes, in lists of at most ``count`` that hold about HELD_OCTETS; takes only what it gives."""
    batch: list[Described] = []
    octets = 0
    for one in described:
        batch.append(one)
        octets += one.octets
        if len(batch) >= count or octets >= HELD_OCTETS:
            yield batch
            batch, octets = [], 0
    if batch:
        yield batch


def key(base: str) -> str:
    """The base name as the index has it: one that is not UTF-8 with its other octets escaped."""
    return base if base.isascii() else base.encode("utf-8", "backslashreplace").decode()


def columns_of(
    connection: sqlite3.Connection, bases: Sequence[str], wanted: Sequence[Column]
) -> dict[str, tuple[Any, ...]]:
    """The wanted columns of those messages that have a row."""
    names = ", ".join(f'"{column.value}"' for column in wanted)
    found: dict[str, tuple[Any, ...]] = {}
    for start in range(0, len(bases), BATCH):
        some = {key(base): base for base in bases[start : start + BATCH]}
        statement = f"SELECT base, {names} FROM message WHERE base IN ({','.join('?' * len(some))})"  # noqa: S608
        for base, *values in connection.execute(statement, tuple(some)):
            found[some[base]] = tuple(values)
    return found


def containing(connection: sqlite3.Connection, column: Column, needle: str) -> set[str]:
    """The keys of all messages of the account where a column of text has this."""
    statement = f'SELECT base FROM message WHERE instr("{column.value}", ?)'  # noqa: S608
    return {base for (base,) in connection.execute(statement, (needle,))}


def keys(connection: sqlite3.Connection) -> set[str]:
    """Those of all messages of the account that have a row."""
    return {base for (base,) in connection.execute("SELECT base FROM message")}


def value(described: Described, column: Column) -> Any:
    """One column, as ``columns_of`` would find it."""
    match column:
        case Column.INTERNAL_DATE:
            return described.internal_date
        case Column.SAVE_DATE:
            return described.save_date
        case Column.FROM:
            return described.description.from_
        case _:
            return getattr(described.description, column.value)


def insert(connection: sqlite3.Connection, described: Iterable[Described]) -> None:
    """Write rows; one that is there is replaced."""
    connection.executemany(
        _INSERT, [(key(one.base), one.save_date, one.internal_date, *one.description) for one in described]
    )


def copy(connection: sqlite3.Connection, copies: Iterable[tuple[str, str]], saved: float) -> None:
    """What is known of a message is known of its copy: each is the copy's base name and the message's."""
    connection.executemany(_COPY, [(key(new), saved, key(old)) for new, old in copies])


def moved(connection: sqlite3.Connection, bases: Iterable[str], saved: float) -> None:
    """They were saved in another folder at this time (RFC 8514)."""
    connection.executemany(
        "UPDATE message SET save_date = ? WHERE base = ?", [(saved, key(base)) for base in bases]
    )


def delete(connection: sqlite3.Connection, bases: Iterable[str]) -> None:
    """Forget messages."""
    connection.executemany("DELETE FROM message WHERE base = ?", [(key(base),) for base in bases])
