"""Who may try a password, and how long a wrong one takes to be answered.

Four counts, each of failures within about an hour:

===============  ====================================================================================
an address       how often anything went wrong from there
a network        the same for its /24 or /64, so that to change the address helps little
a name           how often strangers tried it, from anywhere: a thousand addresses are one guesser
name and network where that account has logged in before: its owner, or somebody who sits beside him
===============  ====================================================================================

The first three block.  The last never does: who comes from a network that the account knows is not
held up by what others do, and after many failures of his own he waits for his turn (``turns``).
A name is counted whether it exists or not, so the counts tell nobody which names exist.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from mailsys.accounts.guessing.networks import network_of
from mailsys.accounts.guessing.tally import Lengths, Tally

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_PAUSE_SECONDS = 15.0
REPEATS_SECONDS = 3600.0
MOST_REPEATS = 5_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Failures within an hour, or 0 for no limit; ``never_blocked`` are networks of many users."""

    per_address: int = 10
    per_network: int = 30
    per_account: int = 20
    block_seconds: float = 900.0
    longest_block_seconds: float = 8 * 3600.0
    never_blocked: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimant:
    """Somebody who says to be ``name``, which is completed and folded; ``is_known``: this account
    has logged in from this network before."""

    name: str
    host: str
    network: str
    is_known: bool


@dataclass(frozen=True, slots=True)
class Block:
    """``kind`` is account, address or network."""

    kind: str
    subject: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Penalty:
    """What follows from a failure; ``pause_seconds`` until it is answered."""

    pause_seconds: float
    blocks: tuple[Block, ...] = ()


class Guard:
    """Keeps the counts of a host, in memory; ``key`` makes digests of names and passwords."""

    def __init__(self, now: Callable[[], float], key: bytes, rules: Rules) -> None:
        self.rules = rules
        self._now = now
        self._key = key
        self._tallies = {kind: Tally(now) for kind in ("account", "address", "network", "pair")}
        self._repeats: OrderedDict[bytes, float] = OrderedDict()

    def blocked_seconds(self, who: Claimant) -> float:
        """For how long this stranger may not try; 0 for who is known."""
        if who.is_known:
            return 0.0
        account = self._tallies["account"].blocked_seconds(self._digest(who.name))
        return max(account, self.place_blocked_seconds(who.host))

    def place_blocked_seconds(self, host: str) -> float:
        """For how long strangers may not try from there."""
        if self._is_exempt(host):
            return 0.0
        address = self._tallies["address"].blocked_seconds(self._digest(host))
        return max(address, self._tallies["network"].blocked_seconds(self._digest(network_of(host))))

    def is_paced(self, who: Claimant) -> bool:
        """Has somebody who is known failed so often that he must wait for his turn?"""
        return who.is_known and self._tallies["pair"].is_full(self._pair(who), self.rules.per_account)

    def failed(self, who: Claimant, password: str | None) -> Penalty:
        """Count a failure.  A program that says the same wrong password again and again does not guess."""
        if self._is_repeated(who, password):
            return Penalty(self._pause(who))
        blocks = []
        for kind, subject in self._counted(who):
            lengths = Lengths(self.rules.block_seconds, self.rules.longest_block_seconds)
            seconds = self._tallies[kind].add(self._digest(subject), self._limit(kind), lengths)
            if seconds:
                blocks.append(Block(kind, subject, seconds))
        return Penalty(self._pause(who), tuple(blocks))

    def succeeded(self, who: Claimant) -> None:
        """The password was right: forget what was wrong from there for this account.

        The counts of address and network stay, or whoever has one account here could guess at others.
        """
        self._tallies["pair"].forgive(self._pair(who))

    def block(self, block: Block) -> None:
        """Take up a block of an earlier run."""
        self._tallies[block.kind].block(self._digest(block.subject), block.seconds)

    def forgive(self, kind: str, subject: str) -> None:
        """Lift a block, and forget its count."""
        if kind in self._tallies:
            self._tallies[kind].forgive(self._digest(subject))

    def _counted(self, who: Claimant) -> list[tuple[str, str]]:
        """What a failure counts for.  Who is known spoils nothing for his neighbours, up to a limit."""
        places = [] if self._is_exempt(who.host) else [("address", who.host), ("network", who.network)]
        if not who.is_known:
            return [("account", who.name), *places]
        self._tallies["pair"].add(self._pair(who), self.rules.per_account)
        return places if self.is_paced(who) else []

    def _limit(self, kind: str) -> int:
        rules = self.rules
        limits = {"account": rules.per_account, "address": rules.per_address, "network": rules.per_network}
        return limits[kind]

    def _pause(self, who: Claimant) -> float:
        """1, 2, 4 … seconds, by what was counted before in the same matter."""
        rules = self.rules
        if who.is_known:
            level = self._tallies["pair"].level(self._pair(who), rules.per_account)
        else:
            level = self._tallies["account"].level(self._digest(who.name), rules.per_account)
            if not self._is_exempt(who.host):
                address = self._tallies["address"].level(self._digest(who.host), rules.per_address)
                level = max(level, address)
        # A count that has led to a block begins at nothing again; its pause must not.
        if self.blocked_seconds(who):
            return LONGEST_PAUSE_SECONDS
        return min(2.0 ** max(0, round(level) - 1), LONGEST_PAUSE_SECONDS)

    def _is_exempt(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return True  # a local socket
        return any(address in network for network in self.rules.never_blocked)

    def _is_repeated(self, who: Claimant, password: str | None) -> bool:
        if password is None:
            return False
        key, now = self._digest(f"{who.name}\0{who.network}\0{password}"), self._now()
        last = self._repeats.pop(key, None)
        self._repeats[key] = now
        if len(self._repeats) > MOST_REPEATS:
            self._repeats.popitem(last=False)
        return last is not None and now - last < REPEATS_SECONDS

    def _pair(self, who: Claimant) -> bytes:
        return self._digest(f"{who.name}\0{who.network}")

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(errors="replace"), key=self._key, digest_size=16).digest()
