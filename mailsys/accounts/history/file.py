"""``logins.sqlite3`` itself: tables, bounds, and what the command asks.  Used in a thread or by a command.

Every method may raise sqlite3.Error or OSError.  The file can be deleted while the server is stopped:
then all networks are strange for once, and the decoys of SCRAM have other salts.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple

from mailsys.accounts.history.rows import Failures, Request, Seen, StoredBlock
from mailsys.disk import make_private

FILE_NAME = "logins.sqlite3"
KNOWN_SECONDS = 90 * 86_400.0  # so long after the last login from there a network is still known
FAILURE_SECONDS = 30 * 86_400.0
SEEN_ROWS = 100  # of one account, the newest
FAILURE_ROWS = 200  # of one account
STRANGE_FAILURE_ROWS = 1000  # of all names that are no account
BLOCK_ROWS = 2000
BUSY_SECONDS = 5.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS seen (
    account TEXT NOT NULL, network TEXT NOT NULL, service TEXT NOT NULL,
    first REAL NOT NULL, last REAL NOT NULL, logins INTEGER NOT NULL,
    address TEXT NOT NULL, mechanism TEXT NOT NULL, tls TEXT NOT NULL, program TEXT NOT NULL,
    PRIMARY KEY (account, network, service)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (
    account TEXT NOT NULL, network TEXT NOT NULL, service TEXT NOT NULL, why TEXT NOT NULL,
    first REAL NOT NULL, last REAL NOT NULL, failures INTEGER NOT NULL,
    address TEXT NOT NULL, mechanism TEXT NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (account, network, service, why)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocks (
    kind TEXT NOT NULL, subject TEXT NOT NULL, since REAL NOT NULL, until REAL NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (kind, subject)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS secrets (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
_ADD_SEEN = """
INSERT INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    last = excluded.last, logins = logins + excluded.logins, address = excluded.address,
    mechanism = excluded.mechanism, tls = excluded.tls, program = excluded.program
"""
_ADD_FAILURES = """
INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    last = excluded.last, failures = failures + excluded.failures, address = excluded.address,
    mechanism = excluded.mechanism, name = excluded.name
"""


class LoginFile:
    """An open file; it is made when missing."""

    def __init__(self, path: str) -> None:
        make_private(path)
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(SCHEMA)
        except sqlite3.Error:
            self._connection.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def secret(self) -> bytes:
        """What the decoys of SCRAM are derived from; made once."""
        insert = "INSERT OR IGNORE INTO secrets VALUES ('decoys', ?)"
        self._connection.execute(insert, (secrets.token_bytes(32),))
        row = self._connection.execute("SELECT value FROM secrets WHERE name = 'decoys'").fetchone()
        return bytes(row[0])

    def write(
        self, seen: Sequence[Seen], failures: Sequence[Failures], blocks: Iterable[StoredBlock]
    ) -> None:
        """Add to what is there, and keep to the bounds."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(_ADD_SEEN, map(astuple, seen))
            self._connection.executemany(_ADD_FAILURES, map(astuple, failures))
            self._connection.executemany("REPLACE INTO blocks VALUES (?, ?, ?, ?, ?)", map(astuple, blocks))
            for account in {row.account for row in seen}:
                self._trim("seen", account, SEEN_ROWS)
            for account in {row.account for row in failures}:
                self._trim("failures", account, FAILURE_ROWS if account else STRANGE_FAILURE_ROWS)
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def prune(self, now: float) -> None:
        """Forget what is too old to matter."""
        self._connection.execute("DELETE FROM seen WHERE last < ?", (now - KNOWN_SECONDS,))
        self._connection.execute("DELETE FROM failures WHERE last < ?", (now - FAILURE_SECONDS,))
        self._connection.execute("DELETE FROM blocks WHERE until < ?", (now,))
        self._connection.execute(
            "DELETE FROM blocks WHERE until <"
            " (SELECT until FROM blocks ORDER BY until DESC LIMIT 1 OFFSET ?)",
            (BLOCK_ROWS,),
        )

    def blocks(self, now: float) -> list[StoredBlock]:
        """Those in force."""
        rows = self._connection.execute("SELECT * FROM blocks WHERE until > ? ORDER BY until", (now,))
        return [StoredBlock(*row) for row in rows]

    def seen(self, account: str, since: float = 0.0) -> list[Seen]:
        """From where an account has logged in, the last at the end."""
        rows = self._connection.execute(
            "SELECT * FROM seen WHERE account = ? AND last >= ? ORDER BY last", (account, since)
        )
        return [Seen(*row) for row in rows]

    def failures(self, account: str, name: str, since: float = 0.0) -> list[Failures]:
        """What failed for an account, or for a name that is none, the last at the end."""
        rows = self._connection.execute(
            "SELECT * FROM failures WHERE account = ? AND (account <> '' OR name = ?)"
            " AND last >= ? ORDER BY last",
            (account, name, since),
        )
        return [Failures(*row) for row in rows]

    def of_network(self, network: str, since: float = 0.0) -> tuple[list[Seen], list[Failures]]:
        """What came from there, the last at the end."""
        where = "WHERE network = ? AND last >= ? ORDER BY last"
        return self._rows(where, (network, since))

    def newest(self, since: float, rows: int) -> tuple[list[Seen], list[Failures]]:
        """The last of all accounts, at most so many of each, the last at the end."""
        seen, failures = self._rows("WHERE last >= ? ORDER BY last DESC LIMIT ?", (since, rows))
        return seen[::-1], failures[::-1]

    def _rows(self, where: str, values: tuple[object, ...]) -> tuple[list[Seen], list[Failures]]:
        seen = self._connection.execute(f"SELECT * FROM seen {where}", values)  # noqa: S608
        failures = self._connection.execute(f"SELECT * FROM failures {where}", values)  # noqa: S608
        return [Seen(*row) for row in seen], [Failures(*row) for row in failures]

    def request(self, requests: Sequence[Request], now: float) -> None:
        """Let a running server know within a moment; the file says so at once."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for request in requests:
                values = (request.kind, request.subject)
                self._connection.execute("DELETE FROM blocks WHERE kind = ? AND subject = ?", values)
                if request.kind == "forget":
                    self._connection.execute("DELETE FROM seen WHERE account = ?", (request.subject,))
                    self._connection.execute("DELETE FROM failures WHERE account = ?", (request.subject,))
                insert = "INSERT INTO requests (at, kind, subject) VALUES (?, ?, ?)"
                self._connection.execute(insert, (now, *values))
            self._connection.execute("DELETE FROM requests WHERE at < ?", (now - 86_400.0,))
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    def _trim(self, table: str, account: str, rows: int) -> None:
        self._connection.execute(
            f"DELETE FROM {table} WHERE account = ?1 AND last < (SELECT last FROM {table}"  # noqa: S608
            " WHERE account = ?1 ORDER BY last DESC LIMIT 1 OFFSET ?2)",
            (account, rows - 1),
        )


def open_existing(path: str) -> LoginFile | None:
    """For the commands: None when no server has made it yet."""
    return LoginFile(path) if os.path.exists(path) else None
