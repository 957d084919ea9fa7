"""How often something happens a minute, for very many keys in little memory."""

from __future__ import annotations

from collections.abc import Callable

WINDOW_SECONDS = 60.0
MOST_KEYS = 10_000  # of one minute: about a megabyte


class RateTable:
    """Counts by key, over the minute that slides along with the clock.

    It holds the counts of this minute of the clock and of the one before, which counts less and less as
    this one goes on.  With more keys than ``most`` a new minute begins early: who comes from more
    addresses than that in one minute is forgotten sooner, and no memory grows.
    """

    def __init__(self, seconds: Callable[[], float], most: int = MOST_KEYS) -> None:
        self._seconds = seconds
        self._most = most
        self._begun = seconds()
        self._now: dict[bytes, int] = {}
        self._before: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._now) + len(self._before)

    def rate(self, key: bytes) -> float:
        """About how often in the last minute."""
        share = self._turn()
        return self._now.get(key, 0) + share * self._before.get(key, 0)

    def count(self, key: bytes) -> None:
        """It happened once more."""
        self._turn()
        if len(self._now) >= self._most and key not in self._now:
            self._begin(self._now)
        self._now[key] = self._now.get(key, 0) + 1

    def _turn(self) -> float:
        """Go on to the minute that it is now; what share of the one before still counts?"""
        passed = self._seconds() - self._begun
        if passed >= WINDOW_SECONDS:
            self._begin(self._now if passed < 2 * WINDOW_SECONDS else {})
            self._begun += WINDOW_SECONDS * (passed // WINDOW_SECONDS)
            passed %= WINDOW_SECONDS
        return 1.0 - passed / WINDOW_SECONDS

    def _begin(self, before: dict[bytes, int]) -> None:
        self._before, self._now = before, {}
