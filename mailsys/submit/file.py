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
from mailsys.sqlite import migrate, use_wal
from mailsys.submit.schema import STEPS

FILE_NAME = "submission.sqlite3"
BUSY_SECONDS = 5.0

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
            use_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            migrate(connection, STEPS)
        return self._connection
