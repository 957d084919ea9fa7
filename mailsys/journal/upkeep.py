"""What the journal does when it has time: forget what is old or too much, and index what is not yet.

When the file grows beyond its size, refusals, logins and visits older than a day go first, then the
oldest of all: strangers who knock at the door must not push out the stories of mail.
"""

from __future__ import annotations

from collections.abc import Callable

from mailsys.journal.database import JournalDatabase

SLICE_EVENTS = 200
NOISE_EVENTS = 1000
AGAIN_SECONDS = 0.25
REST_SECONDS = 600.0
NOISE_KEPT_SECONDS = 86_400.0


class Upkeep:
    """Works in small slices.

    ``now`` tells seconds since 1970; ``seconds`` is a clock that never goes back.
    """

    def __init__(
        self,
        database: JournalDatabase,
        now: Callable[[], float],
        seconds: Callable[[], float],
        keep_seconds: float,
        size_octets: int,
    ) -> None:
        self._database = database
        self._now = now
        self._seconds = seconds
        self._keep_seconds = keep_seconds
        self._size_octets = size_octets
        self._next = 0.0
        self._noise_until = 0.0  # events before this moment were looked through for noise

    def seconds_to_next(self) -> float:
        """How long until there is something to do again."""
        return max(0.0, self._next - self._seconds())

    def step(self) -> None:
        """Do one slice, if it is time; raises sqlite3.Error, OSError."""
        if self._seconds() < self._next:
            return
        self._next = self._seconds() + REST_SECONDS
        if self._has_worked():
            self._next = self._seconds() + AGAIN_SECONDS

    def _has_worked(self) -> bool:
        if self._database.index_older(SLICE_EVENTS):
            return True
        now = self._now()
        if self._database.prune(now - self._keep_seconds, SLICE_EVENTS) == SLICE_EVENTS:
            return True
        if self._database.octets() <= self._size_octets:
            return False
        return self._quieten(now - NOISE_KEPT_SECONDS) or self._database.prune(now, SLICE_EVENTS) > 0

    def _quieten(self, before: float) -> bool:
        """Go through the next slice of what is old enough; False at the end."""
        last = self._database.prune_noise(self._noise_until, before, NOISE_EVENTS)
        self._noise_until = last or self._noise_until
        return last is not None
