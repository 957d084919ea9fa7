"""Failures by a key (an account, an address, a network), and the blocks that follow from them.

Failures are forgotten evenly, all that a limit allows within an hour.  Whoever reaches the limit is
blocked, and begins anew after that; each further block within a day of the last is twice as long.

The table is bounded.  Names and addresses without end push out one another, but none that was seen
to guess: what failed ``HEAVY`` times stands in a table of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FORGET_SECONDS = 3600.0
BLOCKS_SECONDS = 86_400.0  # so long after a block the next one is longer
MOST_LIGHT = 5_000
MOST_HEAVY = 5_000
HEAVY = 3


@dataclass(slots=True)
class _Count:
    level: float  # failures, less what is forgotten
    at: float  # when level was right
    until: float = 0.0  # the end of the last block
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of blocks, in seconds: the first, and the longest."""

    first: float
    longest: float


class Tally:
    """``now`` is a clock that nobody sets.  A limit of 0 is none."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._light: OrderedDict[bytes, _Count] = OrderedDict()  # the longest untouched first
        self._heavy: OrderedDict[bytes, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._light) + len(self._heavy)

    def add(self, key: bytes, limit: int, lengths: Lengths | None = None) -> float:
        """Count a failure; with ``lengths``, return for how long the key is blocked because of it."""
        count, now = self._take(key), self._now()
        count.level, count.at = _left(count, limit, now) + 1, now
        seconds = _block(count, lengths, now) if lengths and _is_reached(count.level, limit) else 0.0
        self._keep(key, count)
        return seconds

    def is_full(self, key: bytes, limit: int) -> bool:
        """Is the limit reached?"""
        return _is_reached(self.level(key, limit), limit)

    def level(self, key: bytes, limit: int) -> float:
        """How many failures count at this moment."""
        count = self._light.get(key) or self._heavy.get(key)
        return _left(count, limit, self._now()) if count else 0.0

    def blocked_seconds(self, key: bytes) -> float:
        """For how long it is still blocked; 0 if it is not."""
        count = self._heavy.get(key)
        return max(0.0, count.until - self._now()) if count else 0.0

    def block(self, key: bytes, seconds: float, blocks: int = 1) -> None:
        """Take up a block of an earlier run."""
        self._keep(key, _Count(0.0, self._now(), self._now() + seconds, blocks))

    def forgive(self, key: bytes) -> None:
        """Forget all about it."""
        self._take(key)

    def _take(self, key: bytes) -> _Count:
        count = self._light.pop(key, None) or self._heavy.pop(key, None)
        return count or _Count(0.0, self._now(), -BLOCKS_SECONDS)

    def _keep(self, key: bytes, count: _Count) -> None:
        is_heavy = count.blocks or count.level > HEAVY - 1
        table, most = (self._heavy, MOST_HEAVY) if is_heavy else (self._light, MOST_LIGHT)
        table[key] = count
        if len(table) > most:
            table.popitem(last=False)


def _block(count: _Count, lengths: Lengths, now: float) -> float:
    if now - count.until > BLOCKS_SECONDS:
        count.blocks = 0
    seconds = min(lengths.first * 2.0**count.blocks, lengths.longest)
    count.until = now + seconds
    count.blocks = min(count.blocks + 1, 30)
    count.level = 0.0
    return seconds


def _is_reached(level: float, limit: int) -> bool:
    """The last of ten counts, though a little of the first was forgotten meanwhile."""
    return 0 < limit < level + 1


def _left(count: _Count, limit: int, now: float) -> float:
    """The level, less what was forgotten since; without a limit as if it were 20."""
    return max(0.0, count.level - (now - count.at) * (limit or 20) / FORGET_SECONDS)
