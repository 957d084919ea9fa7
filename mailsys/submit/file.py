"""``submission.sqlite3``: what is remembered of users who send.  Used in threads, and by commands.

Every method may raise sqlite3.Error or OSError.  The file can be deleted while the server is stopped.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from mailsys.disk import make_private

FILE_NAME = "submission.sqlite3"
BUSY_SECONDS = 5.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS caught (
    account TEXT NOT NULL,   -- who got mail
    address TEXT NOT NULL,   -- for this address, by a catch-all
    last    REAL NOT NULL,   -- seconds since 1970, UTC, to a day
    PRIMARY KEY (account, address)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sent (
    account TEXT NOT NULL,
    hour    INTEGER NOT NULL,  -- hours since 1970
    copies  INTEGER NOT NULL,  -- handed in for other hosts, held ones as well
    PRIMARY KEY (account, hour)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recipients (
    account TEXT NOT NULL,
    address TEXT NOT NULL,
    first   REAL NOT NULL,
    last    REAL NOT NULL,
    PRIMARY KEY (account, address)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held (
    account TEXT NOT NULL PRIMARY KEY,
    since   REAL NOT NULL      -- when it was told that its mail is held
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
            connection.executescript(SCHEMA)
        return self._connection
