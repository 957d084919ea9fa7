"""Clients that are slow, that guess, that err on and on: what each is given, and what ends it."""

import itertools

import pytest
from dialogs.runner import Play
from smtp_house import House
from twisted.internet.task import Clock

from mailsys.disk import Disk
from mailsys.interfaces import Peer, Session
from mailsys.receive.collector import Collector
from mailsys.receive.memory import CROWDED_OCTETS, MessageMemory
from mailsys.receive.strangers import FORGET_SECONDS, MOST_ADDRESSES, Patience, Strangers
from mailsys.threads import NoThreads

STRANGER = "192.0.2.7"
HEAD = b"From: a@b.example\r\n\r\n"
BEGIN = b"MAIL FROM:<>\r\nRCPT TO:<ann@our.example>\r\nDATA\r\n"


def greeted(house, **settings):
    play = Play(house.conversation, {"from": STRANGER, **settings})
    assert play.wait(0.5).startswith(b"220 ")  # who speaks earlier is refused
    play.say(b"EHLO client.example\r\n")
    return play


def guess(play, number):
    return play.say(b"RCPT TO:<guess%d@our.example>\r\n" % number)


def told(house):
    return [event.facts["reply"] for event in house.journal.events if event.facts["command"] == "SESSION"]


# Turns


def test_a_client_that_waits_for_each_answer_gives_no_turn_away():
    """The reactor serves others between its commands anyway, and a turn more would cost it time."""
    play = greeted(House())
    waits = []
    call_later = play.clock.callLater
    play.clock.callLater = lambda seconds, *call: waits.append(seconds) or call_later(seconds, *call)
    for _ in range(30):
        assert play.say(b"NOOP\r\n").startswith(b"250 ")
    assert waits
    assert 0 not in waits


# Guessing


@pytest.mark.row(14)
def test_a_harvest_is_slowed_down_and_ended():
    """Row 14: 550 5.1.1 each, ever later, and 421 4.7.1 after twenty; VRFY and EXPN say nothing."""
    house = House()
    play = greeted(house)
    assert play.say(b"VRFY ann\r\n").startswith(b"252 ")
    assert play.say(b"EXPN everybody\r\n").startswith(b"502 ")
    play.say(b"MAIL FROM:<a@b.example>\r\n")
    waits = []
    for number in range(20):
        before = play.clock.seconds()
        assert guess(play, number) == b"550 5.1.1 No such user here\r\n"
        waits.append(play.clock.seconds() - before)
    assert waits == sorted(waits)
    assert waits[0] <= 0.2
    assert 1.5 < waits[-1] < 3
    assert guess(play, 20).startswith(b"421 4.7.1 ")
    assert play.connection.closed
    assert told(house) == ["421 4.7.1 Too many of your recipients do not exist; try again later"]


@pytest.mark.row(14)
def test_reconnecting_does_not_help_and_time_does():
    """Row 14: the address is remembered for a while; its mail to those who exist is taken meanwhile."""
    house, clock = House(), Clock()
    house.strangers = Strangers(clock.seconds, Patience(1000, 20, 0.1))
    for _ in range(4):
        play = greeted(house)
        play.say(b"MAIL FROM:<a@b.example>\r\n")
        said = b"".join(guess(play, number) for number in range(5))
        assert said.count(b"550 5.1.1") == 5
    play = greeted(house)
    play.say(b"MAIL FROM:<a@b.example>\r\n")
    assert guess(play, 0).startswith(b"421 4.7.1 ")
    play = greeted(house)
    play.say(BEGIN)
    assert play.say(HEAD + b".\r\n").startswith(b"250 ")
    clock.advance(10 * FORGET_SECONDS)
    play = greeted(house)
    play.say(b"MAIL FROM:<a@b.example>\r\n")
    assert [guess(play, number)[:3] for number in range(12)].count(b"550") >= 10


@pytest.mark.row(14)
def test_a_known_recipient_does_not_open_the_door_to_guesses():
    """Row 14: the mail to who exists goes its way; of all others in the transaction nothing is said."""
    house = House()
    play = greeted(house)
    play.say(b"MAIL FROM:<>\r\nRCPT TO:<ann@our.example>\r\n")
    said = [guess(play, number)[:9] for number in range(40)]
    assert said == [b"550 5.1.1"] * 20 + [b"452 4.7.1"] * 20
    assert play.say(b"RCPT TO:<bob@our.example>\r\n").startswith(b"452 4.7.1")
    play.say(b"DATA\r\n")
    assert play.say(HEAD + b".\r\n").startswith(b"250 ")
    assert house.takers == [["ann@our.example"]]


