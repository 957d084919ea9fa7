"""The file ``journal.sqlite3``: its schema, and how rows get in, out of the way, and to the disk.

Two tables: ``events`` holds what happened, as JSON; ``names`` leads from an address or a Message-ID to the
ids of its stories.  ``docs/journal.rst`` describes both for people with ``sqlite3`` at hand.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from mailsys.interfaces import JournalEvent
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
CREATE TABLE IF NOT EXISTS durable (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    until REAL NOT NULL    -- events recorded before this moment are on the disk
) WITHOUT ROWID;
"""
BUSY_SECONDS = 5
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

    def prune(self, before: float, limit: int) -> int:
        """Forget up to ``limit`` events older than ``before``, the oldest first; return how many."""
        connection = self._opened()
        rows = connection.execute(
            "SELECT id, key, facts FROM events WHERE at < ? ORDER BY at LIMIT ?", (before, limit)
        ).fetchall()
        names = {(name, id_) for id_, _key, facts in rows for name in names_of(read_facts(facts))}
        with _Transaction(connection):
            connection.executemany("DELETE FROM events WHERE id = ? AND key = ?", [row[:2] for row in rows])
            connection.executemany("DELETE FROM names WHERE name = ? AND id = ?", sorted(names))
        return len(rows)

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
            _make_private(self._path)
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


def _make_private(path: str) -> None:
    """Who writes to whom is for the owner's eyes only; SQLite's own files take over the mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # After an error nobody knows which pages of the log are on the disk; this writes them elsewhere.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(SCHEMA)


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
    connection: sqlite3.Connection, table: str, columns: int, rows: Iterable[tuple[Any, ...]]
) -> None:
    waiting, marks = iter(rows), f"({', '.join('?' * columns)})"
    while some := list(islice(waiting, _ROWS_A_STATEMENT)):
        statement = f"INSERT OR IGNORE INTO {table} VALUES {', '.join([marks] * len(some))}"  # noqa: S608
        connection.execute(statement, [value for row in some for value in row])


def _row(event: JournalEvent) -> tuple[str, str, float, str]:
    return printable(event.id), printable(event.key), float(event.at), _json(event.facts)


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
