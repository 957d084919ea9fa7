"""The octets of one connection, whoever began it: back-pressure, deadlines, TLS, and a decent end.

One coroutine speaks on it, so it does one thing at a time.  While that works, what arrives is kept up
to ``HIGH_WATER`` octets and then left in the kernel.

A peer that has ended its half of the connection still hears the answers.  When we end ours, what it
still sends is read and dropped for a while: a socket that is closed with octets unread resets the
connection, and a reset destroys what the peer has not read yet, our last reply.
"""

from __future__ import annotations

import socket

from OpenSSL.SSL import Connection as SSLConnection
from OpenSSL.SSL import Error as SSLError
from twisted.internet import tcp
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IPushProducer,
    IReactorTime,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from mailsys.interfaces import ConnectionEnded, HostStops, Peer, TimedOut
from mailsys.net.binding import channel_binding
from mailsys.net.house import Patience

HIGH_WATER = 64 * 1024
FAREWELL_SECONDS = 30.0  # how long what was sent last may take to leave
LINGER_SECONDS = 5.0  # how long the peer may take to close after that
LINGER_OCTETS = 1024 * 1024  # how much it may still send


@implementer(IHalfCloseableProtocol, IHandshakeListener, IPushProducer)
class Stream(Protocol):
    """What a listener's connection and one that we begin have in common."""

    transport: tcp.Connection

    def __init__(
        self,
        clock: IReactorTime,
        peer: Peer,
        tls: IOpenSSLServerConnectionCreator | IOpenSSLClientConnectionCreator | None,
        patience: Patience,
    ) -> None:
        self._clock = clock
        self.peer = peer
        self.tls = ""
        self.congested = False
        self._certificate = tls
        self._patience = patience
        self._received: list[bytes] = []
        self._octets = 0
        self._reading = True
        self._ended = False  # nothing more comes
        self._closing = False  # nothing more is said
        self._shut = False  # all that was said is with the kernel, and the peer was told that it is all
        self._lost = False
        self._dropped = 0
        self._waiter: Deferred[None] | None = None
        self._handshake: Deferred[None] | None = None
        self._deadline = 0.0
        self._stopping = False
        self._direct = True
        self._alarm: IDelayedCall | None = None

    # ------------------------------------------------------------------ what Twisted calls

    def connectionMade(self) -> None:
        """Begin."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Keep it and wake the conversation if it waits for it."""
        self._received.append(data)
        self._octets += len(data)
        if self._octets > HIGH_WATER and self._reading:
            self._stem()
        self._wake(self._waiter if not self.congested else None)

    def handshakeCompleted(self) -> None:
        """TLS is on."""
        if ISSLTransport.providedBy(self.transport):
            connection: SSLConnection = self.transport.getHandle()  # type: ignore[assignment]
            self.tls = f"{connection.get_protocol_version_name()} {connection.get_cipher_name()}"
        self._wake(self._handshake)

    def readConnectionLost(self) -> None:
        """The peer has said its last word, and may still listen."""
        self._ended = True
        if self._shut:
            self.transport.connectionLost(connectionDone)  # as Twisted does when both halves have ended
        elif self._closing:
            self.transport.loseConnection()
        self._wake(self._waiter)

    def writeConnectionLost(self) -> None:
        """Our last word is with the kernel."""
        self._shut = True
        self._set_alarm(LINGER_SECONDS)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Wake whatever waits, so that it sees the end."""
        if self._handshake is not None and not self.tls and reason.check(SSLError):
            self.tls_failed(f": {tls_words(reason.value)}")
        self._ended = self._lost = True
        self._direct = False
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._wake(self._handshake)
        self._wake(self._waiter)
        self._untie(reason)

    def pauseProducing(self) -> None:
        """The peer does not take what we send."""
        self.congested = True

    def resumeProducing(self) -> None:
        """The peer has taken it."""
        self.congested = False
        self._wake(self._waiter)

    def stopProducing(self) -> None:
        """The peer will take nothing more."""
        self.resumeProducing()

    # ------------------------------------------------------------------ what whoever speaks calls

    def send(self, data: bytes) -> None:
        """Write without waiting.

        A reply nearly always fits into the kernel's buffer, so it goes there at once, without the
        reactor's way round.  From the first time that it does not fit, Twisted's buffer is used.
        """
        if self._direct:
            try:
                sent = self.transport.socket.send(data)
            except OSError:
                sent = 0  # it is full, or broken: Twisted finds out which
            if sent == len(data):
                return
            self._direct = False
            data = data[sent:]
        self.transport.write(data)

    async def receive(self, seconds: float) -> bytes:
        """Wait for bytes."""
        while not self._received:
            if self._ended:
                raise ConnectionEnded
            await self._wait(seconds)
        data = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        self._forget_received()
        return data

    async def drained(self) -> None:
        """Wait until the peer has taken what was sent."""
        if self._lost:  # or who sends much would go on to nobody
            raise ConnectionEnded
        while self.congested:
            await self._wait(self._patience.reply_seconds)

    @property
    def has_received(self) -> bool:
        """Has something come that nobody has taken yet?"""
        return bool(self._received)

    def can_start_tls(self) -> bool:
        """Is there a certificate, and no TLS yet?"""
        return self._certificate is not None and not self.tls

    async def start_tls(self) -> None:
        """Do the handshake; whatever came in plain text and was not used is dropped."""
        await self.drained()  # what is paused now would stay so inside TLS
        self._forget_received()
        await self._shake_hands(b"")

    def channel_binding(self, kind: str) -> bytes | None:
        """What a login may be bound to."""
        if self._lost or not self.tls or not ISSLTransport.providedBy(self.transport):
            return None
        return channel_binding(self.transport.getHandle(), kind)  # type: ignore[arg-type]

    def close(self) -> None:
        """Let what was sent leave, then close; a peer that does not take it is cut off."""
        if self._closing or self._lost:
            return
        self._closing = True
        self._set_alarm(LINGER_SECONDS if self._direct else FAREWELL_SECONDS)
        self._forget_received()
        self.transport.unregisterProducer()
        if self._ended or self.tls:  # TLS itself waits for the peer's close_notify
            self.transport.loseConnection()
        elif self._direct:
            self._shut_down()
        else:
            self.transport.loseWriteConnection()
        self._ended = True

    # ------------------------------------------------------------------ inside

    def tls_failed(self, why: str) -> None:
        """TLS did not come about; ``why`` goes on from that."""

    def _untie(self, reason: Failure) -> None:
        """Let go of TLS, which Twisted ties to the transport in a circle: some 28 kB that only a search
        for garbage would find, which comes the later the more connections there are."""
        reason.cleanFailure()  # the frames of an error of OpenSSL hold on to its connection
        if ISSLTransport.providedBy(self.transport):
            for tie in ("getHandle", "getPeerCertificate"):
                vars(self.transport).pop(tie, None)

    async def _shake_hands(self, early: bytes) -> None:
        """Begin TLS; ``early`` is what came of it already."""
        if self._ended:
            raise ConnectionEnded
        self._direct = False
        self._handshake = Deferred()
        self.transport.startTLS(self._certificate)
        self._set_alarm(self._patience.handshake_seconds)
        if early:
            self.transport.protocol.dataReceived(early)  # TLS is the transport's protocol now
        await self._handshake
        self._handshake = None
        if self._lost or not self.tls:
            raise ConnectionEnded

    def _shut_down(self) -> None:
        """End our half at once: nothing waits in Twisted's buffer, so there is no turn to wait for."""
        try:
            self.transport.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the peer has broken it off, and Twisted is about to say so
        self.writeConnectionLost()

    def _wait(self, seconds: float) -> Deferred[None]:
        """Fires when something has happened, and fails with TimedOut when nothing has."""
        if self._stopping:
            raise HostStops
        if self._lost:
            raise ConnectionEnded
        self._set_alarm(seconds)
        self._waiter = Deferred()
        return self._waiter

    def _stem(self) -> None:
        """Too much has come: while we work it waits with the peer, after our last word it is dropped."""
        if not self._closing:
            self._reading = False
            self.transport.pauseProducing()
            return
        self._dropped += self._octets
        self._forget_received()
        if self._dropped > LINGER_OCTETS:
            self.transport.abortConnection()

    def _forget_received(self) -> None:
        self._received.clear()
        self._octets = 0
        if not self._reading and not self._ended:
            self._reading = True
            self.transport.resumeProducing()

    def _wake(self, waiter: Deferred[None] | None) -> None:
        if waiter is not None and not waiter.called:
            waiter.callback(None)

    def _set_alarm(self, seconds: float) -> None:
        """One timer a connection, moved only when it rings: most deadlines are never reached.

        At first it rings after the shortest time that there is to wait: a connection that ends before
        that, as most do, has never had another.
        """
        self._deadline = self._clock.seconds() + seconds
        if self._alarm is None:
            self._alarm = self._clock.callLater(min(seconds, LINGER_SECONDS), self._ring)
        elif self._alarm.getTime() > self._deadline:
            self._alarm.cancel()
            self._alarm = self._clock.callLater(seconds, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        left = self._deadline - self._clock.seconds()
        if left > 0:
            self._alarm = self._clock.callLater(left, self._ring)
        elif self._shut:
            self.transport.connectionLost(connectionDone)  # what the kernel still holds goes on its way
        elif self._closing or self._handshake is not None:
            if not self._closing:
                self.tls_failed(f" within {self._patience.handshake_seconds:g} s")
            self.transport.abortConnection()
        elif self._waiter is not None and not self._waiter.called:
            self._waiter.errback(TimedOut())


def tls_words(error: BaseException | None) -> str:
    """What OpenSSL says in words: an error of its holds a list of (library, function, reason)."""
    told = error.args[0] if error is not None and error.args else ""
    return ", ".join(reason for _, _, reason in told) if isinstance(told, list) else str(told)
