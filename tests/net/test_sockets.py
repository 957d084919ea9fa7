"""Connections over real sockets: the last reply arrives, limits hold, and nothing is left behind."""

import os
import shutil
import socket
import struct
import tempfile
import threading
import time

from net_house import SECONDS, SocketTestCase, after, connected, hear, hear_line, needs_ipv6, until
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred

from mailsys.interfaces import ConnectionEnded, Peer
from mailsys.net import stream as net
from mailsys.net.factory import peer_of

REFUSAL = b"421 4.7.0 Too many errors\r\n"


async def refuse(connection):
    """Say no to the first thing that comes, and hang up."""
    await connection.receive(SECONDS)
    connection.send(REFUSAL)


async def echo(connection):
    while True:
        data = await connection.receive(SECONDS)
        if data == b"QUIT\r\n":
            connection.send(b"221\r\n")
            return
        connection.send(data)


def reset(peer):
    """Close without the usual farewell."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


class Farewell(SocketTestCase):
    async def test_a_client_that_sends_on_sees_the_refusal(self):
        """A socket closed with octets unread would be reset, and the refusal lost with it."""

        def blast(peer):
            peer.sendall(b"NOOP\r\n")
            time.sleep(0.2)  # the refusal is out, and our end closed
            for _ in range(10):
                peer.sendall(b"NOOP\r\n" * 5000)
                time.sleep(0.01)
            return hear(peer)

        factory = await self.listen(refuse)
        assert await self.client(factory, blast) == REFUSAL
        await until(lambda: not factory.connections)

    async def test_a_client_that_sent_too_much_at_once_sees_the_refusal(self):
        def blast(peer):
            peer.sendall(b"NOOP\r\n" * 50_000)
            return hear(peer)

        factory = await self.listen(refuse)
        assert await self.client(factory, blast) == REFUSAL

    async def test_a_client_that_never_stops_is_cut_off(self):
        def blast(peer):
            sent = 0
            try:
                while sent < 50 * net.LINGER_OCTETS:
                    peer.sendall(b"x" * 65536)
                    sent += 65536
            except OSError:
                pass
            return sent

        factory = await self.listen(refuse)
        assert await self.client(factory, blast) < 20 * net.LINGER_OCTETS
        await until(lambda: not factory.connections)

    async def test_a_client_that_does_not_close_is_left(self):
        self.patch(net, "LINGER_SECONDS", 0.3)
        left = threading.Event()

        def stay(peer):
            peer.sendall(b"NOOP\r\n")
            heard = hear(peer)
            left.wait(SECONDS)
            return heard

        factory = await self.listen(refuse)
        client = self.client(factory, stay)
        await until(lambda: factory.connections)
        await until(lambda: not factory.connections)
        left.set()
        assert await client == REFUSAL

    async def test_a_slow_reader_gets_all_that_was_sent_before_the_end(self):
        """What the kernel holds goes on its way when we have waited long enough."""
        self.patch(net, "LINGER_SECONDS", 0.2)
        letter = os.urandom(300_000)

        async def give(connection):
            await connection.receive(SECONDS)
            connection.send(letter)

        def read_slowly(peer):
            peer.sendall(b"RETR 1\r\n")
            time.sleep(0.6)
            return hear(peer)

        factory = await self.listen(give)
        assert await self.client(factory, read_slowly) == letter

    async def test_a_client_that_ended_its_half_hears_every_answer(self):
        """As ``printf 'NOOP…' | nc -N``: all that it has to say comes at once, with the end behind it."""

        async def slow(connection):
            while True:
                await connection.receive(SECONDS)
                await after(0.1)
                connection.send(b"250 OK\r\n")

        def all_at_once(peer):
            peer.sendall(b"NOOP\r\n")
            peer.shutdown(socket.SHUT_WR)
            return hear(peer)

        factory = await self.listen(slow)
        assert await self.client(factory, all_at_once) == b"250 OK\r\n"
        await until(lambda: not factory.connections)


class BackPressure(SocketTestCase):
    async def test_a_client_that_reads_late_gets_everything_in_order(self):
        letter, congestions = os.urandom(1 << 20), []

        async def give(connection):
            await connection.receive(SECONDS)
            for _ in range(20):
                connection.send(letter)
                congestions.append(connection.congested)
                await connection.drained()

        def read_late(peer):
            peer.sendall(b"RETR 1\r\n")
            time.sleep(0.3)
            return hear(peer)

        factory = await self.listen(give)
        assert await self.client(factory, read_late) == letter * 20
        assert True in congestions

    async def test_a_client_that_sends_while_we_work_waits(self):
        """What is kept of it stays small: the rest is in the kernels, and then the client blocks."""
        work, kept = Deferred(), []

        async def busy(connection):
            await connection.receive(SECONDS)
            await work
            kept.append(connection._octets)
            raise ConnectionEnded

        def blast(peer):
            peer.settimeout(0.2)
            sent = 0
            try:
                while sent < 100 << 20:
                    sent += peer.send(b"x" * 65536)
            except TimeoutError:
                pass
            return sent

        factory = await self.listen(busy)
        assert await self.client(factory, blast) < 100 << 20
        work.callback(None)
        assert kept[0] <= 2 * net.HIGH_WATER


class Faults(SocketTestCase):
    async def test_a_broken_conversation_hurts_no_other(self):
        async def fragile(connection):
            if await connection.receive(SECONDS) == b"break\r\n":
                raise RuntimeError("a mistake of ours")
            await echo(connection)

        def break_it(peer):
            peer.sendall(b"break\r\n")
            return hear(peer)

        factory = await self.listen(fragile)
        with connected(factory) as other:
            other.sendall(b"NOOP\r\n")
            assert await self.client(factory, break_it) == b""
            assert len(self.flushLoggedErrors(RuntimeError)) == 1
            await until(lambda: len(factory.connections) == 1)
            other.sendall(b"QUIT\r\n")
            await until(lambda: not factory.connections or other.close())

    async def test_the_host_stops(self):
        async def talk(connection):
            try:
                await connection.receive(SECONDS)
            except ConnectionEnded:
                connection.send(b"421 Shutting down\r\n")

        factory = await self.listen(talk)
        client = self.client(factory, hear)
        await until(lambda: factory.connections)
        factory.end_all()
        assert await client == b"421 Shutting down\r\n"
        await until(lambda: not factory.connections)


class Endpoints(SocketTestCase):
    """The kinds of endpoint that the configuration takes."""

    async def peers_at(self, endpoint, connect):
        peers = []

        async def talk(connection):
            peers.append(connection.peer)
            connection.send(b"220 Hello\r\n")

        factory = await self.listen(talk, endpoint)
        with connect(factory.port.getHost()) as client:
            await until(lambda: peers)
            assert hear_line(client) == b"220 Hello\r\n"
        await until(lambda: not factory.connections)
        return peers

    async def test_tcp(self):
        [peer] = await self.peers_at(
            "tcp:0:interface=127.0.0.1", lambda host: socket.create_connection(("127.0.0.1", host.port))
        )
        assert (peer.host, peer.service, peer.is_loopback) == ("127.0.0.1", "smtp", True)

    async def test_tcp6(self):
        needs_ipv6()
        [peer] = await self.peers_at(
            r"tcp6:0:interface=\:\:1", lambda host: socket.create_connection(("::1", host.port))
        )
        assert (peer.host, peer.is_loopback) == ("::1", True)

    async def test_ipv4_over_tcp6(self):
        needs_ipv6()
        [peer] = await self.peers_at(
            r"tcp6:0:interface=\:\:ffff\:127.0.0.1",
            lambda host: socket.create_connection(("127.0.0.1", host.port)),
        )
        assert (peer.host, peer.is_loopback) == ("127.0.0.1", True)

    async def test_unix(self):
        folder = tempfile.mkdtemp()  # a short path: the kernel takes about 100 octets
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "lmtp")

        def connect(_host):
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(SECONDS)
            client.connect(path)
            return client

        [peer] = await self.peers_at(f"unix:{path}", connect)
        assert peer == Peer("", 0, "smtp", os.getuid())
        assert peer.is_loopback


def test_peers_by_their_addresses():
    assert peer_of(IPv4Address("TCP", "192.0.2.1", 25), "smtp") == Peer("192.0.2.1", 25, "smtp")
    assert peer_of(IPv6Address("TCP", "2001:db8::1", 25), "smtp") == Peer("2001:db8::1", 25, "smtp")
    assert peer_of(IPv6Address("TCP", "::ffff:192.0.2.1", 25), "smtp") == Peer("192.0.2.1", 25, "smtp")
    assert peer_of(IPv6Address("TCP", "::ffff:0:c000:201", 25), "smtp").host == "::ffff:0:c000:201"
    assert peer_of(UNIXAddress(None), "lmtp") == Peer("", 0, "lmtp")
    assert peer_of(None, "lmtp") == Peer("", 0, "lmtp")
