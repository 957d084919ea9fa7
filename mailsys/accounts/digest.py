"""Which failed logins the journal tells one by one, and which it only counts.

A flood of them must not push the stories of mail out of the journal.  Within an hour an account has 30
of its own, a network 10 for names that are no account, all these networks 200 together.  What is more
is counted by account and network, and told at the end of the hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

HOUR_SECONDS = 3600.0
OF_ACCOUNT = 30
OF_NETWORK = 10
OF_STRANGE_NETWORKS = 200
MOST_COUNTED = 1_000  # pairs of account and network; the rest is counted as one
MOST_TOLD = 100  # of these, the largest


@dataclass(frozen=True, slots=True)
class Uncounted:
    """So many failures were not told one by one; ``account`` or ``network`` is empty for various ones."""

    account: str
    network: str
    failures: int
    since: float


class FailureDigest:
    """``now`` is in seconds since 1970.  ``take`` when ``is_due``."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since = now()
        self._told: Counter[tuple[str, str]] = Counter()
        self._counted: Counter[tuple[str, str]] = Counter()

    @property
    def is_due(self) -> bool:
        """Is the hour over, or the clock set back?"""
        return not 0 <= self._now() - self._since < HOUR_SECONDS

    def is_told(self, account: str, network: str) -> bool:
        """Count a failure; is it one that the journal tells by itself?  ``account`` is empty for none."""
        if self._has_room(account, network):
            return True
        key = (account, network)
        if key not in self._counted and len(self._counted) >= MOST_COUNTED:
            key = ("", "")
        self._counted[key] += 1
        return False

    def _has_room(self, account: str, network: str) -> bool:
        keys = {("account", account): OF_ACCOUNT}
        if not account:
            keys = {("network", network): OF_NETWORK, ("", ""): OF_STRANGE_NETWORKS}
        if any(self._told[key] >= most for key, most in keys.items()):
            return False
        self._told.update(keys.keys())
        return True

    def take(self) -> list[Uncounted]:
        """What was only counted, the most first; a new hour begins."""
        ranked = self._counted.most_common()
        told = [Uncounted(*key, failures, self._since) for key, failures in ranked[:MOST_TOLD]]
        if rest := sum(failures for _key, failures in ranked[MOST_TOLD:]):
            told.append(Uncounted("", "", rest, self._since))
        self._since = self._now()
        self._told.clear()
        self._counted.clear()
        return told
