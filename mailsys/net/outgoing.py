"""Connections that we begin: to the first of several addresses that answers (RFC 8305)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectError,
    ConnectionAborted,
    ConnectionDone,
    ConnectionLost,
    TimeoutError,
    UserError,
)
from twisted.internet.interfaces import IAddress, IConnector, IDelayedCall, IReactorTCP, IReactorTime
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.python.failure import Failure

from mailsys.interfaces import Peer
from mailsys.net.client_tls import Handshake
from mailsys.net.house import Patience
from mailsys.net.stream import Stream, tls_words

CONNECT_SECONDS = 30.0
STAGGER_SECONDS = 0.25  # RFC 8305 5: Connection Attempt Delay


class IConnectingReactor(IReactorTCP, IReactorTime):
    """What of the reactor is needed here."""


class CannotConnect(Exception):  # noqa: N818 - another host may answer
    """No address answered; ``reasons`` tells why, by address."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__(", ".join(f"{address}: {why}" for address, why in reasons.items()))
        self.reasons = reasons


class OutgoingConnection(Stream):
    """One that we began: whoever called ``connect`` owns it, speaks on it and closes it.

    ``why_ended`` says in words why it has ended, if it has.  ``on_silence_broken`` is called when the
    server speaks or goes, for whoever keeps the connection without waiting for anything.
    """

    def __init__(
        self,
        clock: IReactorTime,
        peer: Peer,
        patience: Patience,
        made: Callable[[OutgoingConnection], None],
    ) -> None:
        super().__init__(clock, peer, None, patience)
        self.why_ended = ""
        self.on_silence_broken: Callable[[], None] | None = None
        self._made = made

    def connectionMade(self) -> None:
        """Give it to whoever wanted it."""
        super().connectionMade()
        self._made(self)

    def dataReceived(self, data: bytes) -> None:
        """Keep it, and tell if nobody waits: first, as whoever waits may go on to keep the connection."""
        self._break_silence()
        super().dataReceived(data)

    def readConnectionLost(self) -> None:
        """The server has said its last word."""
        super().readConnectionLost()
        self.why_ended = self.why_ended or "it closed the connection"
        self._break_silence()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Remember why."""
        self.why_ended = self.why_ended or _words(reason)
        super().connectionLost(reason)
        self._break_silence()

    @property
    def has_ended(self) -> bool:
        """Has the server said its last word, or is the connection gone?"""
        return self._ended

    def take(self) -> bytes:
        """Return what has come already, without waiting."""
        data = b"".join(self._received)
        self._forget_received()
        return data

    async def begin_tls(self, handshake: Handshake) -> None:
        """Do the handshake as the client; raises ConnectionEnded."""
        self._certificate = handshake
        await self.start_tls()

    def abort(self) -> None:
        """End it at once, without another word."""
        if not self._lost:
            self.transport.abortConnection()

    def _break_silence(self) -> None:
        if self.on_silence_broken is not None:
            self.on_silence_broken()


def _words(reason: Failure) -> str:
    """Why a connection failed or ended, for people."""
    error = reason.value
    if isinstance(error, SSL.Error):
        return tls_words(error)
    if isinstance(error, ConnectionDone):
        return "it closed the connection"
    if isinstance(error, ConnectionAborted):
        return "it took too long"
    if isinstance(error, ConnectionLost):
        return "the connection broke"
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, ConnectError) and isinstance(error.osError, int):
        return os.strerror(error.osError)
    return str(reason.getErrorMessage()).partition("\n")[0][:200]


def in_turns(addresses: Sequence[str]) -> list[str]:
    """IPv6 and IPv4 in turns, IPv6 first, each in the order given (RFC 8305 4)."""
    sixes = [address for address in addresses if ":" in address]
    fours = [address for address in addresses if ":" not in address]
    return [address for address in chain(*zip_longest(sixes, fours)) if address is not None]


@dataclass(frozen=True, slots=True)
class Dialler:
    """How we connect: ``sources`` are our own addresses to connect from, at most one of each kind.

    Without one the system chooses.
    """

    reactor: IConnectingReactor
    patience: Patience
    sources: Sequence[str] = ()

    async def connect(self, addresses: Sequence[str], port: int, service: str) -> OutgoingConnection:
        """Connect to the first address that answers; raises CannotConnect.

        While one does not answer the next is tried beside it.
        """
        return await _Race(self, in_turns(addresses), port, service).run()


class _Race:
    """Attempts at several addresses; the first to answer ends those of the others."""

    def __init__(self, dialler: Dialler, addresses: Sequence[str], port: int, service: str) -> None:
        self._dialler = dialler
        self._reactor = dialler.reactor
        self._left = list(addresses)
        self._port = port
        self._service = service
        self._running: dict[str, IConnector] = {}
        self._reasons: dict[str, str] = {}
        self._timer: IDelayedCall | None = None
        self._won: Deferred[OutgoingConnection] = Deferred(lambda _won: self._end())

    def run(self) -> Deferred[OutgoingConnection]:
        """Begin; the deferred may be cancelled."""
        self._start_next()
        return self._won

    def _start_next(self) -> None:
        self._stop_timer()
        if not self._left:
            if not self._running:
                self._won.errback(CannotConnect(self._reasons))
            return
        address = self._left.pop(0)
        factory = _AttemptFactory(self, self._dialler, Peer(address, self._port, self._service))
        source = next((own for own in self._dialler.sources if (":" in own) == (":" in address)), None)
        self._running[address] = self._reactor.connectTCP(
            address, self._port, factory, CONNECT_SECONDS, (source, 0) if source else None
        )
        if self._left:
            self._timer = self._reactor.callLater(STAGGER_SECONDS, self._start_next)

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def made(self, connection: OutgoingConnection) -> None:
        """One answered."""
        if self._won.called:
            connection.abort()
            return
        self._running.pop(connection.peer.host, None)
        self._end()
        self._won.callback(connection)

    def failed(self, address: str, reason: Failure) -> None:
        """One will not answer."""
        if self._won.called or reason.check(UserError):
            return
        self._running.pop(address, None)
        self._reasons[address] = _words(reason)
        self._start_next()

    def _end(self) -> None:
        self._stop_timer()
        self._left.clear()
        running, self._running = self._running, {}
        for connector in running.values():
            connector.disconnect()


class _AttemptFactory(ClientFactory):
    """One attempt of a race."""

    noisy = False

    def __init__(self, race: _Race, dialler: Dialler, peer: Peer) -> None:
        self._race = race
        self._dialler = dialler
        self._peer = peer

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """The connection is there."""
        dialler = self._dialler
        return OutgoingConnection(dialler.reactor, self._peer, dialler.patience, self._race.made)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """The connection will not be there."""
        self._race.failed(self._peer.host, reason)
