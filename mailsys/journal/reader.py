"""Reads the journal, also beside a server that writes it."""

from __future__ import annotations

import os
import sqlite3
from types import TracebackType
from urllib.parse import quote

from mailsys.interfaces import JournalEvent
from mailsys.journal.database import BUSY_SECONDS, read_facts
from mailsys.journal.ids import as_heard
from mailsys.journal.names import search_name
from mailsys.journal.printable import printable
from mailsys.message.address import AddressError, parse_address

_AFTER_ALL_IDS = "\U0010ffff"
_PREFIX_CHARACTERS = 4  # Fewer would find half of the journal.


class JournalReader:
    """An open journal, for reading only.  Every method may raise sqlite3.Error."""

    def __init__(self, path: str) -> None:
        address = f"file:{quote(os.path.abspath(path))}?mode=ro"
        self._connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)
        self._connection.text_factory = _text

    def __enter__(self) -> JournalReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def find(self, wanted: str, limit: int) -> list[str]:
        """The newest ``limit`` ids of stories that ``wanted`` may mean, the newest last.

        It is a whole id, the beginning of one, an address of sender or recipient, or a Message-ID.
        """
        id_ = printable(as_heard(wanted))
        if self._query("SELECT id FROM events WHERE id = ? LIMIT 1", id_) and "." in id_:
            return [id_]
        found = set(self._by_name(wanted, limit))
        if len(id_) >= _PREFIX_CHARACTERS:
            found.update(self._by_prefix(id_, limit))
        return sorted(found)[-limit:]

    def events(self, id_: str) -> list[JournalEvent]:
        """What happened to one message or connection, in order."""
        rows = self._connection.execute(
            "SELECT id, key, at, facts FROM events WHERE id = ? ORDER BY at", (id_,)
        ).fetchall()
        return [JournalEvent(id_, key, at, read_facts(facts)) for id_, key, at, facts in rows]

    def newest_id(self) -> str:
        """The highest id, or nothing."""
        return (self._query("SELECT max(id) FROM events") or [""])[0] or ""

    def _by_name(self, wanted: str, limit: int) -> list[str]:
        found = []
        for name in {search_name(wanted), _as_address(wanted)}:
            found += self._query("SELECT id FROM names WHERE name = ? ORDER BY id DESC LIMIT ?", name, limit)
        return found

    def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        return self._query(
            "SELECT DISTINCT id FROM events WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT ?",
            prefix,
            prefix + _AFTER_ALL_IDS,
            limit,
        )

    def _query(self, statement: str, *values: object) -> list[str]:
        return [row[0] for row in self._connection.execute(statement, values)]


def newest_session(path: str) -> str:
    """The highest session id in a journal, for :class:`SessionIds`; empty without a journal to read."""
    if not os.path.exists(path):
        return ""
    try:
        with JournalReader(path) as reader:
            return reader.newest_id().partition(".")[0]
    except sqlite3.Error:
        return ""


def _as_address(wanted: str) -> str:
    """An address as the journal writes it: domains in A-labels."""
    try:
        return search_name(str(parse_address(wanted.strip(" <>")).folded()))
    except AddressError:
        return search_name(wanted)


def _text(octets: bytes) -> str:
    return octets.decode(errors="replace")