def test_a_newsletter_with_stale_addresses_goes_through():
    """Five hundred messages, every tenth to somebody who has gone: no pause worth naming, and no end."""
    house = House()
    play = greeted(house)
    for number in range(500):
        play.say(b"MAIL FROM:<news@b.example>\r\n")
        name = b"gone" if number % 10 == 0 else b"ann"
        before = play.clock.seconds()
        answer = play.say(b"RCPT TO:<%b@our.example>\r\n" % name)
        assert play.clock.seconds() - before < 0.5
        if name == b"gone":
            assert answer.startswith(b"550 5.1.1")
            play.say(b"RSET\r\n")
        else:
            play.say(b"DATA\r\n")
            assert play.say(HEAD + b".\r\n").startswith(b"250 ")
    assert len(house.contents) == 450


@pytest.mark.row(14)
@pytest.mark.parametrize("way", ["loopback", "lmtp"])
def test_who_is_not_counted_by_address(way):
    """A program on this machine, or one that delivers for others, guesses nothing."""
    house = House()
    play = Play(house.conversation, {"from": "127.0.0.1"} if way == "loopback" else {"service": "lmtp"})
    play.say(b"LHLO x\r\n" if way == "lmtp" else b"EHLO x\r\n")
    play.say(b"MAIL FROM:<>\r\n")
    said = [guess(play, number)[:3] for number in range(25)]
    assert said.count(b"550") == (25 if way == "lmtp" else 21)
    assert len(house.strangers) == 0


# Many messages


def test_more_messages_than_an_address_may_bring_in_a_minute():
    house = House()
    house.patience = Patience(messages=3, unknown=20)
    play = greeted(house)
    for _ in range(3):
        play.say(BEGIN)
        assert play.say(HEAD + b".\r\n").startswith(b"250 ")
    assert play.say(b"MAIL FROM:<>\r\n").startswith(b"450 4.7.1 ")
    assert house.journal.events[-1].facts["checked"] == [
        "its address or network brought as many as it may in a minute"
    ]
    play.wait(121)
    assert play.say(b"MAIL FROM:<>\r\n").startswith(b"250 ")


def test_more_messages_than_a_network_may_bring_in_a_minute():
    clock = Clock()
    strangers = Strangers(clock.seconds, Patience(messages=3, of_network=4))

    def from_(host):
        return Session("s", Peer(host, 1, "smtp"))

    for number in range(4):
        assert not strangers.has_sent_enough(from_(f"192.0.2.{number}"))
        strangers.message_accepted(from_(f"192.0.2.{number}"))
    assert strangers.has_sent_enough(from_("192.0.2.77"))
    assert not strangers.has_sent_enough(from_("192.0.3.77"))
    clock.advance(121)
    assert not strangers.has_sent_enough(from_("192.0.2.77"))


@pytest.mark.row(64)
def test_a_million_guessing_addresses_do_not_grow_the_table():
    """Row 64: also those of IPv6, of which everybody has more than there is memory."""
    clock = Clock()
    strangers = Strangers(clock.seconds, Patience(1000, 20))
    for number in range(100_000):
        host = f"2001:db8:{number >> 8 & 0xFFFF:x}:{number & 0xFF:x}::1"
        strangers.guessed(Session("s", Peer(host, 1, "smtp")))
        clock.advance(0.001)
    assert len(strangers) <= MOST_ADDRESSES
    again = Session("s", Peer("2001:db8:1:2:dead:beef:1:2", 1, "smtp"))
    for _ in range(21):
        strangers.guessed(again)
    assert strangers.guesses_too_much(Session("s", Peer("2001:db8:1:2::77", 1, "smtp")))
    for _ in range(21):
        strangers.message_accepted(again)
    assert not strangers.guesses_too_much(again)


# Errors and junk


@pytest.mark.row(13)
@pytest.mark.parametrize(("command", "free", "most"), [(b"FOO\r\n", 10, 21), (b"NOOP\r\n", 50, 101)])
def test_the_later_half_of_our_patience_is_slow(command, free, most):
    """Row 13: each answer of it comes later than the one before, by a tenth of a second or so."""
    play, waits = greeted(House()), []
    while not play.connection.closed:
        before = play.clock.seconds()
        play.say(command)
        waits.append(round(play.clock.seconds() - before, 1))
    assert len(waits) == most
    assert set(waits[:free]) <= {0, 0.1}  # this clock goes by tenths, and others get their turn
    assert all(later >= earlier - 0.1001 for earlier, later in itertools.pairwise(waits[free:]))
    assert 0.1 <= waits[free] <= 0.2
    assert 0.9 <= waits[-1] <= 1.2


