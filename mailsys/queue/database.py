"""The file ``queue.sqlite3``: many changes in one transaction, synced or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from mailsys.disk import make_private
from mailsys.queue.schema import STEPS
from mailsys.sqlite import migrate, use_wal

BUSY_SECONDS = 5.0
Connect = Callable[..., sqlite3.Connection]
Change = Callable[[sqlite3.Connection], Any]


class QueueDatabase:
    """Every method may raise sqlite3.Error or OSError, and waits for the disk.

    Opened at the first use, and again after an error.  Used by one thread at a time.
    """

    def __init__(self, path: str, connect: Connect = sqlite3.connect) -> None:
        self._path = path
        self._connect = connect
        self._connection: sqlite3.Connection | None = None

    def run(self, changes: Sequence[Change], *, is_durable: bool) -> list[Any]:
        """Make all changes or none; return what each returned.

        A durable transaction is on the disk then, with all that were committed before it: SQLite's log
        is one file, written and synced from its beginning to its end.
        """
        connection = self._opened()
        try:
            if is_durable:
                connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            results = [change(connection) for change in changes]
            connection.execute("COMMIT")
            if is_durable:
                connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            self._give_up(connection)
            raise
        return results

    def close(self) -> None:
        """Close; what was committed stays."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _give_up(self, connection: sqlite3.Connection) -> None:
        """After an error nobody knows what of SQLite's log is on the disk; the next use starts afresh."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        finally:
            self.close()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            make_private(self._path, make_folder=False)
            connection = self._connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _prepare(connection: sqlite3.Connection) -> None:
    use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    # What an earlier process or attempt left in the log goes into the file, synced, so that a sync that
    # failed once is not believed later.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    migrate(connection, STEPS)
    connection.execute("PRAGMA synchronous = NORMAL")
