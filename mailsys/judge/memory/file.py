"""``senders.sqlite3``: what is remembered of senders.  Used in threads.

The file can be deleted while the server is stopped: then everybody is new.
"""

from __future__ import annotations

import sqlite3

from mailsys.sqlite import SQLiteFile, Steps

FILE_NAME = "senders.sqlite3"

STEPS: Steps = (
    (
        """CREATE TABLE seen (
            recipient TEXT NOT NULL,  -- who got mail, folded
            sender    TEXT NOT NULL,  -- from this address, folded
            shown_by  TEXT NOT NULL,  -- a domain that passed SPF or DKIM, or a network such as 192.0.2.0/24
            first     INTEGER NOT NULL,  -- days since 1970
            last      INTEGER NOT NULL,
            PRIMARY KEY (recipient, sender, shown_by)
        ) WITHOUT ROWID""",
        "CREATE INDEX seen_last ON seen (last)",
        """CREATE TABLE asked_again (
            what  TEXT NOT NULL PRIMARY KEY,  -- network, sender and recipient
            first REAL NOT NULL               -- seconds since 1970, UTC
        ) WITHOUT ROWID""",
        "CREATE INDEX asked_again_first ON asked_again (first)",
        """CREATE TABLE came_again (
            network TEXT NOT NULL PRIMARY KEY,
            last    REAL NOT NULL             -- seconds since 1970, UTC
        ) WITHOUT ROWID""",
        "CREATE INDEX came_again_last ON came_again (last)",
    ),
)


class SendersFile(SQLiteFile):
    """That file."""

    def __init__(self, path: str) -> None:
        super().__init__(path, STEPS)


def keep_newest(connection: sqlite3.Connection, table: str, column: str, rows: int, before: float) -> None:
    """Delete what is older than ``before``, and of the rest what is beyond ``rows``, the oldest first.

    ``table`` and ``column`` are of the schema above, never of anybody else.
    """
    connection.execute(f"DELETE FROM {table} WHERE {column} < ?", (before,))  # noqa: S608
    (many,) = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()  # noqa: S608
    if many <= rows:
        return
    oldest = f"SELECT {column} FROM {table} ORDER BY {column} LIMIT 1 OFFSET ?"  # noqa: S608
    (limit,) = connection.execute(oldest, (many - rows - 1,)).fetchone()
    connection.execute(f"DELETE FROM {table} WHERE {column} <= ?", (limit,))  # noqa: S608
