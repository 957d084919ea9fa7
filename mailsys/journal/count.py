"""How much has happened: events by their kind."""

from __future__ import annotations

import os
import sqlite3
from urllib.parse import quote

from mailsys.journal.database import BUSY_SECONDS

# The key begins with the kind.  Only the index by time is read, which has it.
_COUNT = """
SELECT substr(key, 1, instr(key || ' ', ' ') - 1) AS kind, count(*) FROM events WHERE at >= ? GROUP BY kind
"""


def count_since(path: str, moment: float) -> dict[str, int]:
    """Events since then by kind: received, refused, login …; raises sqlite3.Error."""
    if not os.path.exists(path):
        return {}
    address = f"file:{quote(os.path.abspath(path))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)
    try:
        return dict(connection.execute(_COUNT, (moment,)).fetchall())
    finally:
        connection.close()
