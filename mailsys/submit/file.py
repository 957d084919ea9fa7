"""``submission.sqlite3``: what is remembered of users who send.  Used in threads, and by commands.

The file can be deleted while the server is stopped.
"""

from __future__ import annotations

from mailsys.sqlite import SQLiteFile
from mailsys.submit.schema import STEPS

FILE_NAME = "submission.sqlite3"


class SubmissionFile(SQLiteFile):
    """That file."""

    def __init__(self, path: str) -> None:
        super().__init__(path, STEPS)