# Slowness


@pytest.mark.row(24)
@pytest.mark.parametrize("by", ["DATA", "BDAT", "chunks", "a refused chunk"])
def test_a_message_that_is_dribbled(by):
    """Row 24: an octet each ten seconds is no message, however it is sent."""
    house = House()
    play = greeted(house)
    begin = BEGIN if by != "a refused chunk" else b""
    if by != "DATA":
        begin = begin.replace(b"DATA\r\n", b"") + (b"BDAT 1000\r\n" if by != "chunks" else b"")
    play.say(begin)
    for seconds in itertools.count(10, 10):
        said = play.say(b"BDAT 1\r\nx" if by == "chunks" else b"x")
        if not play.connection.closed:
            said += play.wait(10)
        if play.connection.closed:
            break
        assert seconds < 300
    assert said.endswith(b"421 4.4.2 You were silent for too long\r\n")
    assert 170 <= seconds <= 200
    assert told(house) == ["421 4.4.2 You were silent for too long"]


@pytest.mark.row(24)
@pytest.mark.parametrize(("rate", "is_served"), [(400, False), (1000, True)])
def test_a_large_message_over_a_slow_line(tmp_path, rate, is_served):
    """Row 24: the time grows with what has come, at 500 octets a second and three minutes in front."""
    house = House(str(tmp_path), message_octets=10_000_000)
    play = greeted(house)
    play.say(BEGIN)
    line = b"x" * (rate * 10 - 2) + b"\r\n"
    play.say(HEAD)
    for _ in range(200):
        play.say(line)
        if play.connection.closed:
            break
        play.wait(10)
    assert play.connection.closed is not is_served
    if is_served:
        assert play.say(b".\r\n").startswith(b"250 ")


@pytest.mark.row(24)
def test_a_client_that_says_little_and_brings_nothing():
    """Row 24: a command just in time, again and again, is not for ever."""
    house = House(recipients=1000)
    play = greeted(house)
    play.say(b"MAIL FROM:<>\r\n")
    for number in range(100):
        play.wait(290)
        if play.connection.closed:
            break
        play.say(b"RCPT TO:<x%d@other.example>\r\n" % number)
    assert number <= 13
    assert told(house) == ["421 4.4.2 You were silent for too long"]


def test_a_client_that_brings_mail_may_stay():
    play = greeted(House())
    for _ in range(30):
        play.wait(250)
        play.say(BEGIN)
        assert play.say(HEAD + b".\r\n").startswith(b"250 ")


# Memory


def test_messages_share_their_memory(tmp_path):
    """When it is used up, they go to the disk after 16 kB; what is given back is there for others."""
    memory = MessageMemory(405_000)
    piece = b"x" * 8192

    def collector(name):
        return Collector(Disk(), NoThreads(), str(tmp_path / name), memory)

    def run(coroutine):
        with pytest.raises(StopIteration):
            coroutine.send(None)

    first, second, third = collector("1"), collector("2"), collector("3")
    for one in (first, second):
        for _ in range(24):
            run(one.add(piece))
    assert memory.held == 48 * 8192
    assert list(tmp_path.iterdir()) == []
    for _ in range(24):
        run(third.add(piece))
    assert [path.name for path in tmp_path.iterdir()] == ["3"]
    assert memory.held <= 48 * 8192 + 3 * CROWDED_OCTETS
    for one in (first, second, third):
        run(one.discard())
    assert memory.held == 0
    run(first.add(piece))
    first.release()
    assert memory.held == 0


@pytest.mark.parametrize("end", ["accepted", "refused", "hang up"])
def test_no_message_leaves_anything_of_the_memory_behind(tmp_path, end):
    house = House(str(tmp_path), message_octets=1_000_000)
    play = greeted(house)
    play.say(BEGIN)
    play.say(HEAD + b"x" * 600_000 + b"\r\n")
    assert house.memory.held > 100_000
    if end == "hang up":
        play.hang_up()
    else:
        play.say(b".\r\n" if end == "accepted" else b"\n\r\n.\r\n")
    assert house.memory.held == 0
