"""The index file of one account: opened when it is needed, made anew when it is missing or damaged.

It is a cache.  Whatever goes wrong with it is logged, and the work is done without.  A link in its place is
not followed: it may lead to a file of somebody else, into which this would write.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import closing
from threading import Lock
from typing import TypeVar

from twisted.logger import Logger

from mailsys.disk import make_private
from mailsys.sqlite import migrate
from mailsys.store.index.schema import FILE_NAME, STEPS

# Only somebody who looks with another program can keep it busy.
BUSY_SECONDS = 1.0
CACHE_KIBIBYTES = 1024
# Open files of indexes; the one that was used the longest ago is closed for another.
OPEN_INDEXES = 64
# The file, and those that SQLite puts beside it.
SUFFIXES = ("", "-wal", "-shm")

log = Logger(namespace="mailsys.store")

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class NoIndex(Exception):  # noqa: N818 - it goes without
    """The index cannot be used for the moment; the log says why."""


class AccountIndex:
    """``mailsys-index.sqlite3`` in ``folder``.  For worker threads, which take turns."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, FILE_NAME)
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._is_failing = False
        self.opening = object()  # another one whenever what was there before may be lost

    def run(self, work: Work[T]) -> T:
        """Call with a connection, all in one transaction; raises NoIndex.

        When the file turns out to be damaged, or a link, ``work`` is called again with a new and empty one.
        """
        with self._lock:
            try:
                return self._run(work)
            except sqlite3.OperationalError as error:
                self._close()  # what is wrong may be so for this connection only
                raise self._failed(error) from error
            except sqlite3.DatabaseError as error:
                log.warn("{path!r} cannot be trusted and is made anew: {error}", path=self.path, error=error)
            try:
                self._remove()
                return self._run(work)
            except (sqlite3.Error, OSError) as error:
                raise self._failed(error) from error

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._close()

    def _run(self, work: Work[T]) -> T:
        connection = self._opened()
        connection.execute("BEGIN")
        try:
            result = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._is_failing = False
        return result

    def _opened(self) -> sqlite3.Connection:
        """The connection, to the file that has the name now."""
        if self._connection is not None and self._file == self._identity():
            return self._connection
        self._close()
        try:
            _require_own([self.path + suffix for suffix in SUFFIXES])
            make_private(self.path, make_folder=False)
        except OSError as error:
            raise sqlite3.OperationalError(str(error)) from error
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # of a cache the last moments may be lost
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
            migrate(connection, STEPS)
        except BaseException:
            connection.close()
            raise
        self._connection, self._file = connection, self._identity()
        self.opening = object()
        return connection

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = os.lstat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with closing(connection):
                pass

    def _remove(self) -> None:
        self._close()
        for suffix in SUFFIXES:
            try:
                os.unlink(self.path + suffix)
            except FileNotFoundError:
                pass

    def _failed(self, error: Exception) -> NoIndex:
        """Tell once until it works again."""
        if not self._is_failing:
            self._is_failing = True
            log.error("{path!r} cannot be used, and all is slower: {error}", path=self.path, error=error)
        return NoIndex(str(error))


def _require_own(paths: Iterable[str]) -> None:
    """Raise DatabaseError for a link, which may go, and OSError for what else is no plain file."""
    for path in paths:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink > 1):
            raise sqlite3.DatabaseError(f"{path!r} is a link to another file")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "This is not a regular file", path)


class Indexes:
    """The indexes of all accounts, of which so many are open at a time.  For worker threads."""

    def __init__(self, most: int = OPEN_INDEXES) -> None:
        self._most = most
        self._lock = Lock()
        self._indexes: OrderedDict[str, AccountIndex] = OrderedDict()

    def of(self, folder: str) -> AccountIndex:
        """The index of the account whose Maildir this is."""
        with self._lock:
            index = self._indexes.pop(folder, None) or AccountIndex(folder)
            self._indexes[folder] = index
            oldest = self._indexes.popitem(last=False)[1] if len(self._indexes) > self._most else None
        if oldest is not None:
            oldest.close()
        return index

    def close(self) -> None:
        """Close all files; what is used again is opened again."""
        with self._lock:
            indexes = list(self._indexes.values())
        for index in indexes:
            index.close()
