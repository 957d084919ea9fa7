"""One question to one server: a datagram from a port of its own, or a stream (RFC 1035 4.2, RFC 7766)."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from mailsys.net.dns.codec import has_id

Server = tuple[str, int]  # IP address and port

READ_OCTETS = 4096
MOST_STRAYS = 20  # datagrams with a wrong id, as from somebody who guesses
_LENGTH_OCTETS = 2


class NoReply(Exception):  # noqa: N818 - another server is asked
    """The server did not reply, or cannot be reached."""


class Guessed(NoReply):
    """Datagrams came that only somebody who guesses would send; TCP cannot be guessed like that."""


class _Datagrams(DatagramProtocol):
    """Waits for a datagram with the right id.  The kernel drops those of any other address or port."""

    noisy = False

    def __init__(self, number: int) -> None:
        self._number = number
        self._strays = 0
        self.reply: Deferred[bytes] = Deferred()

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        if self.reply.called:
            return
        if has_id(datagram, self._number):
            self.reply.callback(datagram)
            return
        self._strays += 1
        if self._strays > MOST_STRAYS:
            self.reply.errback(Guessed("it sent replies with wrong ids"))

    def connectionRefused(self) -> None:
        if not self.reply.called:
            self.reply.errback(NoReply("nobody answers on its port"))


async def ask_by_datagram(reactor: Any, server: Server, number: int, query: bytes, seconds: float) -> bytes:
    """The first datagram from this server with the id; raises NoReply."""
    host, port = server
    protocol = _Datagrams(number)
    try:
        # Port 0: the kernel chooses one at random (RFC 5452 9.2).
        transport = reactor.listenUDP(0, protocol, "::" if ":" in host else "", READ_OCTETS)
    except Exception as error:
        raise NoReply(f"no port can be opened: {error}") from error
    try:
        transport.connect(host, port)
        transport.write(query)
        return await protocol.reply.addTimeout(seconds, reactor)
    except TimeoutError:
        raise NoReply(f"it did not answer within {seconds:.0f} seconds") from None
    except OSError as error:
        raise NoReply(str(error)) from error
    finally:
        transport.stopListening()


class _Stream(Protocol):
    """Takes one message with its length before it: 64 kB at most, by the form of the length."""

    def __init__(self) -> None:
        self._octets = b""
        self.reply: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self._octets += data
        end = _LENGTH_OCTETS + int.from_bytes(self._octets[:_LENGTH_OCTETS], "big")
        if len(self._octets) >= max(end, _LENGTH_OCTETS) and not self.reply.called:
            self.reply.callback(self._octets[_LENGTH_OCTETS:end])

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.reply.called:
            self.reply.errback(NoReply("it closed the connection"))


async def ask_by_stream(reactor: Any, server: Server, number: int, query: bytes, seconds: float) -> bytes:
    """The first message with the id; raises NoReply."""
    exchange = Deferred.fromCoroutine(_exchange(reactor, server, query, seconds))
    try:
        reply = await exchange.addTimeout(seconds, reactor)
    except NoReply:
        raise
    except TimeoutError:
        raise NoReply(f"it did not answer over TCP within {seconds:.0f} seconds") from None
    except Exception as error:
        raise NoReply(f"it cannot be reached over TCP: {error}") from error
    if not has_id(reply, number):
        raise NoReply("its reply over TCP has a wrong id")
    return reply


async def _exchange(reactor: Any, server: Server, query: bytes, seconds: float) -> bytes:
    host, port = server
    endpoint = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
    protocol: Any = await endpoint(reactor, host, port, timeout=seconds).connect(Factory.forProtocol(_Stream))
    try:
        protocol.transport.write(len(query).to_bytes(_LENGTH_OCTETS, "big") + query)
        reply: bytes = await protocol.reply
        return reply
    finally:
        protocol.transport.abortConnection()
