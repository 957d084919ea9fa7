"""What was promised to senders, and what people found in their mailboxes."""

from __future__ import annotations

from collections import defaultdict
from itertools import count


class Ledger:
    """Each attempt to hand a message in has a number of its own, so that none is counted for another."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.promised: set[int] = set()
        self._found: defaultdict[int, set[str]] = defaultdict(set)
        self.logins = 0
        self.broken = 0

    def next_number(self) -> int:
        """For the next attempt."""
        return next(self._numbers)

    def promise(self, number: int) -> None:
        """It was answered with 250."""
        self.promised.add(number)

    def find(self, number: int, place: str) -> None:
        """It was read; ``place`` is the mailbox and its unique id there."""
        self._found[number].add(place)

    @property
    def lost(self) -> int:
        """How many were promised and not found."""
        return len(self.promised - self._found.keys())

    @property
    def doubled(self) -> int:
        """How many were found more than once."""
        return sum(len(places) > 1 for places in self._found.values())
