"""Conversations that a test writes as one function, over a wire in memory or over real sockets."""

import datetime
import os
import socket
import ssl

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from mailsys.control.self_signed import write_self_signed
from mailsys.interfaces import ConnectionEnded, IConversation, Peer
from mailsys.net.connection import Connection
from mailsys.net.factory import ConversationFactory, Farewells
from mailsys.net.limits import Allowance, ConnectionLimits, Rules
from mailsys.net.tls import HostTLS, ListenerTLS
from mailsys.tls.certificate import read_certificate
from mailsys.tls.files import CertificateFiles

SECONDS = 10  # no client here waits longer
LOOPBACK = "tcp:0:interface=127.0.0.1:backlog=400"
FULL = b"421 4.3.2 Too many connections\r\n"
ENOUGH = b"421 4.7.0 Too many connections from your address\r\n"


@implementer(IConversation)
class Talk:
    """A conversation that is one coroutine function of the connection."""

    def __init__(self, function):
        self._function = function

    async def run(self, connection):
        await self._function(connection)


class Wire(StringTransport):
    """A transport with a kernel that takes ``room`` octets at once, or answers with ``fault``."""

    def __init__(self, room, fault):
        super().__init__()
        self.room = room
        self.fault = fault
        self.sent = b""  # what the kernel took
        self.buffered = b""  # what waits for the reactor
        self.is_shutting = False
        self.handshakes = 0

    @property
    def socket(self):
        return self

    def send(self, data):
        if self.fault is not None:
            raise self.fault
        taken = data[: self.room]
        if data and not taken:
            raise BlockingIOError
        self.room -= len(taken)
        self.sent += taken
        return len(taken)

    def shutdown(self, half):
        assert half == socket.SHUT_WR
        self.loseWriteConnection()

    def write(self, data):
        self.buffered += data

    def loseWriteConnection(self):  # noqa: N802
        self.is_shutting = True

    def connectionLost(self, _reason):
        self.loseConnection()

    def startTLS(self, options):  # noqa: N802
        self.handshakes += 1


class MemoryPeer:
    """One connection with a wire and a clock that the test moves; ``ended`` lists those given back.

    To it, it is the listener as well: ``objection`` is what it says to a connection that is made,
    ``farewell`` to one whose peer a proxy has told, and ``refused`` is why it turned one away.
    """

    def __init__(self, function, *, room=10**9, fault=None, converse=None, **options):
        self.clock = Clock()
        self.wire = Wire(room, fault)
        self.ended, self.refused = [], []
        self.objection, self.farewell = options.pop("objection", None), options.pop("farewell", None)
        self.connection = Connection(
            self.clock,
            Peer(options.pop("host", "192.0.2.1"), 40000, "smtp"),
            converse or (lambda: Talk(function)),
            options.pop("tls", None),
            house=self,
            place=None,
            **options,
        )
        self.connection.makeConnection(self.wire)

    def objection_to(self, _connection):
        return self.objection

    def introduce(self, _connection):
        return self.farewell

    def turned_away(self, _connection, reason):
        self.refused.append(reason)

    def forget(self, connection):
        self.ended.append(connection)

    def feed(self, data):
        self.connection.dataReceived(data)

    @property
    def is_reading(self):
        return self.wire.producerState == "producing"


class Listener:
    """A conversation that keeps what it hears; while ``work`` waits, it works."""

    def __init__(self, seconds=300.0):
        self.heard = []
        self.end = None
        self.work = None
        self._seconds = seconds

    async def __call__(self, connection):
        try:
            while True:
                self.heard.append(await connection.receive(self._seconds))
                if self.work is not None:
                    await self.work
        except ConnectionEnded as end:
            self.end = type(end)
            raise


async def silent(connection):
    await connection.receive(300)


def lose(peer, reason=CONNECTION_DONE):
    """The transport is gone."""
    peer.wire.connected = False
    peer.connection.connectionLost(Failure(reason))


class SocketTestCase(TestCase):
    """Listens on loopback with the real reactor; clients are plain sockets in threads."""

    timeout = 30

    async def listen(self, function, endpoint=LOOPBACK, total=0, per_address=0, **options):
        """Serve; returns the factory, which then has the ``port`` it listens on."""
        rules = Rules(total, {"smtp": Allowance(open_per_address=per_address)})
        limits = ConnectionLimits(reactor.seconds, rules)
        farewells = Farewells(FULL, ENOUGH)
        factory = ConversationFactory(reactor, "smtp", limits, farewells, options.pop("tls", None), **options)
        factory.converse = lambda: Talk(function)
        factory.port = await serverFromString(reactor, endpoint).listen(factory)
        assert IListeningPort.providedBy(factory.port)
        self.addCleanup(lambda: Deferred.fromCoroutine(self._end(factory)))
        return factory

    async def _end(self, factory):
        await factory.port.stopListening()
        for connection in list(factory.connections):
            connection.transport.abortConnection()
        await until(lambda: not factory.connections)

    def client(self, factory, function):
        """Call ``function(socket)`` in a thread, with a socket that is connected; fires with its result."""

        def run():
            with connected(factory) as peer:
                return function(peer)

        return deferToThread(run)


async def until(is_so, seconds=SECONDS):
    """Let the reactor work until something has come to pass."""
    deadline = reactor.seconds() + seconds
    while not is_so():
        assert reactor.seconds() < deadline, "it does not happen"
        await deferLater(reactor, 0.01)


async def after(seconds):
    """Let the reactor work for a while."""
    await deferLater(reactor, seconds)


def connected(factory):
    """A blocking socket to where a factory listens."""
    host = factory.port.getHost()
    return socket.create_connection((host.host, host.port), timeout=SECONDS)


def hear(peer):
    """All that comes until the end."""
    heard = bytearray()
    while piece := peer.recv(65536):
        heard += piece
    return bytes(heard)


def hear_line(peer):
    """One line, and not an octet more."""
    line = b""
    while not line.endswith(b"\r\n"):
        octet = peer.recv(1)
        assert octet, f"the end after {line!r}"
        line += octet
    return line


def make_certificate(folder):
    """TLS for a listener, with a certificate of its own, and a client's context that believes nobody else."""
    write_self_signed(str(folder), ["mail.test"], datetime.datetime.now(datetime.UTC))
    paths = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    host = HostTLS([read_certificate(CertificateFiles(*paths))])
    return ListenerTLS(host, reactor), ssl.create_default_context(cafile=paths[0])


def needs_ipv6():
    """Skip a test where this machine has no IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"no IPv6 on loopback: {error}")
