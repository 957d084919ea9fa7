"""A connection on a wire in memory: its deadlines, and every way in which it ends."""

import pytest
from net_house import Listener, MemoryPeer, lose, silent
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailsys.interfaces import ConnectionEnded, HostStops, TimedOut
from mailsys.net import stream as net

KILO = b"x" * 1024


# Deadlines


def test_a_silent_peer_is_told_and_left():
    async def talk(connection):
        try:
            await connection.receive(10)
        except TimedOut:
            connection.send(b"421 Too long\r\n")

    peer = MemoryPeer(talk)
    peer.clock.advance(9.9)
    assert peer.wire.sent == b""
    peer.clock.advance(0.1)
    assert peer.wire.sent == b"421 Too long\r\n"
    assert peer.wire.is_shutting


def test_a_silent_peer_without_last_words_is_cut_off():
    peer = MemoryPeer(silent)
    peer.clock.advance(300)
    assert peer.wire.disconnected


def test_many_waits_share_one_timer_and_each_has_its_own_deadline():
    listener = Listener(seconds=10.0)
    peer = MemoryPeer(listener)
    for _ in range(100):
        peer.clock.advance(7)
        peer.feed(b"NOOP")
        assert len(peer.clock.getDelayedCalls()) == 1
    peer.clock.pump([1.0] * 9)
    assert listener.end is None
    peer.clock.advance(1)
    assert listener.end is TimedOut


def test_a_shorter_wait_is_not_held_up_by_a_longer_one():
    async def talk(connection):
        await connection.receive(300)
        await connection.receive(5)

    peer = MemoryPeer(talk)
    peer.feed(b"EHLO")
    peer.clock.advance(4)
    assert not peer.wire.disconnected
    peer.clock.advance(1)
    assert peer.wire.disconnected


def test_work_has_no_deadline():
    listener = Listener(seconds=10.0)
    peer = MemoryPeer(listener)
    listener.work = Deferred()
    peer.feed(b"DATA")
    peer.clock.advance(1000)
    assert listener.end is None
    listener.work.callback(None)
    peer.feed(b"QUIT")
    assert listener.heard == [b"DATA", b"QUIT"]


# TLS: what can be said of it without a peer


def test_a_handshake_that_does_not_end():
    peer = MemoryPeer(silent, implicit_tls=True)
    assert peer.wire.handshakes == 1
    peer.clock.advance(30 - 1)
    assert not peer.wire.disconnected
    peer.clock.advance(1)
    assert peer.wire.disconnected
    lose(peer)
    assert peer.ended == [peer.connection]
    assert peer.clock.getDelayedCalls() == []


@pytest.mark.row(5)
def test_what_came_before_tls_is_dropped():
    """Row 5: plain text that was not used yet is gone when the handshake begins, and reading goes on."""
    work, heard = Deferred(), []

    async def talk(connection):
        await connection.receive(300)
        await work
        await connection.start_tls()
        heard.append(await connection.receive(300))

    peer = MemoryPeer(talk)
    peer.feed(b"STARTTLS")
    peer.feed(KILO * 65)
    assert not peer.is_reading
    work.callback(None)
    assert peer.wire.handshakes == 1
    assert peer.is_reading
    peer.connection.tls = "TLSv1.3"
    peer.connection.handshakeCompleted()
    peer.feed(b"EHLO")
    assert heard == [b"EHLO"]


def test_tls_begins_when_the_peer_has_taken_what_was_said():
    async def talk(connection):
        connection.congested = True
        await connection.start_tls()

    peer = MemoryPeer(talk)
    assert peer.wire.handshakes == 0
    peer.connection.resumeProducing()
    assert peer.wire.handshakes == 1


def test_no_tls_with_a_peer_that_has_ended():
    work = Deferred()

    async def talk(connection):
        await connection.receive(300)
        await work
        await connection.start_tls()

    peer = MemoryPeer(talk)
    peer.feed(b"STARTTLS")
    peer.connection.readConnectionLost()
    work.callback(None)
    assert peer.wire.handshakes == 0
    assert peer.wire.disconnecting


# The end


def test_after_the_last_word_the_peer_has_a_moment_to_close():
    async def talk(connection):
        connection.send(b"221 Goodbye\r\n")
        connection.close()
        with pytest.raises(ConnectionEnded):
            await connection.receive(300)

    peer = MemoryPeer(talk)
    assert peer.wire.is_shutting
    peer.connection.writeConnectionLost()
    peer.feed(KILO * 100)
    assert peer.is_reading
    assert not peer.wire.disconnecting
    peer.clock.advance(net.LINGER_SECONDS)
    assert peer.wire.disconnecting
    assert not peer.wire.disconnected  # what the kernel still holds may leave


