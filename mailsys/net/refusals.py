"""Tells of connections that were not let in, so that a flood of them is no flood in the journal."""

from __future__ import annotations

from collections.abc import Callable

from mailsys.interfaces import Peer
from mailsys.net.origin import origin_of
from mailsys.net.rates import RateTable

MOST_A_MINUTE = 60

Note = Callable[[Peer, bytes, str], None]  # who, with which words of farewell, and why
_ALL = b"all"


class SparingNote:
    """Passes on one refusal a minute for each address and service, and of each kind only some in all."""

    def __init__(self, seconds: Callable[[], float], note: Note) -> None:
        self._note = note
        self._told = RateTable(seconds)

    def __call__(self, peer: Peer, farewell: bytes, reason: str) -> None:
        """Somebody was turned away."""
        origin = origin_of(peer.host)
        key = (origin.address if origin else b"") + peer.service.encode()
        kind = _ALL + farewell
        if self._told.rate(key) or self._told.rate(kind) >= MOST_A_MINUTE:
            return
        self._told.count(key)
        self._told.count(kind)
        self._note(peer, farewell, reason)
