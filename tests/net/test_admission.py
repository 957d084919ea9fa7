"""How a connection is let in over real sockets: who is one too many, and whom a proxy speaks for."""

import ipaddress
import socket
import struct
from types import SimpleNamespace

import pytest
from net_house import (
    ENOUGH,
    FULL,
    SECONDS,
    Listener,
    MemoryPeer,
    SocketTestCase,
    connected,
    hear,
    hear_line,
    lose,
    silent,
    until,
)
from twisted.internet import reactor
from twisted.internet.address import IPv4Address

from mailsys.net import connection as net
from mailsys.net.descriptors import Descriptors
from mailsys.net.factory import ConversationFactory, Farewells, Refusal
from mailsys.net.limits import Allowance, ConnectionLimits, Rules
from mailsys.wire.proxy import SIGNATURE

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


async def echo(connection):
    while True:
        data = await connection.receive(SECONDS)
        if data == b"QUIT\r\n":
            connection.send(b"221\r\n")
            return
        connection.send(data)


def say_quit(peer):
    peer.sendall(b"QUIT\r\n")
    return hear(peer)


def reset(peer):
    """Close without the usual farewell."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


class Limits(SocketTestCase):
    async def test_one_too_many_is_told_so(self):
        refused = []
        factory = await self.listen(echo, total=2)
        factory.on_refused = lambda *told: refused.append(told)
        with connected(factory), connected(factory) as second:
            await until(lambda: len(factory.connections) == 2)
            assert await self.client(factory, hear) == FULL
            second.close()
            await until(lambda: len(factory.connections) == 1)
            assert await self.client(factory, say_quit) == b"221\r\n"
        [(peer, farewell, reason)] = refused
        assert (peer.host, farewell) == ("127.0.0.1", FULL)
        assert reason == "2 connections are open, which is all there may be"

    async def test_loopback_has_no_limit_of_its_own(self):
        factory = await self.listen(echo, per_address=1)
        with connected(factory), connected(factory):
            await until(lambda: len(factory.connections) == 2)

    async def test_hundreds_of_connections_leave_nothing(self):
        """Ended in order, in the middle, by a reset and without a word."""
        factory = await self.listen(echo, total=400)
        ways = (say_quit, lambda peer: peer.sendall(b"NO"), reset, lambda peer: None)

        def crowd(first):
            everyone = [first, *(connected(factory) for _ in range(299))]
            for number, peer in enumerate(everyone):
                ways[number % len(ways)](peer)
            for peer in everyone:
                peer.close()

        await self.client(factory, crowd)
        await until(lambda: not factory.connections)
        assert factory._limits.open == 0

    @pytest.mark.row(25)
    async def test_when_descriptors_are_short_what_is_left_is_for_files(self):
        """Row 25: a connection whose number is high is told to come later; when some have gone, it may."""
        factory = await self.listen(echo)
        with connected(factory) as peer:
            await until(lambda: factory.connections)
            [first] = factory.connections
            lowest = first.transport.fileno()
            factory.descriptors = SimpleNamespace(is_short=lambda descriptor: descriptor > lowest)
            assert await self.client(factory, hear) == FULL
            factory.descriptors = Descriptors(20_000)
            assert await self.client(factory, say_quit) == b"221\r\n"
            peer.sendall(b"QUIT\r\n")


def test_one_too_many_of_an_address_and_where_tls_comes_first():
    """Inside TLS it would be too dear to say so."""
    for implicit, line in ((False, ENOUGH), (True, b"")):
        limits = ConnectionLimits(reactor.seconds, Rules(0, {"pop3": Allowance(open_per_address=1)}))
        factory = ConversationFactory(
            reactor, "pop3", limits, Farewells(FULL, ENOUGH), None, implicit_tls=implicit
        )
        factory.converse = lambda: None
        address = IPv4Address("TCP", "192.0.2.1", 40000)
        factory.buildProtocol(address)
        refusal = factory.buildProtocol(address)
        assert isinstance(refusal, Refusal)
        assert refusal._line == line
        assert limits.open == 1


class Proxies(SocketTestCase):
    """Row 61: PROXY headers over sockets."""

    async def serve(self, proxies=LOOPBACK, per_address=0):
        peers = []

        async def talk(connection):
            peers.append(connection.peer)
            connection.send(b"220 Hello\r\n")
            await echo(connection)

        factory = await self.listen(talk, proxies=proxies, per_address=per_address)
        factory.refused = []
        factory.on_refused = lambda peer, farewell, reason: factory.refused.append((peer.host, reason))
        return factory, peers

    @staticmethod
    def speaks(data):
        def talk(peer):
            peer.sendall(data)
            heard = hear_line(peer)
            peer.sendall(b"QUIT\r\n")
            return heard + hear(peer)

        return talk

    @pytest.mark.row(61)
    async def test_the_client_that_a_proxy_names_is_the_peer(self):
        factory, peers = await self.serve()
        ipv4 = bytes([192, 0, 2, 9, 198, 51, 100, 1]) + struct.pack("!HH", 4711, 25)
        for header in (
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n",
            b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n",
            b"PROXY TCP6 ::ffff:192.0.2.8 ::ffff:198.51.100.1 4711 25\r\n",
            SIGNATURE + b"\x21\x11\0\x0c" + ipv4,
            b"PROXY UNKNOWN\r\n",
            SIGNATURE + b"\x20\0\0\0",
        ):
            assert await self.client(factory, self.speaks(header)) == b"220 Hello\r\n221\r\n"
        assert [peer.host for peer in peers] == [
            "192.0.2.7", "2001:db8::7", "192.0.2.8", "192.0.2.9", "0.0.0.0", "0.0.0.0",
        ]  # fmt: skip
        assert not any(peer.is_loopback for peer in peers)
        assert {peer.port for peer in peers[:4]} == {4711}

    @pytest.mark.row(61)
    async def test_the_limits_are_those_of_the_client(self):
        factory, _peers = await self.serve(per_address=1)
        first, second = (b"PROXY TCP4 192.0.2.%d 198.51.100.1 4711 25\r\n" % number for number in (1, 2))
        with connected(factory) as peer:
            peer.sendall(first)
            await until(lambda: [c.peer.host for c in factory.connections] == ["192.0.2.1"])

            def once_more(peer):
                peer.sendall(first)
                return hear(peer)

            assert await self.client(factory, once_more) == ENOUGH
            assert await self.client(factory, self.speaks(second)) == b"220 Hello\r\n221\r\n"
        assert factory.refused == [("192.0.2.1", "1 connections from 192.0.2.1 are open")]
        await until(lambda: not factory.connections)
        assert factory._limits.open == 0

    @pytest.mark.row(61)
    async def test_all_whom_a_proxy_does_not_name_are_one_stranger(self):
        factory, _peers = await self.serve(per_address=1)
        with connected(factory) as peer:
            peer.sendall(b"PROXY UNKNOWN\r\n")
            await until(lambda: [c.peer.host for c in factory.connections] == ["0.0.0.0"])

            def once_more(peer):
                peer.sendall(SIGNATURE + b"\x21\0\0\0")
                return hear(peer)

            assert await self.client(factory, once_more) == ENOUGH
        assert factory.refused == [("0.0.0.0", "1 connections from 0.0.0.0 are open")]

    @pytest.mark.row(61)
    async def test_a_peer_that_is_no_proxy_hears_nothing(self):
        factory, peers = await self.serve(proxies=(ipaddress.ip_network("192.0.2.0/24"),))
        assert await self.client(factory, hear) == b""
        assert factory.refused == [("127.0.0.1", "it is no proxy of this listener (proxy_from)")]
        assert peers == []

    @pytest.mark.row(61)
    async def test_a_proxy_without_a_header_is_left(self):
        factory, peers = await self.serve()
        for data in (b"EHLO x.example\r\n", SIGNATURE + b"\x21\x12\0\x0c", b"PROXY TCP4 a b 1 2\r\n"):

            def send(peer, data=data):
                peer.sendall(data)
                return hear(peer)

            assert await self.client(factory, send) == b""
        assert len(factory.refused) == 3
        assert peers == []


@pytest.mark.row(61)
def test_a_header_and_more_in_any_pieces():
    """Row 61: what follows the header is heard, and nothing of the header."""
    header, more = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n", b"EHLO x\r\nMAIL"
    whole = header + more
    for cut in range(1, len(whole)):
        listener = Listener()
        peer = MemoryPeer(listener, is_proxied=True, host="127.0.0.1")
        peer.feed(whole[:cut])
        peer.feed(whole[cut:])
        assert b"".join(listener.heard) == more
        assert peer.connection.peer.host == "192.0.2.7"


@pytest.mark.row(61)
def test_a_proxy_that_says_nothing_is_left():
    """Row 61: the header has to be whole in time, however it is dribbled."""
    peer = MemoryPeer(silent, is_proxied=True)
    for octet in b"PROXY TCP":
        peer.feed(bytes([octet]))
        peer.clock.advance(net.PROXY_SECONDS / 9 - 0.01)
    assert not peer.wire.disconnected
    peer.clock.advance(0.1)
    assert peer.refused == ["no PROXY header came within 10 s"]
    assert peer.wire.disconnected


@pytest.mark.row(61)
def test_a_proxy_elsewhere_cannot_make_a_client_local():
    """Row 61: loopback may do more than others, and only who is here can know that somebody is here."""
    header = b"PROXY TCP4 127.0.0.1 198.51.100.1 4711 25\r\n"
    elsewhere = MemoryPeer(silent, is_proxied=True, host="192.0.2.200")
    elsewhere.feed(header)
    assert elsewhere.refused == ["a proxy elsewhere speaks for a loopback address"]
    here = MemoryPeer(silent, is_proxied=True, host="127.0.0.1")
    here.feed(header)
    assert here.refused == []
    assert here.connection.peer.host == "127.0.0.1"


def test_a_connection_that_is_objected_to_hears_why():
    peer = MemoryPeer(silent, objection=b"421 later\r\n")
    assert peer.wire.sent == b"421 later\r\n"
    assert peer.wire.is_shutting
    lose(peer)
    assert peer.ended == [peer.connection]
