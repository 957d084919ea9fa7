"""Opens ``accounts.sqlite3``: for writing with all that makes a change durable, or for reading only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from mailsys.accounts.schema import STEPS
from mailsys.disk import make_private
from mailsys.sqlite import NewerDatabase, migrate, use_wal

FILE_NAME = "accounts.sqlite3"
BUSY_SECONDS = 10.0  # how long a change waits for another one


class AccountsError(Exception):
    """It cannot be done; the text is one plain sentence."""


def connect(path: str) -> sqlite3.Connection:
    """Open for writing; the file and its folder are made when missing.  Raises AccountsError."""
    with told_plainly():
        make_private(path)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            migrate(connection, STEPS)
        except BaseException:
            connection.close()
            raise
    return connection


class Transactions:
    """A connection, used in one transaction at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Ask something."""
        with told_plainly():
            yield self.connection

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Change something: all of it, synced, or nothing."""
        with told_plainly():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise


@contextmanager
def told_plainly() -> Iterator[None]:
    """Make one sentence of what SQLite or the system may say."""
    try:
        yield
    except NewerDatabase:
        raise AccountsError("The accounts database was made by a newer mailsys; use that version.") from None
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise AccountsError("Another program is changing the accounts; try again.") from error
        raise AccountsError(f"The accounts database cannot be used: {error}.") from error
    except sqlite3.Error as error:
        raise AccountsError(f"The accounts database is damaged: {error}.") from error
    except PermissionError as error:
        reason = f"No permission for {error.filename}: do this as the user who owns it, or as root."
        raise AccountsError(reason) from error
    except OSError as error:
        raise AccountsError(f"The accounts database cannot be made: {error}.") from error
