"""What is known of one destination: what waits for it, and how much it can take.

A destination that answers is given more at one time, up to a limit.  One that cannot be reached backs
off as a whole: its messages wait without an attempt each, and one alone is tried when the pause is over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from mailsys.interfaces import QueueItem

FIRST_LIMIT = 5  # deliveries at one time, before anything is known
MOST_READY = 50  # items in memory; the others are asked for when these are done
NEVER = math.inf


@dataclass(slots=True, eq=False)
class Destination:
    """``next_due`` is of what waits in the spool, in seconds since 1970; ``not_before`` and ``wake`` are of
    a clock that does not jump.  ``busy`` are the ids of messages that are ready or under way.
    """

    name: str
    next_due: float = NEVER
    ready: Sequence[QueueItem] = ()
    busy: set[str] = field(default_factory=set)
    under_way: int = 0
    limit: int = FIRST_LIMIT
    failures: int = 0  # in a row
    not_before: float = 0.0
    wake: float = NEVER
    is_asked: bool = False  # is the spool just looking for what is due?
    is_fresh: bool = False  # is there something that came in just now?
    is_in_line: bool = False  # does it wait for a place?

    @property
    def is_idle(self) -> bool:
        """Is there nothing to remember?"""
        return not (self.busy or self.under_way or self.is_asked) and self.next_due == NEVER

    @property
    def may_begin(self) -> bool:
        """May one more delivery begin, when it does not pause?"""
        return self.under_way < (1 if self.failures else self.limit)

    def add(self, items: Sequence[QueueItem]) -> None:
        """Make ready what is not known yet."""
        new = [item for item in items if item.message.id not in self.busy]
        self.ready = [*self.ready, *new]
        self.busy.update([item.message.id for item in new])

    def take(self) -> QueueItem:
        """The next item that is ready; it stays busy."""
        item, *rest = self.ready
        self.ready = rest
        return item

    def forget_ready(self, now: float) -> None:
        """Leave what has not begun to the spool, where it is due since ``now`` or longer."""
        if self.ready:
            self.busy.difference_update([item.message.id for item in self.ready])
            self.ready = ()
            self.next_due = min(self.next_due, now)

    def has_answered(self, most: int) -> None:
        """It was reached."""
        self.failures = 0
        self.not_before = 0.0
        self.limit = min(self.limit + 1, most)

    def has_failed(self, now: float) -> bool:
        """It could not be reached; False when that was known when the attempt ended."""
        if now < self.not_before:
            return False
        self.failures += 1
        self.limit = FIRST_LIMIT
        return True
