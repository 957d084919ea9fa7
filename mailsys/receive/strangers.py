"""What is remembered of other hosts from one connection to the next, by address.

How many messages they brought within a minute; and how many recipients they asked for that do not
exist, beyond the messages that were accepted from them.  A list has stale addresses among good ones, so
a host that brings mail is forgiven as much; one that only guesses is not, and reconnecting does not help.

Loopback, the networks that are trusted, users who are logged in, and the programs that speak LMTP count
nowhere.  An IPv6 address counts with its /64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mailsys.config.schema import Configuration
from mailsys.interfaces import Session
from mailsys.net.limits import Network, is_within
from mailsys.net.origin import Origin, origin_of
from mailsys.net.rates import RateTable

FORGET_SECONDS = 180.0  # after which one unknown recipient is forgotten
MOST_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class Patience:
    """``messages`` from one address in a minute, and ``of_network``; ``unknown`` recipients.  0: no limit."""

    messages: int = 0
    unknown: int = 0
    pause_seconds: float = 0.1  # how much longer each unknown recipient waits than the one before
    exempt: tuple[Network, ...] = ()
    of_network: int = 0


def patience_of(configuration: Configuration) -> Patience:
    """What the configuration says."""
    limits = configuration.limits
    return Patience(
        limits.messages_per_address,
        limits.unknown_recipients,
        limits.error_pause,
        configuration.receive.trusted_networks,
        limits.messages_per_network,
    )


class Strangers:
    """Shared by all sessions of a host.  ``patience`` may be changed at any time."""

    def __init__(self, seconds: Callable[[], float], patience: Patience) -> None:
        self.patience = patience
        self._seconds = seconds
        self._messages = RateTable(seconds)
        self._guesses: dict[bytes, tuple[float, float]] = {}  # how many, and when; the latest is last

    def __len__(self) -> int:
        return len(self._guesses)

    def has_sent_enough(self, session: Session) -> bool:
        """Did its address, or its network, bring all the messages that it may in a minute?"""
        origin, patience = self._origin(session), self.patience
        if origin is None:
            return False
        return self._is_full(origin.address, patience.messages) or self._is_full(
            origin.network, patience.of_network
        )

    def _is_full(self, key: bytes, most: int) -> bool:
        return bool(most) and self._messages.rate(key) >= most

    def message_accepted(self, session: Session) -> None:
        """A message was taken from it."""
        if origin := self._origin(session):
            self._messages.count(origin.address)
            if self.patience.of_network:
                self._messages.count(origin.network)
            if origin.address in self._guesses:
                self._put(origin.address, self._guessed(origin.address) - 1)

    def counts_guesses(self, session: Session) -> bool:
        """Is it counted here how often it asks for what does not exist?"""
        return bool(self.patience.unknown and self._key(session))

    def guessed(self, session: Session) -> None:
        """It asked for a recipient that does not exist."""
        if key := self._key(session):
            self._put(key, min(self._guessed(key), self.patience.unknown) + 1)

    def guesses_too_much(self, session: Session) -> bool:
        """Has it used up what it may guess?"""
        return self.counts_guesses(session) and self._guessed(self._key(session)) > self.patience.unknown

    def pause_for_guesses(self, session: Session) -> float:
        """Seconds that it has to wait for its next answer about a recipient that does not exist."""
        guessed = min(self._guessed(self._key(session)), self.patience.unknown)
        return int(guessed) * self.patience.pause_seconds

    def _guessed(self, key: bytes) -> float:
        """How many are not forgotten yet."""
        many, then = self._guesses.get(key, (0.0, 0.0))
        return max(0.0, many - (self._seconds() - then) / FORGET_SECONDS)

    def _put(self, key: bytes, many: float) -> None:
        self._guesses.pop(key, None)
        if many > 0:
            self._guesses[key] = many, self._seconds()
            if len(self._guesses) > MOST_ADDRESSES:
                del self._guesses[next(iter(self._guesses))]

    def _key(self, session: Session) -> bytes:
        """Its address; empty for those who are not counted."""
        origin = self._origin(session)
        return origin.address if origin else b""

    def _origin(self, session: Session) -> Origin | None:
        """From where it comes; None for those who are not counted."""
        peer = session.peer
        is_exempt = peer.service == "lmtp" or session.login is not None or peer.is_loopback
        if is_exempt or is_within(peer.host, self.patience.exempt):
            return None
        return origin_of(peer.host)
