"""The tables of ``mailsys-index.sqlite3``; ``docs/mail-index.rst`` describes them."""

from __future__ import annotations

FILE_NAME = "mailsys-index.sqlite3"

# A step that was released is never changed; what is new is a further step.
STEPS = (
    (
        """
        CREATE TABLE message (
            id INTEGER PRIMARY KEY,
            base TEXT NOT NULL UNIQUE,
            internal_date REAL NOT NULL,
            save_date REAL,
            wire_size INTEGER NOT NULL,
            envelope BLOB NOT NULL,
            body BLOB NOT NULL,
            body_structure BLOB NOT NULL,
            preview TEXT NOT NULL,
            sent REAL,
            sent_day INTEGER,
            subject TEXT NOT NULL,
            base_subject TEXT NOT NULL,
            "from" TEXT NOT NULL,
            "to" TEXT NOT NULL,
            cc TEXT NOT NULL,
            bcc TEXT NOT NULL,
            sort_from TEXT NOT NULL,
            sort_to TEXT NOT NULL,
            sort_cc TEXT NOT NULL,
            display_from TEXT NOT NULL,
            display_to TEXT NOT NULL,
            message_id TEXT NOT NULL,
            "references" TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE folder (
            uid_validity INTEGER PRIMARY KEY,
            expunges_since INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE change (
            uid_validity INTEGER NOT NULL,
            modseq INTEGER NOT NULL,
            flags TEXT NOT NULL,
            uids TEXT NOT NULL,
            PRIMARY KEY (uid_validity, modseq, flags)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE expunge (
            uid_validity INTEGER NOT NULL,
            modseq INTEGER NOT NULL,
            uids TEXT NOT NULL,
            PRIMARY KEY (uid_validity, modseq)
        ) WITHOUT ROWID
        """,
    ),
    # SEARCH SUBJECT reads this alone.
    ("CREATE INDEX message_subject ON message (subject, base)",),
)
