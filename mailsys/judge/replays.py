"""Counts how often the same signature comes: a signed message that leaked can be sent to everybody as it is.

What a list sends to all its readers has one signature too, so only numbers beyond those of a small
organisation count.  The table is bounded; of too many signatures those that came longest ago are forgotten.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable

MOST_COPIES = 1000  # of one signature within ``WINDOW_SECONDS``
WINDOW_SECONDS = 86_400.0
MOST_SIGNATURES = 20_000
_KEY_OCTETS = 16


class Replays:
    """``now`` is in seconds since 1970."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._seen: OrderedDict[bytes, tuple[float, int]] = OrderedDict()  # since when, how many copies

    def note(self, signature: str, copies: int) -> bool:
        """It came for so many recipients; has it come too often?"""
        key = hashlib.sha256(signature.encode()).digest()[:_KEY_OCTETS]
        now = self._now()
        since, count = self._seen.pop(key, (now, 0))
        if not 0 <= now - since < WINDOW_SECONDS:
            since, count = now, 0
        count += copies
        self._seen[key] = since, count
        if len(self._seen) > MOST_SIGNATURES:
            self._seen.popitem(last=False)
        return count > MOST_COPIES
