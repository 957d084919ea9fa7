"""The file ``journal.sqlite3``: its schema, and how rows get in, out of the way, and to the disk.

``events`` holds what happened, as JSON; ``names`` leads from an address or a Message-ID to the ids of its
stories; ``clues`` has what else they are found by.  ``docs/journal.rst`` describes all for people with
``sqlite3`` at hand.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from mailsys.disk import make_private
from mailsys.interfaces import JournalEvent
from mailsys.journal.clues import clue_of
from mailsys.journal.names import names_of
from mailsys.journal.printable import printable

Connect = Callable[..., sqlite3.Connection]

# Ids begin with the time, so new events go to the end of the table, and a story lies together.
SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id TEXT NOT NULL,      -- of a message or a connection
    key TEXT NOT NULL,     -- which of its events
    at REAL NOT NULL,      -- seconds since 1970, UTC
    facts TEXT NOT NULL,   -- a JSON object
    PRIMARY KEY (id, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_time ON events (at);
CREATE TABLE IF NOT EXISTS names (
    name TEXT NOT NULL,    -- an address or Message-ID, folded
    id TEXT NOT NULL,
    PRIMARY KEY (name, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clues (
    id TEXT NOT NULL,
    key TEXT NOT NULL,     -- of the event that it is of
    client TEXT NOT NULL,  -- an IP address
    domains TEXT NOT NULL, -- of all addresses, with a space around each
    subject TEXT NOT NULL, -- without case and accents
    PRIMARY KEY (id, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unindexed (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id TEXT NOT NULL,      -- events before this one came from a version without clues
    key TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS durable (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    until REAL NOT NULL    -- events recorded before this moment are on the disk
) WITHOUT ROWID;
"""
VERSION = 1  # 0 had no clues
BUSY_SECONDS = 5
# What tells of no message that we took.
NOISE = frozenset({"refused", "repeated", "login", "mailbox read", "folders used"})
_AFTER_ALL_IDS = "\U0010ffff"
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

# One statement for many rows: between statements the thread must wait for Python's global lock, and
# a thousand rows one by one would cost more in waiting than in work (measured: four times).
_ROWS_A_STATEMENT = 100


