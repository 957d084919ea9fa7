"""What happened in a folder: modseqs, flags, and UIDs that have gone.

Each row of ``change`` says which flags some messages had from a modseq on; what comes later counts.  So the
rows, taken in order, tell the flags and the modseq of each message.  A folder is known by its UIDVALIDITY,
which no other folder of the account ever has, whatever its name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from mailsys.interfaces import Flags
from mailsys.store.folder_events import Event, History
from mailsys.store.index.uid_sets import parse, render
from mailsys.store.messages import Messages

# Rows of a folder, beyond which they are written anew, and what is left then at most.
MOST_ROWS = 1000
KEPT_ROWS = 200
# UIDs of messages that have gone, and are still remembered.
MOST_EXPUNGED = 100_000


def read(connection: sqlite3.Connection, uid_validity: int) -> History | None:
    """What is known of a folder, None for nothing; what cannot be read counts as damage of the file."""
    found = connection.execute(
        "SELECT expunges_since FROM folder WHERE uid_validity = ?", (uid_validity,)
    ).fetchone()
    if found is None:
        return None
    try:
        return _read(connection, uid_validity, History(int(found[0])))
    except ValueError as error:
        raise sqlite3.DatabaseError(f"nobody wrote this: {error}") from error


def _read(connection: sqlite3.Connection, uid_validity: int, history: History) -> History:
    changes = connection.execute(
        "SELECT modseq, flags, uids FROM change WHERE uid_validity = ? ORDER BY modseq", (uid_validity,)
    )
    for modseq, flags, uids in changes:
        state = modseq, frozenset(flags.split())
        history.messages.update(dict.fromkeys(parse(uids), state))
        history.highest_modseq = modseq
        history.rows += 1
    expunges = connection.execute(
        "SELECT modseq, uids FROM expunge WHERE uid_validity = ? ORDER BY modseq", (uid_validity,)
    )
    for modseq, uids in expunges:
        gone = list(parse(uids))
        history.expunged.append((modseq, gone))
        for uid in gone:
            history.messages.pop(uid, None)
        history.highest_modseq = max(history.highest_modseq, modseq)
    return history


def begin(connection: sqlite3.Connection, uid_validity: int, modseq: int) -> None:
    """Remember what goes from now on; what went before ``modseq`` is not known."""
    connection.execute("DELETE FROM expunge WHERE uid_validity = ?", (uid_validity,))
    connection.execute("INSERT OR REPLACE INTO folder VALUES (?, ?)", (uid_validity, modseq))


def forget(connection: sqlite3.Connection, uid_validity: int) -> None:
    """The folder is no more."""
    for table in ("folder", "change", "expunge"):
        connection.execute(f"DELETE FROM {table} WHERE uid_validity = ?", (uid_validity,))  # noqa: S608


def write(connection: sqlite3.Connection, uid_validity: int, events: Sequence[Event]) -> int:
    """Add what happened; return the number of rows."""
    for event in events:
        uids = render(event.uids)
        if event.flags is None:
            connection.execute(
                "INSERT OR REPLACE INTO expunge VALUES (?, ?, ?)", (uid_validity, event.modseq, uids)
            )
        else:
            flags = " ".join(sorted(event.flags))
            connection.execute(
                "INSERT OR REPLACE INTO change VALUES (?, ?, ?, ?)", (uid_validity, event.modseq, flags, uids)
            )
    return len(events)


def rewrite(connection: sqlite3.Connection, uid_validity: int, messages: Messages) -> int:
    """Write the rows of a folder anew, as they are now, and forget messages that went long ago.

    Returns the number of rows.
    Of the oldest the modseqs are raised to one: a client that asks is told more than it must be.
    """
    groups: dict[tuple[int, Flags], list[int]] = {}
    for uid, modseq, flags in messages.items():
        groups.setdefault((modseq, flags), []).append(uid)
    newest = sorted({modseq for modseq, _flags in groups}, reverse=True)
    if len(newest) > KEPT_ROWS:
        oldest = newest[KEPT_ROWS]
        merged: dict[tuple[int, Flags], list[int]] = {}
        for (modseq, flags), uids in groups.items():
            merged.setdefault((max(modseq, oldest), flags), []).extend(uids)
        groups = {state: sorted(uids) for state, uids in merged.items()}
    connection.execute("DELETE FROM change WHERE uid_validity = ?", (uid_validity,))
    _forget_expunged(connection, uid_validity)
    events = [Event(modseq, flags, uids) for (modseq, flags), uids in groups.items()]
    return write(connection, uid_validity, events)


def _forget_expunged(connection: sqlite3.Connection, uid_validity: int) -> None:
    count = 0
    rows = connection.execute(
        "SELECT modseq, uids FROM expunge WHERE uid_validity = ? ORDER BY modseq DESC", (uid_validity,)
    )
    for modseq, uids in rows.fetchall():
        count += sum(1 for _uid in parse(uids))
        if count > MOST_EXPUNGED:
            key = uid_validity, modseq
            connection.execute("DELETE FROM expunge WHERE uid_validity = ? AND modseq <= ?", key)
            connection.execute("UPDATE folder SET expunges_since = ? WHERE uid_validity = ?", key[::-1])
            return
