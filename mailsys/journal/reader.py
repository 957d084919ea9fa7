"""Reads the journal, also beside a server that writes it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from types import TracebackType
from urllib.parse import quote

from mailsys.interfaces import JournalEvent
from mailsys.journal.database import BUSY_SECONDS, VERSION, read_facts
from mailsys.journal.names import search_name
from mailsys.journal.wanted import Wanted

Condition = tuple[str, list[object]]


class TooOld(Exception):  # noqa: N818 - it is a sentence for a person
    """The journal is of an older version and cannot be asked this yet."""


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

    def find(self, wanted: Wanted, limit: int, *, of_messages: bool | None = None) -> list[str]:
        """The newest ``limit`` ids of the stories that are wanted, the newest last.

        ``of_messages`` is True for those of messages only, False for those of connections only.
        Raises TooOld, and ValueError when ``wanted.client`` is no address.
        """
        if wanted.text and self._is_message(wanted.exact_id()):
            return [wanted.exact_id()] if of_messages is not False else []
        conditions = self._conditions(wanted)
        if of_messages is not None:
            conditions.append((f"instr(id, '.') {'>' if of_messages else '='} 0", []))
        statement = f"SELECT DISTINCT id FROM events WHERE {_all_of(conditions)} ORDER BY id DESC LIMIT ?"  # noqa: S608
        values = [value for _, values in conditions for value in values]
        return sorted(self._query(statement, *values, limit))

    def is_wanted(self, wanted: Wanted, id_: str) -> bool:
        """Is this story among those that are wanted?  Raises as ``find``."""
        conditions = self._conditions(wanted)
        conditions.append(("id = ?", [id_]))
        statement = f"SELECT 1 FROM events WHERE {_all_of(conditions)} LIMIT 1"  # noqa: S608
        return bool(self._query(statement, *[value for _, values in conditions for value in values]))

    def events(self, id_: str) -> list[JournalEvent]:
        """What happened to one message or connection, in order."""
        rows = self._connection.execute(
            "SELECT id, key, at, facts FROM events WHERE id = ? ORDER BY at", (id_,)
        ).fetchall()
        return [_event(row) for row in rows]

    def readings(self, file: str) -> list[JournalEvent]:
        """When this copy, named as in ``delivered``, was fetched or deleted over POP3."""
        ids = self._query("SELECT id FROM names WHERE name = ? LIMIT 100", search_name(file))
        return [
            event for id_ in ids for event in self.events(id_) if event.facts.get("event") == "mailbox read"
        ]

    def newest_id(self) -> str:
        """The highest id, or nothing."""
        return (self._query("SELECT max(id) FROM events") or [""])[0] or ""

    def oldest(self) -> float | None:
        """Since when there are events, in seconds since 1970."""
        return self._moment("SELECT min(at) FROM events")

    def newest(self) -> float | None:
        """When the last event was."""
        return self._moment("SELECT max(at) FROM events")

    def since(self, moment: float, limit: int) -> list[JournalEvent]:
        """Events at or after a moment, in order; at most ``limit``."""
        rows = self._connection.execute(
            "SELECT id, key, at, facts FROM events WHERE at >= ? ORDER BY at LIMIT ?", (moment, limit)
        ).fetchall()
        return [_event(row) for row in rows]

    def is_indexed(self) -> bool:
        """Can all of it be searched by subject, domain and client?"""
        return self._has_clues() and not self._query("SELECT id FROM unindexed")

    # ------------------------------------------------------------------ finding

    def _conditions(self, wanted: Wanted) -> list[Condition]:
        conditions: list[Condition] = []
        if wanted.text:
            conditions.append(self._by_text(wanted))
        if words := wanted.words():
            self._need_clues()
            likes = " AND ".join(["instr(subject, ?)"] * len(words))
            statement = f"SELECT id FROM clues WHERE {likes}"  # noqa: S608 - only question marks
            conditions.append((f"id IN ({statement})", [*words]))
        if (network := wanted.network()) is not None:
            conditions.append(self._by_client(network))
        for moment, comparison in ((wanted.since, ">="), (wanted.until, "<")):
            if moment is not None:
                conditions.append((f"at {comparison} ?", [moment]))
        return conditions

    def _by_text(self, wanted: Wanted) -> Condition:
        names, domain, ids = sorted(wanted.names()), wanted.domain(), wanted.id_range()
        parts: list[Condition] = []
        if names:
            statement = f"SELECT id FROM names WHERE name IN ({_marks(names)})"  # noqa: S608 - as above
            parts.append((statement, [*names]))
        if ids:
            parts.append(("SELECT id FROM events WHERE id >= ? AND id < ?", [*ids]))
        if domain and self._has_clues():
            parts.append(("SELECT id FROM clues WHERE instr(domains, ?)", [domain]))
        if not parts:
            return "0", []
        return (
            f"id IN ({' UNION '.join([part for part, _ in parts])})",
            [value for _, values in parts for value in values],
        )

    def _by_client(self, network: IPv4Network | IPv6Network) -> Condition:
        self._need_clues()
        clients = [
            client
            for client in self._query("SELECT DISTINCT client FROM clues")
            if _is_within(client, network)
        ]
        # In one value, since the number of values in a statement is limited.
        listed = f" {' '.join(clients)} "
        return "id IN (SELECT id FROM clues WHERE client <> '' AND instr(?, ' ' || client || ' '))", [listed]

    def _is_message(self, id_: str) -> bool:
        return "." in id_ and bool(self._query("SELECT id FROM events WHERE id = ? LIMIT 1", id_))

    def _has_clues(self) -> bool:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0]) >= VERSION

    def _need_clues(self) -> None:
        if not self._has_clues():
            raise TooOld(
                "The journal is of an older version; once the server was started it can be asked this."
            )

    def _moment(self, statement: str) -> float | None:
        (at,) = self._connection.execute(statement).fetchone()
        return None if at is None else float(at)

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


def _event(row: tuple[str, str, float, str]) -> JournalEvent:
    id_, key, at, facts = row
    return JournalEvent(id_, key, at, read_facts(facts))


def _all_of(conditions: Iterable[Condition]) -> str:
    return " AND ".join([condition for condition, _ in conditions]) or "1"


def _marks(values: Iterable[object]) -> str:
    return ", ".join(["?" for _ in values])


def _is_within(client: str, network: IPv4Network | IPv6Network) -> bool:
    try:
        return ip_address(client) in network
    except ValueError:
        return False


def _text(octets: bytes) -> str:
    return octets.decode(errors="replace")
