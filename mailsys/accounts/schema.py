"""The tables of ``accounts.sqlite3``, as the steps that lead from one version to the next."""

from __future__ import annotations

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