def test_a_peer_that_closes_too_ends_it_at_once():
    async def talk(connection):
        connection.send(b"221 Goodbye\r\n")

    peer = MemoryPeer(talk)
    peer.connection.writeConnectionLost()
    peer.connection.readConnectionLost()
    assert peer.wire.disconnecting


def test_a_half_that_cannot_be_ended_is_left_to_the_reactor():
    async def talk(connection):
        await connection.receive(300)
        connection.send(b"221 Goodbye\r\n")

    def shutdown(_half):
        raise OSError("the peer has reset it")

    peer = MemoryPeer(talk)
    peer.wire.shutdown = shutdown
    peer.feed(b"QUIT")
    assert not peer.ended
    lose(peer)
    assert peer.ended == [peer.connection]


def test_what_waits_in_the_buffer_leaves_before_our_half_is_ended():
    async def talk(connection):
        await connection.receive(300)
        connection.send(b"221 Goodbye\r\n")

    peer = MemoryPeer(talk, room=3)
    peer.wire.shutdown = None  # it would cut off what waits
    peer.feed(b"QUIT")
    assert peer.wire.is_shutting
    assert peer.wire.sent + peer.wire.buffered == b"221 Goodbye\r\n"


def test_a_peer_that_goes_on_sending_is_cut_off():
    async def talk(connection):
        connection.send(b"421 Too many errors\r\n")

    peer = MemoryPeer(talk)
    for _ in range(net.LINGER_OCTETS // (64 * 1024)):
        peer.feed(KILO * 64)
        assert not peer.wire.disconnected
    for _ in range(2):
        peer.feed(KILO * 64)
    assert peer.wire.disconnected


def test_reading_that_was_paused_goes_on_after_the_last_word():
    work = Deferred()

    async def talk(connection):
        await connection.receive(300)
        await work
        connection.send(b"421 Too much\r\n")

    peer = MemoryPeer(talk)
    peer.feed(b"NOOP")
    peer.feed(KILO * 65)
    assert not peer.is_reading
    work.callback(None)
    assert peer.is_reading


def test_a_peer_that_does_not_take_the_last_word_is_cut_off():
    async def talk(connection):
        connection.send(b"a long answer")

    peer = MemoryPeer(talk, room=4)
    peer.clock.advance(net.FAREWELL_SECONDS - 1)
    assert not peer.wire.disconnected
    peer.clock.advance(1)
    assert peer.wire.disconnected


def test_the_timer_ends_with_the_connection():
    peer = MemoryPeer(silent)
    assert len(peer.clock.getDelayedCalls()) == 1
    lose(peer)
    assert peer.clock.getDelayedCalls() == []


# The host stops


def test_a_waiting_conversation_is_told_that_the_host_stops():
    async def talk(connection):
        try:
            await connection.receive(300)
        except HostStops:
            connection.send(b"421 Shutting down\r\n")

    peer = MemoryPeer(talk)
    peer.connection.end()
    assert peer.wire.sent == b"421 Shutting down\r\n"
    assert peer.wire.is_shutting


def test_a_working_conversation_may_finish_before_it_is_told():
    listener = Listener()
    peer = MemoryPeer(listener)
    listener.work = Deferred()
    peer.feed(b"DATA")
    peer.feed(b"NOOP")
    peer.connection.end()
    assert listener.end is None
    listener.work.callback(None)
    assert listener.heard == [b"DATA", b"NOOP"]
    assert listener.end is HostStops


def test_a_conversation_that_waits_for_a_slow_peer_is_told_too():
    async def talk(connection):
        connection.congested = True
        with pytest.raises(HostStops):
            await connection.drained()

    peer = MemoryPeer(talk)
    peer.connection.end()
    assert peer.wire.is_shutting


# A conversation that breaks


class BrokenConversation(SynchronousTestCase):
    def test_it_is_logged_and_its_connection_closed(self):
        async def talk(connection):
            await connection.receive(300)
            raise RuntimeError("a mistake of ours")

        peer = MemoryPeer(talk)
        other = MemoryPeer(listener := Listener())
        peer.feed(b"EHLO")
        [failure] = self.flushLoggedErrors(RuntimeError)
        assert failure.getErrorMessage() == "a mistake of ours"
        assert peer.wire.sent + peer.wire.buffered == b""
        assert peer.wire.is_shutting
        other.feed(b"EHLO")
        assert listener.heard == [b"EHLO"]

    def test_one_that_cannot_even_begin(self):
        def cannot():
            raise RuntimeError("a mistake of ours")

        peer = MemoryPeer(None, converse=cannot)
        assert len(self.flushLoggedErrors(RuntimeError)) == 1
        assert peer.wire.is_shutting
