"""The file ``queue.sqlite3``: many changes in one transaction, synced or not."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from mailsys.disk import Disk
from mailsys.queue.schema import migrate

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
            _make_private(self._path)
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


def open_reader(path: str) -> sqlite3.Connection:
    """Open an existing file for reading, beside a server; raises sqlite3.Error."""
    # Not mode=ro: a reader of a WAL takes part in its shared index.
    location = f"file:{quote(path)}?mode=rw"
    connection = sqlite3.connect(location, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # What an earlier process or attempt left in the log goes into the file, synced, so that a sync that
    # failed once is not believed later.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    migrate(connection)
    connection.execute("PRAGMA synchronous = NORMAL")


def _make_private(path: str) -> None:
    """Who writes to whom is for the owner's eyes only; SQLite's own files take over mode and owner."""
    disk = Disk()
    try:
        descriptor = disk.create(path)
    except FileExistsError:
        return
    try:
        if os.geteuid() == 0:
            owner = os.stat(os.path.dirname(path))
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    finally:
        disk.close(descriptor)
    disk.sync_directory(os.path.dirname(path))
