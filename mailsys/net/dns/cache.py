"""What was answered lately, within bounds of time and size; what was not there, and what failed, too."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

from mailsys.interfaces import Answer

MOST_ENTRIES = 20_000
MOST_OCTETS = 16 * 1024 * 1024
SHORTEST_SECONDS = 1.0
FAILURE_SECONDS = 5.0  # RFC 9520 3.2: a failure is remembered, too, for at least a second

Outcome = Answer[object] | Exception


class _Entry(NamedTuple):
    outcome: Outcome
    until: float
    octets: int


class Cache:
    """Forgets what was not asked for the longest.  ``now`` gives seconds of a clock that does not jump."""

    def __init__(
        self, now: Callable[[], float], entries: int = MOST_ENTRIES, octets: int = MOST_OCTETS
    ) -> None:
        self._now = now
        self._most_entries = entries
        self._most_octets = octets
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._octets = 0

    def get(self, key: Hashable) -> Outcome | None:
        """What is known and still holds."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until <= self._now():
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return entry.outcome

    def put(self, key: Hashable, outcome: Outcome, seconds: float) -> None:
        """Remember for so long."""
        self._remove(key)
        entry = _Entry(outcome, self._now() + max(seconds, SHORTEST_SECONDS), _octets(outcome))
        self._entries[key] = entry
        self._octets += entry.octets
        while len(self._entries) > self._most_entries or self._octets > self._most_octets:
            self._remove(next(iter(self._entries)))

    def _remove(self, key: Hashable) -> None:
        if (entry := self._entries.pop(key, None)) is not None:
            self._octets -= entry.octets


def _octets(outcome: Outcome) -> int:
    """About what it takes in memory."""
    if isinstance(outcome, Exception):
        return 500
    return 500 + sum(
        100 + (len(record) if isinstance(record, str | bytes) else 200) for record in outcome.records
    )
