"""``submission.sqlite3``: what is remembered of users who send.  Used in threads, and by commands.

Every method may raise sqlite3.Error or OSError.  The file can be deleted while the server is stopped.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TypeVar

from mailsys.disk import make_private

FILE_NAME = "submission.sqlite3"
CAUGHT_ROWS = 10_000  # of one account, those with the newest mail
BUSY_SECONDS = 5.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS caught (
    account TEXT NOT NULL,   -- who got mail
    address TEXT NOT NULL,   -- for this address, by a catch-all
    last    REAL NOT NULL,   -- seconds since 1970, UTC, to a day
    PRIMARY KEY (account, address)
) WITHOUT ROWID;
"""
T = TypeVar("T")


class SubmissionFile:
    """Opened, and made when missing, at the first use; again after an error."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None

    def exists(self) -> bool:
        """Has anything been kept yet?"""
        return os.path.exists(self._path)

    def add_caught(self, rows: Iterable[tuple[str, str, float]]) -> None:
        """Keep account, address and when, within the bounds."""
        rows = tuple(rows)

        def add(connection: sqlite3.Connection) -> None:
            connection.executemany("REPLACE INTO caught VALUES (?, ?, ?)", rows)
            for account in {row[0] for row in rows}:
                connection.execute(
                    "DELETE FROM caught WHERE account = ?1 AND last < (SELECT last FROM caught"
                    " WHERE account = ?1 ORDER BY last DESC LIMIT 1 OFFSET ?2)",
                    (account, CAUGHT_ROWS - 1),
                )

        self._run(add)

    def has_caught(self, account: str, address: str) -> bool:
        """Is it there?"""
        question = "SELECT 1 FROM caught WHERE account = ? AND address = ?"
        return self._run(lambda opened: opened.execute(question, (account, address)).fetchone()) is not None

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._drop()

    def _run(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """In one transaction."""
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
            connection.executescript(SCHEMA)
        return self._connection
