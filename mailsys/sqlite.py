"""What all files of SQLite have in common: they grow by steps, and others may read them."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from threading import Lock
from typing import TypeVar
from urllib.parse import quote

from mailsys.disk import make_private

WAL_TRIES = 200
WAL_PAUSE_SECONDS = 0.02
BUSY_SECONDS = 5.0
Steps = Sequence[Sequence[str]]
T = TypeVar("T")


class NewerDatabase(sqlite3.DatabaseError):
    """The file was made by a later version of the program."""


def use_wal(connection: sqlite3.Connection) -> None:
    """Let readers and a writer not wait for one another; raises sqlite3.Error.

    SQLite does not wait when several programs make the same new file a WAL; so we do, in this thread.
    """
    for _ in range(WAL_TRIES - 1):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(WAL_PAUSE_SECONDS)
    connection.execute("PRAGMA journal_mode = WAL")


def migrate(connection: sqlite3.Connection, steps: Steps) -> None:
    """Take the steps that the file has not seen, all or none; raises NewerDatabase, sqlite3.Error.

    ``PRAGMA user_version`` counts those it has.  A step that was released is never changed; what is new is
    a further step.
    """
    if _version(connection) == len(steps):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _version(connection)  # another process may have been faster
        if done > len(steps):
            raise NewerDatabase("it was made by a newer mailsys; use that version")
        for step in steps[done:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def open_reader(path: str, busy_seconds: float) -> sqlite3.Connection:
    """Open an existing file for reading, beside whoever writes it; raises sqlite3.Error."""
    # Not mode=ro: a reader of a WAL takes part in its shared index.
    location = f"file:{quote(path)}?mode=rw"
    connection = sqlite3.connect(location, uri=True, timeout=busy_seconds, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


class SQLiteFile:
    """A file of its own, opened, and made when missing, at the first use; again after an error.

    For worker threads, one at a time.  Every method may raise sqlite3.Error or OSError.
    """

    def __init__(self, path: str, steps: Steps) -> None:
        self._path = path
        self._steps = steps
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

    def look(self, question: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Only read, and make nothing; ``otherwise`` is the answer when there is no file."""
        with self._lock:
            if self._connection is not None:
                return question(self._connection)
        if not self.exists():
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
            use_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            migrate(connection, self._steps)
        return self._connection
