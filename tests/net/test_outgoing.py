"""Connections that we begin: which address wins, what is tried when, and what is told when none answers."""

import socket

import pytest
from net_house import SECONDS, SocketTestCase, needs_ipv6, silent, until
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from mailsys.net.house import Patience
from mailsys.net.outgoing import CONNECT_SECONDS, STAGGER_SECONDS, CannotConnect, Dialler, in_turns

PATIENCE = Patience(5, 5)


def test_addresses_in_turns():
    assert in_turns(["1.1.1.1", "::1", "2.2.2.2", "::2", "::3"]) == [
        "::1",
        "1.1.1.1",
        "::2",
        "2.2.2.2",
        "::3",
    ]
    assert in_turns(["1.1.1.1"]) == ["1.1.1.1"]
    assert in_turns([]) == []


class Race:
    """A race in memory: ``tried`` are the addresses so far, ``result`` what came of it."""

    def __init__(self, *addresses, sources=()):
        self.reactor = MemoryReactorClock()
        self.result = []
        dialler = Dialler(self.reactor, PATIENCE, sources)
        self.race = Deferred.fromCoroutine(dialler.connect(addresses, 25, "smtp"))
        self.race.addBoth(self.result.append)

    @property
    def tried(self):
        return [client[0] for client in self.reactor.tcpClients]

    def refuse(self, number):
        connector = self.reactor.connectors[number]
        self.reactor.tcpClients[number][2].clientConnectionFailed(connector, Failure(Refused("no")))


def test_the_next_is_tried_beside_one_that_does_not_answer():
    race = Race("::1", "9.9.9.1", "9.9.9.2")
    assert race.tried == ["::1"]
    race.reactor.advance(STAGGER_SECONDS)
    assert race.tried == ["::1", "9.9.9.1"]
    race.refuse(0)
    assert race.tried == ["::1", "9.9.9.1", "9.9.9.2"]
    assert race.result == []
    race.refuse(1)
    race.refuse(2)
    failure = race.result[0].value
    assert isinstance(failure, CannotConnect)
    assert list(failure.reasons) == ["::1", "9.9.9.1", "9.9.9.2"]
    assert race.reactor.getDelayedCalls() == []


def test_one_after_the_other_when_they_refuse():
    race = Race("::1", "9.9.9.1")
    race.refuse(0)
    assert race.tried == ["::1", "9.9.9.1"]
    assert [client[3] for client in race.reactor.tcpClients] == [CONNECT_SECONDS] * 2


def test_no_address_at_all():
    assert isinstance(Race().result[0].value, CannotConnect)


def test_the_source_fits_the_kind():
    race = Race("::1", "9.9.9.1", sources=["192.0.2.7"])
    race.refuse(0)
    assert [client[4] for client in race.reactor.tcpClients] == [None, ("192.0.2.7", 0)]


def test_cancelled():
    race = Race("::1", "9.9.9.1")
    race.race.cancel()
    assert race.result[0].check(CancelledError)
    assert race.reactor.connectors[0].stoppedConnecting or race.reactor.connectors[0]._disconnected
    race.reactor.advance(60)
    assert race.tried == ["::1"]


class OverSockets(SocketTestCase):
    async def connect(self, addresses, port, sources=()):
        connection = await Dialler(reactor, PATIENCE, sources).connect(addresses, port, "smtp")
        self.addCleanup(connection.abort)
        return connection

    async def test_ipv4_when_nobody_answers_over_ipv6(self):
        needs_ipv6()
        factory = await self.listen(silent)
        connection = await self.connect(["127.0.0.1", "::1"], factory.port.getHost().port)
        assert connection.peer.host == "127.0.0.1"

    async def test_ipv6_first(self):
        needs_ipv6()
        factory = await self.listen(silent, "tcp:0:interface=\\:\\:1")
        connection = await self.connect(["127.0.0.1", "::1"], factory.port.getHost().port)
        assert connection.peer.host == "::1"

    async def test_our_source_address(self):
        peers = []

        async def note(connection):
            peers.append(connection.peer.host)
            await connection.receive(SECONDS)

        factory = await self.listen(note)
        connection = await self.connect(["127.0.0.1"], factory.port.getHost().port, ["::1", "127.0.0.5"])
        connection.send(b"x")
        await until(lambda: peers)
        assert peers == ["127.0.0.5"]

    async def test_why_not(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(CannotConnect, match="assign requested address"):
            await self.connect(["127.0.0.1"], port, ["192.0.2.1"])
        with pytest.raises(CannotConnect) as raised:
            await self.connect(["127.0.0.1", "127.0.0.2"], port)
        assert raised.value.reasons == dict.fromkeys(["127.0.0.1", "127.0.0.2"], "Connection refused")

    async def test_what_comes_is_there_to_take(self):
        async def greet(connection):
            connection.send(b"220 hello\r\n")
            await connection.receive(SECONDS)

        factory = await self.listen(greet)
        connection = await self.connect(["127.0.0.1"], factory.port.getHost().port)
        assert await connection.receive(SECONDS) == b"220 hello\r\n"
        assert connection.take() == b""
        assert not connection.has_ended
