"""Makes a :class:`Connection` for each peer of one listener."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator, IReactorTime, ITransport
from twisted.internet.protocol import Factory, Protocol

from mailsys.interfaces import IConversation, Peer
from mailsys.net.connection import Connection
from mailsys.net.limits import ConnectionLimits


def peer_of(address: IAddress | None, service: str) -> Peer:
    """Who is at the other end; an IPv4 address that came over an IPv6 socket is written as IPv4."""
    if isinstance(address, IPv4Address | IPv6Address):
        mapped = address.host.removeprefix("::ffff:")  # RFC 4291 2.5.5.2
        return Peer(address.host if ":" in mapped else mapped, address.port, service)
    return Peer("", 0, service)


class ConversationFactory(Factory):
    """``busy`` is what one connection too many is told.

    ``converse`` makes what speaks on a connection; it is set before the first one is let in.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        service: str,
        limits: ConnectionLimits,
        busy: bytes,
        tls: IOpenSSLServerConnectionCreator | None,
        *,
        implicit_tls: bool = False,
    ) -> None:
        self._clock = clock
        self._service = service
        self.converse: Callable[[], IConversation]
        self._limits = limits
        self._busy = busy
        self.tls = tls
        self._implicit_tls = implicit_tls
        self.connections: set[Connection] = set()

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """A connection, or a refusal when there are too many."""
        peer = peer_of(addr, self._service)
        if not self._limits.enter(peer):
            return Refusal(b"" if self._implicit_tls else self._busy)
        connection = Connection(
            self._clock,
            peer,
            self.converse,
            self.tls,
            implicit_tls=self._implicit_tls,
            on_end=self._ended,
        )
        self.connections.add(connection)
        return connection

    def end_all(self) -> None:
        """Close every connection; what was sent may still leave."""
        for connection in list(self.connections):
            connection.end()

    def _ended(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self._limits.leave(connection.peer)


class Refusal(Protocol):
    """Says one line and closes."""

    transport: ITransport

    def __init__(self, line: bytes) -> None:
        self._line = line

    def connectionMade(self) -> None:
        """Refuse."""
        self.transport.write(self._line)
        self.transport.loseConnection()
