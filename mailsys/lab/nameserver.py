"""The lab's DNS server: answers from a file of zone lines, over UDP and TCP (RFC 1035, RFC 7766).

A process of its own, run as ``python -m mailsys.lab.nameserver ADDRESS PORT FILE``.  SIGHUP makes it read
the file again.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import IAddress, ITransport
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from twisted.protocols.basic import Int16StringReceiver
from twisted.protocols.policies import TimeoutMixin

from mailsys.lab.zone import Zone, ZoneError, answer

UDP_OCTETS = 512  # RFC 1035 4.2.1
STREAM_OCTETS = 4096  # of one query
STREAM_SECONDS = 10.0
READY = "Answering on"  # what it prints as soon as it does

Reply = Callable[[bytes, int | None], bytes | None]


class Datagrams(DatagramProtocol):
    """Queries over UDP."""

    noisy = False

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """Answer it."""
        octets = self._reply(datagram, UDP_OCTETS)
        if octets is not None and self.transport is not None:
            self.transport.write(octets, addr)


class Stream(Int16StringReceiver, TimeoutMixin):
    """Queries over TCP, each behind its length."""

    transport: ITransport
    MAX_LENGTH = STREAM_OCTETS

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def connectionMade(self) -> None:
        """Wait for the first query, not for ever."""
        self.setTimeout(STREAM_SECONDS)  # type: ignore[no-untyped-call]

    def stringReceived(self, string: bytes) -> None:
        """Answer one query; hang up on what is none."""
        self.resetTimeout()  # type: ignore[no-untyped-call]
        octets = self._reply(string, None)
        if octets is None:
            self.transport.loseConnection()
        else:
            self.sendString(octets)  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Any = None) -> None:
        """Nobody waits any more."""
        self.setTimeout(None)  # type: ignore[no-untyped-call]


class Streams(Factory):
    """Makes a :class:`Stream` for each connection."""

    noisy = False

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """One more."""
        return Stream(self._reply)


class NameServer:
    """Answers from ``file``; ``read`` takes what stands in it now."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._zone = Zone()

    def read(self) -> None:
        """Read the file; raises OSError, ZoneError, and then goes on with what it had."""
        self._zone = Zone(self._file.read_text().splitlines())

    def listen(self, reactor: Any, address: str, port: int) -> None:
        """Open the port for both; raises CannotListenError."""
        reactor.listenUDP(port, Datagrams(self._answer), address)
        reactor.listenTCP(port, Streams(self._answer), interface=address)

    def _answer(self, octets: bytes, most_octets: int | None) -> bytes | None:
        return answer(self._zone, octets, most_octets)


def main(arguments: list[str]) -> int:
    """Serve until a signal ends it."""
    from twisted.internet import reactor as the_reactor
    from twisted.internet.error import CannotListenError

    reactor: Any = the_reactor

    address, port, file = arguments
    server = NameServer(Path(file))
    try:
        server.read()
        server.listen(reactor, address, int(port))
    except (OSError, ZoneError, CannotListenError) as error:
        print(f"The name server cannot start: {error}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(_read_again, server))
    print(f"{READY} {address} port {port}", flush=True)
    reactor.run()
    return 0


def _read_again(server: NameServer) -> None:
    try:
        server.read()
    except (OSError, ZoneError) as error:
        print(f"The zone was not read again: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
