"""``senders.sqlite3``: what is remembered of senders.  Used in threads.

Every method may raise sqlite3.Error or OSError.  The file can be deleted while the server is stopped: then
everybody is new.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from threading import Lock
from typing import TypeVar

from mailsys.disk import make_private
from mailsys.sqlite import migrate, open_reader

FILE_NAME = "senders.sqlite3"
BUSY_SECONDS = 5.0

STEPS: Sequence[Sequence[str]] = (
    (
        """CREATE TABLE seen (
            recipient TEXT NOT NULL,  -- who got mail, folded
            sender    TEXT NOT NULL,  -- from this address, folded
            shown_by  TEXT NOT NULL,  -- a domain that passed SPF or DKIM, or a network such as 192.0.2.0/24
            first     INTEGER NOT NULL,  -- days since 1970
            last      INTEGER NOT NULL,
            PRIMARY KEY (recipient, sender, shown_by)
        ) WITHOUT ROWID""",
        "CREATE INDEX seen_last ON seen (last)",
        """CREATE TABLE asked_again (
            what  TEXT NOT NULL PRIMARY KEY,  -- network, sender and recipient
            first REAL NOT NULL               -- seconds since 1970, UTC
        ) WITHOUT ROWID""",
        "CREATE INDEX asked_again_first ON asked_again (first)",
        """CREATE TABLE came_again (
            network TEXT NOT NULL PRIMARY KEY,
            last    REAL NOT NULL             -- seconds since 1970, UTC
        ) WITHOUT ROWID""",
        "CREATE INDEX came_again_last ON came_again (last)",
    ),
)
T = TypeVar("T")


class SendersFile:
    """Opened, and made when missing, at the first use; again after an error."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    def run(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """In one transaction; return what it returned."""
        with self._lock:
            try:
                connection = self._opened()
                connection.execute("BEGIN IMMEDIATE")
                result = change(connection)
                connection.execute("COMMIT")
            except BaseException:
                self._drop()  # which rolls back
                raise
            return result

    def look(self, question: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Only read, and make nothing; ``otherwise`` is the answer when there is no file."""
        with self._lock:
            if self._connection is not None:
                return question(self._connection)
        if not os.path.exists(self._path):
            return otherwise
        with closing(open_reader(self._path, BUSY_SECONDS)) as connection:
            return question(connection)

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            make_private(self._path)
            self._connection = connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            migrate(connection, STEPS)
        return self._connection


def keep_newest(connection: sqlite3.Connection, table: str, column: str, rows: int, before: float) -> None:
    """Delete what is older than ``before``, and of the rest what is beyond ``rows``, the oldest first.

    ``table`` and ``column`` are of the schema above, never of anybody else.
    """
    connection.execute(f"DELETE FROM {table} WHERE {column} < ?", (before,))  # noqa: S608
    (many,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()  # noqa: S608
    if many <= rows:
        return
    oldest = f"SELECT {column} FROM {table} ORDER BY {column} LIMIT 1 OFFSET ?"  # noqa: S608
    (limit,) = connection.execute(oldest, (many - rows - 1,)).fetchone()
    connection.execute(f"DELETE FROM {table} WHERE {column} <= ?", (limit,))  # noqa: S608
