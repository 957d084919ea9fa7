"""Makes a :class:`Connection` for each peer of one listener, or turns it away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator, IReactorTime, ITransport
from twisted.internet.protocol import Factory, Protocol

from mailsys.interfaces import IConversation, Peer
from mailsys.net.connection import Connection
from mailsys.net.descriptors import Descriptors
from mailsys.net.house import Patience
from mailsys.net.limits import ConnectionLimits, Network, Objection, is_within
from mailsys.net.origin import plain_host

NO_ROOM = Objection("file descriptors are short: what is left is for mail under way", is_ours=True)


@dataclass(frozen=True, slots=True)
class Farewells:
    """What a peer hears that is not let in: when we are full, and when it has enough already."""

    full: bytes = b""
    enough: bytes = b""

    def to(self, objection: Objection) -> bytes:
        """The words for an objection."""
        return self.full if objection.is_ours else self.enough


def peer_of(address: IAddress | None, service: str) -> Peer:
    """Who is at the other end."""
    if isinstance(address, IPv4Address | IPv6Address):
        return Peer(plain_host(address.host), address.port, service)
    return Peer("", 0, service)


def _tell_nobody(_peer: Peer, _farewell: bytes, _reason: str) -> None:
    """Where nobody keeps a journal."""


class ConversationFactory(Factory):
    """``farewells`` are for those who are not let in.

    ``converse`` makes what speaks on a connection; it is set before the first one is let in.
    ``on_refused`` hears who was turned away, with which words, and why.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        service: str,
        limits: ConnectionLimits,
        farewells: Farewells,
        tls: IOpenSSLServerConnectionCreator | None,
        *,
        implicit_tls: bool = False,
        proxies: tuple[Network, ...] = (),
    ) -> None:
        self._clock = clock
        self._service = service
        self.converse: Callable[[], IConversation]
        self.on_refused: Callable[[Peer, bytes, str], None] = _tell_nobody
        self._limits = limits
        self._farewells = Farewells() if implicit_tls else farewells  # in TLS nobody listens yet
        self.tls = tls
        self._implicit_tls = implicit_tls
        self._proxies = proxies
        self.patience = Patience()
        self.descriptors: Descriptors | None = None
        self.connections: set[Connection] = set()

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """A connection, or a refusal."""
        peer = peer_of(addr, self._service)
        if self._proxies and not is_within(peer.host or "127.0.0.1", self._proxies):
            return self._refusal(peer, Objection("it is no proxy of this listener (proxy_from)"), b"")
        place = self._limits.enter()
        if isinstance(place, Objection):
            return self._refusal(peer, place, self._farewells.to(place))
        if not self._proxies and (objection := place.identify(peer)):
            place.leave()
            return self._refusal(peer, objection, self._farewells.to(objection))
        connection = Connection(
            self._clock,
            peer,
            self.converse,
            self.tls,
            implicit_tls=self._implicit_tls,
            is_proxied=bool(self._proxies),
            is_local=isinstance(addr, UNIXAddress),
            patience=self.patience,
            place=place,
            house=self,
        )
        self.connections.add(connection)
        return connection

    def end_all(self) -> None:
        """Close every connection; what was sent may still leave."""
        for connection in list(self.connections):
            connection.end()

    # ------------------------------------------------------------------ what a connection calls

    def objection_to(self, connection: Connection) -> bytes | None:
        """A connection is made: what is it told instead of being served?"""
        if self.descriptors is None or not self.descriptors.is_short(connection.transport.fileno()):
            return None
        return self._object(connection.peer, NO_ROOM)

    def introduce(self, connection: Connection) -> bytes | None:
        """A proxy has said whose connection it is: what is the peer told instead of being served?"""
        objection = connection.place.identify(connection.peer)
        return None if objection is None else self._object(connection.peer, objection)

    def turned_away(self, connection: Connection, reason: str) -> None:
        """A connection ends before anything could be said on it."""
        self.on_refused(connection.peer, b"", reason)

    def forget(self, connection: Connection) -> None:
        """A connection is no more."""
        self.connections.discard(connection)
        connection.place.leave()

    # ------------------------------------------------------------------ inside

    def _object(self, peer: Peer, objection: Objection) -> bytes:
        farewell = self._farewells.to(objection)
        self.on_refused(peer, farewell, objection.reason)
        return farewell

    def _refusal(self, peer: Peer, objection: Objection, farewell: bytes) -> Protocol:
        self.on_refused(peer, farewell, objection.reason)
        return Refusal(farewell)


class Refusal(Protocol):
    """Says one line and closes."""

    transport: ITransport

    def __init__(self, line: bytes) -> None:
        self._line = line

    def connectionMade(self) -> None:
        """Refuse."""
        self.transport.write(self._line)
        self.transport.loseConnection()