class JournalDatabase:
    """Writes the file.  Every method may raise sqlite3.Error or OSError, and waits for the disk.

    Opened at the first use.  After an error call ``close``; the next use opens it again.  Used by one
    thread at a time.
    """

    def __init__(self, path: str, connect: Connect = sqlite3.connect) -> None:
        self._path = path
        self._connect = connect
        self._connection: sqlite3.Connection | None = None

    def write(self, events: Sequence[JournalEvent]) -> None:
        """Commit the events; those that are there already stay as they are.  Nothing is synced."""
        names = {(name, printable(event.id)) for event in events for name in names_of(event.facts)}
        with _Transaction(self._opened()) as connection:
            _insert(connection, "events", 4, [_row(event) for event in events])
            _insert(connection, "names", 2, sorted(names))
            _insert(connection, "clues", 5, _clues((event.id, event.key, event.facts) for event in events))

    def index_older(self, limit: int) -> int:
        """Write the clues of up to ``limit`` events of an older version, newest first; return how many."""
        connection = self._opened()
        before = connection.execute("SELECT id, key FROM unindexed").fetchone()
        if before is None:
            return 0
        rows = connection.execute(
            "SELECT id, key, facts FROM events WHERE (id, key) < (?, ?) ORDER BY id DESC, key DESC LIMIT ?",
            (*before, limit),
        ).fetchall()
        with _Transaction(connection):
            _insert(connection, "clues", 5, _clues((id_, key, read_facts(facts)) for id_, key, facts in rows))
            if rows:
                connection.execute("UPDATE unindexed SET id = ?, key = ?", rows[-1][:2])
            else:
                connection.execute("DELETE FROM unindexed")
        return len(rows)

    def sync(self, now: float) -> None:
        """Return when all that was written is on the disk.

        A commit at the level FULL syncs the log with all earlier commits in it, but only when there is
        something to commit: the moment is.
        """
        connection = self._opened()
        connection.execute("PRAGMA synchronous = FULL")
        try:
            connection.execute("INSERT OR REPLACE INTO durable VALUES (1, ?)", (now,))
        finally:
            connection.execute("PRAGMA synchronous = NORMAL")

    def count(self, events: Sequence[JournalEvent]) -> None:
        """Commit events that take the place of earlier ones with the same id and key."""
        with _Transaction(self._opened()) as connection:
            _insert(connection, "events", 4, [_row(event) for event in events], instead="REPLACE")

    def prune(self, before: float, limit: int) -> int:
        """Forget up to ``limit`` events older than ``before``, the oldest first; return how many."""
        rows = self._oldest(-math.inf, before, limit)
        self._forget(rows)
        return len(rows)

    def prune_noise(self, after: float, before: float, limit: int) -> float | None:
        """Of the next ``limit`` events in this time forget those that tell of no message.

        Returns when the last of them was, None when there are no more.
        """
        rows = self._oldest(after, before, limit)
        self._forget([row for row in rows if read_facts(row[3]).get("event") in NOISE])
        return rows[-1][2] if rows else None

    def octets(self) -> int:
        """How much of the file is in use."""
        connection = self._opened()
        pages, free, octets = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * octets

    def _oldest(self, after: float, before: float, limit: int) -> list[tuple[str, str, float, str]]:
        statement = "SELECT id, key, at, facts FROM events WHERE at > ? AND at < ? ORDER BY at LIMIT ?"
        return self._opened().execute(statement, (after, before, limit)).fetchall()

    def _forget(self, rows: Sequence[tuple[str, str, float, str]]) -> None:
        names = {(name, id_) for id_, _key, _at, facts in rows for name in names_of(read_facts(facts))}
        with _Transaction(self._opened()) as connection:
            for table in ("events", "clues"):
                statement = f"DELETE FROM {table} WHERE id = ? AND key = ?"  # noqa: S608
                connection.executemany(statement, [row[:2] for row in rows])
            connection.executemany("DELETE FROM names WHERE name = ? AND id = ?", sorted(names))

    def set_aside(self, suffix: str) -> str:
        """Rename a damaged file and its log, so that a new one is begun; return its new name."""
        self.close()
        aside = f"{self._path}.{suffix}"
        for part in ("", "-wal"):
            if os.path.exists(self._path + part):
                os.rename(self._path + part, aside + part)
        if os.path.exists(self._path + "-shm"):
            os.unlink(self._path + "-shm")
        return aside

    def close(self) -> None:
        """Close; what was committed stays."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            make_private(self._path, make_folder=False)
            connection = self._connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                _prepare(connection)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def is_damage(error: Exception) -> bool:
    """Is the file itself broken, so that trying again is of no use?"""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _DAMAGED


def read_facts(text: str) -> dict[str, Any]:
    """The facts of a row; empty when someone has spoilt them."""
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # After an error nobody knows which pages of the log are on the disk; this writes them elsewhere.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(SCHEMA)
    if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
        connection.execute(
            "INSERT OR REPLACE INTO unindexed SELECT 1, ?, '' WHERE EXISTS (SELECT 1 FROM events)",
            (_AFTER_ALL_IDS,),
        )
        connection.execute(f"PRAGMA user_version = {VERSION}")


class _Transaction:
    """All of it or nothing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:  # SQLite itself rolls back after some errors.
            self._connection.execute("ROLLBACK")


def _insert(
    connection: sqlite3.Connection,
    table: str,
    columns: int,
    rows: Iterable[tuple[Any, ...]],
    instead: str = "IGNORE",
) -> None:
    waiting, marks = iter(rows), f"({', '.join('?' * columns)})"
    while some := list(islice(waiting, _ROWS_A_STATEMENT)):
        statement = f"INSERT OR {instead} INTO {table} VALUES {', '.join([marks] * len(some))}"  # noqa: S608
        connection.execute(statement, [value for row in some for value in row])


def _row(event: JournalEvent) -> tuple[str, str, float, str]:
    return printable(event.id), printable(event.key), float(event.at), _json(event.facts)


def _clues(events: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[tuple[str, ...]]:
    return [(printable(id_), printable(key), *clue) for id_, key, facts in events if (clue := clue_of(facts))]


def _json(facts: Mapping[str, Any]) -> str:
    """ASCII only, so that no text can be unfit for the database."""
    try:
        return _encode(facts)
    except (TypeError, ValueError, RecursionError):
        return _encode(
            {"event": str(facts.get("event")), "unreadable": "the facts were no plain JSON values"}
        )


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=_plain).encode
