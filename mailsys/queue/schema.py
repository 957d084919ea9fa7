"""The tables of ``queue.sqlite3``, as the steps that lead from one version to the next.

``docs/queue.rst`` describes the tables for people.
"""

from __future__ import annotations

FIRST = (
    """
    CREATE TABLE messages (
        id          TEXT NOT NULL PRIMARY KEY,  -- as in the journal; the name of the content's file, too
        at          REAL NOT NULL,              -- handed in; seconds since 1970, UTC, as all times here
        sender      TEXT NOT NULL,              -- empty for notices
        octets      INTEGER NOT NULL,           -- of the content's file
        not_before  REAL NOT NULL,              -- 0: at once
        envelope    TEXT NOT NULL,              -- a JSON object
        finished    REAL                        -- the last recipient's outcome; NULL: not yet
    ) WITHOUT ROWID
    """,
    "CREATE INDEX messages_open ON messages (at) WHERE finished IS NULL",
    "CREATE INDEX messages_finished ON messages (finished) WHERE finished IS NOT NULL",
    """
    CREATE TABLE recipients (
        message       TEXT NOT NULL,
        number        INTEGER NOT NULL,         -- in the envelope, from 1
        address       TEXT NOT NULL,
        destination   TEXT NOT NULL,            -- whose limits count: a domain, or a relay
        state         TEXT NOT NULL,            -- waiting, held, delivered, failed, removed
        attempts      INTEGER NOT NULL DEFAULT 0,
        breakdowns    INTEGER NOT NULL DEFAULT 0,  -- attempts at which mailsys itself broke
        next_attempt  REAL NOT NULL,
        last_attempt  REAL NOT NULL DEFAULT 0,  -- 0: none yet
        remote        TEXT NOT NULL DEFAULT '', -- host and address of the last attempt
        tls           TEXT NOT NULL DEFAULT '',
        said          TEXT NOT NULL DEFAULT '', -- the remote's last words
        reason        TEXT NOT NULL DEFAULT '', -- why it waits, is held or has failed
        is_uncertain  INTEGER NOT NULL DEFAULT 0,  -- 1: an attempt broke before its answer came
        is_delay_told INTEGER NOT NULL DEFAULT 0,  -- 1: the sender knows that it waits
        ended         REAL,                     -- when it had its outcome
        PRIMARY KEY (message, number)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX recipients_due ON recipients (destination, next_attempt) WHERE state = 'waiting'",
    """
    CREATE TABLE orders (
        number     INTEGER PRIMARY KEY,
        at         REAL NOT NULL,
        verb       TEXT NOT NULL,               -- retry, hold, release, remove
        selection  TEXT NOT NULL,               -- a JSON object
        answer     INTEGER                      -- for how many recipients it was done; NULL: not yet
    )
    """,
)

# What waits is looked through by the time from which its waiting counts.
SECOND = (
    "DROP INDEX messages_open",
    "CREATE INDEX messages_open ON messages (max(at, not_before)) WHERE finished IS NULL",
)

STEPS: tuple[tuple[str, ...], ...] = (FIRST, SECOND)
