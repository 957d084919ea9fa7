"""Keeps strangers from filling the journal: what is refused over and over is counted, not kept.

Of each client and each kind of refusal the first few in an hour are kept as they are; of all clients
together so many, and beyond that one of each.  The others are a number in the story of the last that
was kept: "and 4,312 more like this within the hour".  Nothing else is ever left out.

Clients are IPv4 addresses and IPv6 networks of 64 bits.  When there are too many to keep apart, those
that come last are counted together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mailsys.interfaces import JournalEvent

HOUR_SECONDS = 3600.0
KEPT_A_CLIENT = 200
KEPT_IN_ALL = 20_000
CLIENTS = 10_000
_FACTS = ("service", "peer", "command", "reply", "succeeded")  # what "like this" means

Source = tuple[str, str, str]  # kind, command, client


@dataclass(slots=True)
class _Tally:
    kept: int
    last: JournalEvent  # of those kept
    counted: int = 0
    until: float = 0.0
    is_new: bool = False  # counted since it was told


class Flood:
    """Decides which events are kept; for one thread at a time.

    ``seconds`` is a clock that never goes back.
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        *,
        kept_a_client: int = KEPT_A_CLIENT,
        kept_in_all: int = KEPT_IN_ALL,
        clients: int = CLIENTS,
    ) -> None:
        self._seconds = seconds
        self._kept_a_client = kept_a_client
        self._kept_in_all = kept_in_all
        self._clients = clients
        self._tallies: dict[Source, _Tally] = {}
        self._ended: list[JournalEvent] = []
        self._kept = 0
        self._hour_ends = seconds() + HOUR_SECONDS

    def admits(self, event: JournalEvent) -> bool:
        """Is it to be kept?  If not, it is counted."""
        kind = event.facts.get("event")
        if kind != "refused" and kind != "login":
            return True
        if self._seconds() >= self._hour_ends:
            self._begin_hour()
        source = self._source(event.facts)
        tally = self._tallies.get(source)
        if tally is None:
            self._tallies[source] = _Tally(1, event)
            self._kept += 1
            return True
        if tally.kept < self._kept_a_client and self._kept < self._kept_in_all:
            tally.kept += 1
            tally.last = event
            self._kept += 1
            return True
        tally.counted += 1
        tally.until = event.at
        tally.is_new = True
        return False

    def counts(self) -> list[JournalEvent]:
        """What was counted since the last call; each event replaces the one before it of its id and key."""
        told, self._ended = self._ended, []
        for source, tally in self._tallies.items():
            if tally.is_new:
                tally.is_new = False
                told.append(_repeated(source, tally))
        return told

    def _source(self, facts: Mapping[str, Any]) -> Source:
        kind, command = str(facts.get("event")), str(facts.get("command", ""))
        if kind == "login":  # who guesses does not hide who sits beside him and logs in
            command = "succeeded" if facts.get("succeeded") else "failed"
        source = kind, command, _network(str(facts.get("peer", "")))
        return (
            source if source in self._tallies or len(self._tallies) < self._clients else (kind, command, "*")
        )

    def _begin_hour(self) -> None:
        self._ended = self.counts()
        self._tallies.clear()
        self._kept = 0
        self._hour_ends = self._seconds() + HOUR_SECONDS


def _network(peer: str) -> str:
    """An IPv6 host has a network of 64 bits to itself."""
    if ":" not in peer:
        return peer
    groups = peer.partition("::")[0].split(":")
    return ":".join(groups[:4])


def _repeated(source: Source, tally: _Tally) -> JournalEvent:
    """Told in the story of the last event that was kept."""
    last = tally.last
    facts = {fact: last.facts[fact] for fact in _FACTS if fact in last.facts}
    facts |= {"event": "repeated", "kind": source[0], "count": tally.counted, "until": tally.until}
    if source[2] == "*":
        facts["peer"] = ""
        facts["clients"] = "many"
    return JournalEvent(last.id, f"repeated {last.key}", last.at, facts)
