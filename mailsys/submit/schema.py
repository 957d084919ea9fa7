"""The tables of ``submission.sqlite3``, as the steps that lead from one version to the next."""

from __future__ import annotations

# Files that were made before there were steps have these tables already.
FIRST = (
    """
    CREATE TABLE IF NOT EXISTS caught (
        account TEXT NOT NULL,   -- who got mail
        address TEXT NOT NULL,   -- for this address, by a catch-all
        last    REAL NOT NULL,   -- seconds since 1970, UTC, to a day
        PRIMARY KEY (account, address)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS sent (
        account TEXT NOT NULL,
        hour    INTEGER NOT NULL,  -- hours since 1970
        copies  INTEGER NOT NULL,  -- handed in for other hosts, held ones as well
        PRIMARY KEY (account, hour)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS recipients (
        account TEXT NOT NULL,
        address TEXT NOT NULL,
        first   REAL NOT NULL,
        last    REAL NOT NULL,
        PRIMARY KEY (account, address)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS held (
        account TEXT NOT NULL PRIMARY KEY,
        since   REAL NOT NULL      -- when it was told that its mail is held
    ) WITHOUT ROWID
    """,
)

STEPS: tuple[tuple[str, ...], ...] = (FIRST,)
