"""The tables of ``accounts.sqlite3``, as the steps that lead from one version to the next.

``PRAGMA user_version`` counts the steps that a file has seen.  A step that was released is never
changed; what is new is a further step.
"""

from __future__ import annotations

import sqlite3

FIRST = (
    """
    CREATE TABLE domains (
        name     TEXT NOT NULL PRIMARY KEY,          -- A-labels, lower case
        created  INTEGER NOT NULL                    -- seconds since 1970, UTC
    )
    """,
    """
    CREATE TABLE accounts (
        id           INTEGER PRIMARY KEY,
        local_part   TEXT NOT NULL,                  -- folded, without quotes
        domain       TEXT NOT NULL REFERENCES domains (name),
        quota_bytes  INTEGER,                        -- NULL: no limit
        active       INTEGER NOT NULL DEFAULT 1,     -- 0: cannot log in
        created      INTEGER NOT NULL,
        UNIQUE (domain, local_part)
    )
    """,
    """
    CREATE TABLE credentials (
        account  INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        kind     TEXT NOT NULL CHECK (kind IN ('argon2id', 'scrypt', 'foreign', 'scram-sha-256')),
        value    TEXT NOT NULL,
        PRIMARY KEY (account, kind)
    )
    """,
    """
    CREATE TABLE aliases (
        local_part  TEXT NOT NULL,                   -- folded; '*' catches all
        domain      TEXT NOT NULL REFERENCES domains (name),
        position    INTEGER NOT NULL,
        target      TEXT NOT NULL,                   -- an address
        PRIMARY KEY (domain, local_part, position)
    )
    """,
)

# Another number after each change of the password: by it a session notices that it must end.  A hash
# that is only stored in another way leaves it.
SECOND = ("ALTER TABLE accounts ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0",)

STEPS: tuple[tuple[str, ...], ...] = (FIRST, SECOND)


class NewerDatabase(Exception):  # noqa: N818 - the caller makes a sentence of it
    """The file was made by a later version of the program."""


def migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that the file has not seen; raises NewerDatabase, sqlite3.Error."""
    if _version(connection) == len(STEPS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = _version(connection)  # another process may have been faster
        if done > len(STEPS):
            raise NewerDatabase
        for step in STEPS[done:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
