"""A connection on a wire in memory: what is kept, what is waited for, and what is sent."""

import pytest
from net_house import Listener, MemoryPeer, lose, silent
from twisted.internet.defer import Deferred
from twisted.internet.main import CONNECTION_LOST
from zope.interface.verify import verifyObject

from mailsys.interfaces import ConnectionEnded, IConnection

KILO = b"x" * 1024


def test_it_gives_what_a_conversation_needs():
    peer = MemoryPeer(silent)
    verifyObject(IConnection, peer.connection)


# What is received


def test_pieces_that_came_during_work_are_given_together():
    listener = Listener()
    peer = MemoryPeer(listener)
    listener.work = Deferred()
    for piece in (b"one", b"two", b"three"):
        peer.feed(piece)
    assert listener.heard == [b"one"]
    listener.work.callback(None)
    assert listener.heard == [b"one", b"twothree"]


def test_reading_pauses_above_the_bound_and_goes_on_when_the_conversation_has_it():
    listener = Listener()
    peer = MemoryPeer(listener)
    listener.work = Deferred()
    peer.feed(b"first")
    peer.feed(KILO * 64)
    assert peer.is_reading
    peer.feed(b"y")
    assert not peer.is_reading
    peer.feed(b"z")  # TLS may still hold some of it
    listener.work.callback(None)
    assert peer.is_reading
    assert listener.heard == [b"first", KILO * 64 + b"yz"]


@pytest.mark.parametrize("end", ["half", "whole"])
def test_what_came_together_with_the_end_is_heard_before_it(end):
    listener = Listener()
    peer = MemoryPeer(listener)
    listener.work = Deferred()
    peer.feed(b"DATA")
    peer.feed(b"QUIT")
    if end == "half":
        peer.connection.readConnectionLost()
    else:
        lose(peer)
    assert listener.end is None
    listener.work.callback(None)
    assert listener.heard == [b"DATA", b"QUIT"]
    assert listener.end is ConnectionEnded


def test_a_peer_that_ended_its_half_still_hears_the_answer():
    work = Deferred()

    async def answer(connection):
        await connection.receive(300)
        await work
        connection.send(b"250 OK\r\n")
        connection.congested = True
        await connection.drained()
        connection.send(b"221 Goodbye\r\n")

    peer = MemoryPeer(answer)
    peer.feed(b"DATA")
    peer.connection.readConnectionLost()
    work.callback(None)
    assert not peer.wire.disconnecting
    peer.connection.resumeProducing()
    assert peer.wire.sent == b"250 OK\r\n221 Goodbye\r\n"
    assert peer.wire.disconnecting  # it is not waited for: it has nothing to say


def test_an_answer_to_a_peer_that_has_gone_is_no_fault():
    work, ends = Deferred(), []

    async def answer(connection):
        await connection.receive(300)
        await work
        connection.send(b"250 OK\r\n")
        connection.close()
        ends.append("in order")

    peer = MemoryPeer(answer)
    peer.feed(b"DATA")
    lose(peer, CONNECTION_LOST)
    peer.wire.send = None  # a socket that is closed
    work.callback(None)
    assert ends == ["in order"]
    assert peer.ended == [peer.connection]


# Back-pressure


def test_a_peer_that_does_not_read_is_waited_for():
    steps = []

    async def talk(connection):
        await connection.receive(300)
        await connection.drained()
        steps.append("drained")
        await connection.receive(300)
        steps.append("heard")

    peer = MemoryPeer(talk)
    peer.connection.pauseProducing()
    assert peer.connection.congested
    peer.feed(b"RETR 1")  # not answered while the last answer was not taken
    assert steps == []
    peer.connection.resumeProducing()
    assert steps == ["drained"]
    peer.feed(b"RETR 2")
    assert steps == ["drained", "heard"]


def test_nothing_new_is_heard_while_the_last_answer_was_not_taken():
    listener = Listener()
    peer = MemoryPeer(listener)
    peer.connection.pauseProducing()
    peer.feed(b"NOOP")
    assert listener.heard == []
    peer.connection.resumeProducing()
    assert listener.heard == [b"NOOP"]


def test_a_peer_that_never_reads_is_cut_off():
    async def talk(connection):
        connection.congested = True
        await connection.drained()

    peer = MemoryPeer(talk)
    peer.clock.advance(300 - 1)
    assert not peer.wire.disconnected
    peer.clock.advance(1)
    assert peer.wire.disconnected


# What is sent


@pytest.mark.parametrize("room", [0, 1, 9, 10])
def test_what_does_not_fit_into_the_kernel_waits_in_order(room):
    async def talk(connection):
        connection.send(b"one two ")
        connection.send(b"three ")
        connection.transport.room = 100  # later there would be room again, yet what waits comes first
        connection.send(b"four")
        await connection.receive(300)

    peer = MemoryPeer(talk, room=room)
    assert peer.wire.sent + peer.wire.buffered == b"one two three four"
    assert peer.wire.sent == b"one two three four"[:room]


def test_a_send_that_fails_is_left_to_the_reactor():
    async def talk(connection):
        connection.send(b"220 Hello\r\n")
        await connection.receive(300)

    peer = MemoryPeer(talk, fault=BrokenPipeError())
    assert peer.wire.buffered == b"220 Hello\r\n"
