"""What the connections of a listener ask of it, and how much time each gives its peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mailsys.net.connection import Connection


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that a peer may take: for a whole TLS handshake, and to read what we have sent."""

    handshake_seconds: float = 30.0
    reply_seconds: float = 300.0


class House(Protocol):
    """What a connection asks the listener that made it.  A farewell is said instead of serving."""

    def objection_to(self, connection: Connection) -> bytes | None:
        """It is made: None, or a farewell."""

    def introduce(self, connection: Connection) -> bytes | None:
        """Its peer is known, as a proxy told it: None, or a farewell."""

    def turned_away(self, connection: Connection, reason: str) -> None:
        """It ends before anything could be said."""

    def forget(self, connection: Connection) -> None:
        """It is no more."""
