"""A DNS server whose every reply the test decides, on one free port of loopback for UDP and TCP."""

import dns.flags
import dns.message
from twisted.internet import reactor
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol

from mailsys.lab.zone import Zone


class _Datagrams(DatagramProtocol):
    noisy = False

    def __init__(self, peer):
        self.peer = peer

    def datagramReceived(self, datagram, addr):
        query = dns.message.from_wire(datagram)
        self.peer.queries.append(query)
        self.peer.senders.add(addr[1])
        self.peer.on_datagram(query, lambda octets: self.transport.write(octets, addr), addr)


class _Stream(Protocol):
    def __init__(self, peer):
        self.peer = peer
        self.octets = b""

    def dataReceived(self, data):
        self.octets += data
        if len(self.octets) > 2 and len(self.octets) >= 2 + int.from_bytes(self.octets[:2], "big"):
            query = dns.message.from_wire(self.octets[2:])
            self.peer.streamed.append(query)
            self.peer.on_stream(query, self)

    def reply(self, octets):
        self.transport.write(len(octets).to_bytes(2, "big") + octets)


class DnsPeer:
    """Answers from ``zone`` unless a test replaces ``on_datagram`` or ``on_stream``."""

    def __init__(self, text=""):
        self.zone = Zone(text.splitlines())
        self.queries = []
        self.streamed = []
        self.senders = set()  # the ports that asked
        self._ports = []

    def start(self):
        """Listen; the same port for both."""
        factory = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda _address: _Stream(self)
        for _ in range(20):
            udp = reactor.listenUDP(0, _Datagrams(self), "127.0.0.1")
            try:
                tcp = reactor.listenTCP(udp.getHost().port, factory, interface="127.0.0.1")
            except CannotListenError:
                udp.stopListening()
                continue
            self._ports = [udp, tcp]
            self.server = ("127.0.0.1", udp.getHost().port)
            return
        raise AssertionError("no port is free for both")

    async def stop(self):
        for port in self._ports:
            await port.stopListening()

    def on_datagram(self, query, send, _address):
        octets = self.zone.reply(query).to_wire(max_size=65535)
        send(octets if len(octets) <= 1232 else truncated(query))

    def on_stream(self, query, stream):
        stream.reply(self.zone.reply(query).to_wire(max_size=65535))


def truncated(query):
    """TC: ask again over TCP."""
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.TC
    return reply.to_wire()
