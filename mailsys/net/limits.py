"""Who is let in: how many connections there may be, in all, from one address and from one network.

Everybody counts in the total.  Loopback, local sockets and the networks that are trusted count nowhere
else.  All others count for each service by itself, so that mail from a host does not keep the people
behind the same address from reading theirs; nor may one service take all of the total.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

from mailsys.interfaces import Peer
from mailsys.net.origin import Origin, origin_of, shown
from mailsys.net.rates import RateTable

Network = IPv4Network | IPv6Network

SHARE_OF_A_SERVICE = 0.75  # of the total, so that no flood of one locks out the people of another


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one service lets in, from one address and from one network.  0 is without limit."""

    open_per_address: int = 0
    open_per_network: int = 0
    new_per_address: int = 0  # within a minute
    new_per_network: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """``allowances`` are by service; a ``total`` of 0 is without limit."""

    total: int = 0
    allowances: Mapping[str, Allowance] = field(default_factory=dict)
    exempt: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a connection is not let in; ``is_ours`` when it is not for anything that its peer did."""

    reason: str
    is_ours: bool = False


_address_of = lru_cache(maxsize=1000)(ip_address)  # it is asked several times a connection, and a message


def is_within(host: str, networks: tuple[Network, ...]) -> bool:
    """Is the IP address in one of the networks?"""
    if not networks or not host:
        return False
    address = _address_of(host)
    return any([address in network for network in networks])


class _Door:
    """The counts of one service."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.open: Counter[bytes] = Counter()
        self.new = RateTable(seconds)
        self.inside = 0

    def objection(self, origin: Origin, may: Allowance) -> Objection | None:
        """What speaks against one connection more."""
        for key, most_open, most_new in (
            (origin.address, may.open_per_address, may.new_per_address),
            (origin.network, may.open_per_network, may.new_per_network),
        ):
            if most_open and self.open[key] >= most_open:
                return Objection(f"{self.open[key]} connections from {shown(key)} are open")
            if most_new and self.new.rate(key) >= most_new:
                return Objection(f"{most_new} connections came from {shown(key)} within a minute")
        return None

    def enter(self, origin: Origin) -> None:
        """One more."""
        self.inside += 1
        for key in (origin.address, origin.network):
            self.open[key] += 1
            self.new.count(key)

    def leave(self, origin: Origin) -> None:
        """One less."""
        self.inside -= 1
        for key in (origin.address, origin.network):
            self.open[key] -= 1
            if not self.open[key]:
                del self.open[key]


class ConnectionLimits:
    """Counts the connections of a host.  ``rules`` may be changed at any time, for those to come."""

    def __init__(self, seconds: Callable[[], float], rules: Rules) -> None:
        self.rules = rules
        self.open = 0
        self._seconds = seconds
        self._doors: dict[str, _Door] = {}

    def enter(self) -> Place | Objection:
        """Count a new connection in the total, unless that is full; next, say whose it is."""
        if self.rules.total and self.open >= self.rules.total:
            return Objection(f"{self.open} connections are open, which is all there may be", is_ours=True)
        self.open += 1
        return Place(self)

    def is_exempt(self, peer: Peer) -> bool:
        """Does this peer count in the total only?"""
        return peer.is_loopback or is_within(peer.host, self.rules.exempt)

    def door(self, service: str) -> _Door:
        """The counts of a service."""
        return self._doors.setdefault(service, _Door(self._seconds))


class Place:
    """What one connection takes up; whoever has it calls ``leave`` once, at the end."""

    __slots__ = ("_door", "_limits", "_origin")

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._door: _Door | None = None
        self._origin: Origin | None = None

    def identify(self, peer: Peer) -> Objection | None:
        """Count it for its peer as well, unless something speaks against that."""
        origin = None if self._limits.is_exempt(peer) else origin_of(peer.host)
        if origin is None:
            return None
        rules, door = self._limits.rules, self._limits.door(peer.service)
        if rules.total and door.inside >= SHARE_OF_A_SERVICE * rules.total:
            return Objection(f"{door.inside} connections to {peer.service} are open", is_ours=True)
        if objection := door.objection(origin, rules.allowances.get(peer.service, Allowance())):
            return objection
        door.enter(origin)
        self._door, self._origin = door, origin
        return None

    def leave(self) -> None:
        """It has ended."""
        self._limits.open -= 1
        if self._door is not None and self._origin is not None:
            self._door.leave(self._origin)
