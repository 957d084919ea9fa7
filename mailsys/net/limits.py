"""How many connections there may be, in all and from one address."""

from __future__ import annotations

from collections import Counter

from mailsys.interfaces import Peer


class ConnectionLimits:
    """Counts open connections.  A limit of 0 is none; loopback addresses count only in the total.

    The limits may be changed at any time, for the connections to come.
    """

    def __init__(self, total: int, per_address: int) -> None:
        self.total = total
        self.per_address = per_address
        self._open = 0
        self._by_address: Counter[str] = Counter()

    def enter(self, peer: Peer) -> bool:
        """Count a new connection; False when it is one too many (it is then not counted)."""
        if self.total and self._open >= self.total:
            return False
        if not peer.is_loopback:
            if self.per_address and self._by_address[peer.host] >= self.per_address:
                return False
            self._by_address[peer.host] += 1
        self._open += 1
        return True

    def leave(self, peer: Peer) -> None:
        """A counted connection has ended."""
        self._open -= 1
        if not peer.is_loopback:
            self._by_address[peer.host] -= 1
            if not self._by_address[peer.host]:
                del self._by_address[peer.host]
