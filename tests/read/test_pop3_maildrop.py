"""Many messages, large messages, and reading ahead."""

import gc
import re
import time

import pytest
from dialogs.runner import Play
from fakes import MemoryMailbox
from pop3_house import LOGIN, House
from twisted.internet.defer import Deferred

from mailsys.interfaces import StoredMessage
from mailsys.message.content import MemoryContent
from mailsys.read.pop3.maildrop import Maildrop
from mailsys.read.pop3.read_ahead import (
    MOST_AT_ONCE,
    MOST_OCTETS,
    REFILL_BELOW,
    SMALL_OCTETS,
    ReadAhead,
)


def logged_in(house):
    play = Play(house.conversation)
    play.say(LOGIN)
    return play


class Numbers:
    """A mailbox of any size without contents."""

    uid_validity = 2**32 - 1

    def __init__(self, count):
        self.messages = [StoredMessage(uid, 1000, 1020) for uid in range(1, count + 1)]


@pytest.fixture
def no_collector():
    """The collector's pauses depend on all that other tests have left behind."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.row(65)
@pytest.mark.usefixtures("no_collector")
def test_listings_of_very_many_messages():
    """Row 65: 10^5 messages are listed in parts, each done in a few milliseconds."""
    maildrop = Maildrop(Numbers(100_000))
    assert (maildrop.count, maildrop.octets) == (100_000, 102_000_000)
    maildrop.mark_deleted(5000)
    for listing, last in (
        (maildrop.scan_listing(), b"100000 1020"),
        (maildrop.unique_id_listing(), b"100000 000186a0ffffffff"),
    ):
        parts, slowest = [], 0.0
        while True:
            began = time.process_time()
            part = next(listing, None)
            slowest = max(slowest, time.process_time() - began)
            if part is None:
                break
            parts.append(part)
        lines = b"".join(parts).split(b"\r\n")
        assert len(lines) == 100_000  # one is marked, and behind the last CRLF is an empty one
        assert lines[-2] == last
        assert not any(line.startswith(b"5000 ") for line in lines)
        assert slowest < 0.05


@pytest.mark.row(65)
def test_a_listing_waits_between_its_parts():
    """Row 65: others have their turn while 10^5 messages are listed."""
    house = House({uid: b"x: y\r\n\r\n" for uid in range(1, 20_001)})
    play = logged_in(house)
    play.connection.feed(b"UIDL\r\n")
    assert play.connection.take().count(b"\n") < 5000
    play.settle()
    play.connection.feed(b"LIST\r\n")
    play.settle()
    assert play.connection.take().endswith(b"\r\n20000 8\r\n.\r\n")


@pytest.mark.parametrize("octets", [SMALL_OCTETS, SMALL_OCTETS + 1, 3 * SMALL_OCTETS + 77])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_large_messages(octets, end):
    """The octets that LIST promises are those that RETR sends, without stuffed dots; TOP stops in time."""
    line = b"." + b"x" * 70 + end
    message = (b"a: b" + end + end + line * (octets // len(line) + 1))[: octets - len(end)] + end
    house = House({5: message})
    play = logged_in(house)
    size = int(play.say(b"LIST 1\r\n").split()[2])
    head, _, body = play.say(b"RETR 1\r\n").partition(b"\r\n")
    assert head == b"+OK %d octets" % size
    assert body.endswith(b"\r\n.\r\n")
    unstuffed = re.sub(rb"^\.", b"", body.removesuffix(b".\r\n"), flags=re.MULTILINE)
    assert unstuffed == message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert len(unstuffed) == size
    top = play.say(b"TOP 1 2\r\n")
    assert top.endswith(b"a: b\r\n\r\n" + 2 * (b".." + b"x" * 70 + b"\r\n") + b".\r\n")


class TornContent:
    """A large message whose file is moved once, or becomes unreadable, after the first piece."""

    size = 4 * SMALL_OCTETS

    def __init__(self, error):
        self.error = error

    def read(self, offset, octets):
        if offset and self.error is not None:
            error, self.error = self.error, None
            raise error
        return b"x" * min(octets, self.size - offset)


def torn_house(monkeypatch, error):
    async def content(self, uid):
        return contents.pop(0) if len(contents) > 1 else contents[0]

    contents = [TornContent(error), TornContent(None)]
    monkeypatch.setattr(MemoryMailbox, "content", content)
    return House({1: b"x" * TornContent.size})


def test_a_large_message_that_is_moved_while_it_is_sent(monkeypatch):
    play = logged_in(torn_house(monkeypatch, FileNotFoundError()))
    said = play.say(b"RETR 1\r\n")
    assert said == b"+OK %d octets\r\n%b\r\n.\r\n" % (TornContent.size, b"x" * TornContent.size)


def test_a_large_message_that_breaks_off_ends_the_connection(monkeypatch):
    """There is no way to tell the client in the middle of a message; no end mark must come."""
    play = logged_in(torn_house(monkeypatch, OSError("input/output error")))
    said = play.say(b"RETR 1\r\n")
    assert said.startswith(b"+OK ")
    assert not said.endswith(b".\r\n")
    assert play.connection.closed


def test_a_content_that_is_too_short_is_an_error():
    class Short(MemoryContent):
        def read(self, offset, octets):
            return b"" if offset else super().read(offset, octets)

    async def content(uid):
        return Short([b"x" * 2 * SMALL_OCTETS])

    house = House({1: b"x" * 2 * SMALL_OCTETS})
    play = logged_in(house)
    house.store.opened[0].content = content
    said = play.say(b"RETR 1\r\n")
    assert not said.endswith(b".\r\n")
    assert play.connection.closed


class Waiting:
    """A mailbox whose batches end when the test says so."""

    def __init__(self, sizes):
        self.messages = [StoredMessage(uid, size, size) for uid, size in enumerate(sizes, 1)]
        self.batches = []  # (UIDs, Deferred)
        self.cached = {}
        self.tried = []  # UIDs

    def read_cached(self, uid):
        self.tried.append(uid)
        return self.cached.get(uid)

    async def read_many(self, uids):
        self.batches.append((list(uids), Deferred()))
        return await self.batches[-1][1]

    def finish(self):
        """End what was begun; the message with UID 13 cannot be read."""
        for uids, reading in list(self.batches):
            if not reading.called:
                reading.callback([OSError("13") if uid == 13 else b"%d" % uid for uid in uids])

    @property
    def begun(self):
        return [uids for uids, _reading in self.batches]


def read(ahead, mailbox, number):
    """Ask for one message and let the mailbox work until it is there."""
    reading = Deferred.fromCoroutine(ahead.read(number))
    mailbox.finish()
    assert reading.called
    reading.addErrback(lambda failure: failure.value)
    return reading.result


def test_what_is_in_memory_needs_no_batch():
    mailbox = Waiting([100] * 5)
    mailbox.cached = {1: b"one", 2: b"two", 5: b"five"}
    ahead = ReadAhead(mailbox)
    assert [read(ahead, mailbox, number) for number in (1, 2, 5, 4)] == [b"one", b"two", b"five", b"4"]
    assert mailbox.begun == [[4], [5]]


def test_batches_grow_with_use():
    mailbox = Waiting([100] * 60)
    ahead = ReadAhead(mailbox)
    for number in range(1, 13):
        assert read(ahead, mailbox, number) == b"%d" % number
    assert mailbox.begun == [[1], [2, 3], [4, 5, 6, 7], [*range(8, 16)], [*range(16, 32)]]
    assert isinstance(read(ahead, mailbox, 13), OSError)
    for number in range(14, 61):
        assert read(ahead, mailbox, number) == b"%d" % number
        assert mailbox.begun[-1][-1] - number <= MOST_AT_ONCE + REFILL_BELOW
    assert [uid for uids in mailbox.begun for uid in uids] == [*range(1, 61)]


def test_what_is_held_is_bounded_in_octets():
    mailbox = Waiting([SMALL_OCTETS] * 12)
    ahead = ReadAhead(mailbox)
    for number in range(1, 13):
        assert read(ahead, mailbox, number) == b"%d" % number
        held = [uid for uids in mailbox.begun for uid in uids if uid > number]
        assert len(held) * SMALL_OCTETS <= MOST_OCTETS


def test_a_jump_begins_small_and_forgets_the_rest():
    mailbox = Waiting([100] * 100)
    ahead = ReadAhead(mailbox)
    assert read(ahead, mailbox, 1) == b"1"
    reading = Deferred.fromCoroutine(ahead.read(50))
    assert mailbox.begun == [[1], [2, 3], [50]]
    # What was forgotten fails later, and nobody is told.
    mailbox.batches[1][1].errback(OSError("late"))
    mailbox.finish()
    assert reading.result == b"50"
    assert read(ahead, mailbox, 49) == b"49"
    assert read(ahead, mailbox, 49) == b"49"


def test_a_batch_that_comes_is_waited_for_and_not_read_twice():
    mailbox = Waiting([100] * 10)
    ahead = ReadAhead(mailbox)
    assert read(ahead, mailbox, 1) == b"1"
    reading = Deferred.fromCoroutine(ahead.read(3))
    assert mailbox.begun == [[1], [2, 3]]
    mailbox.finish()
    assert reading.result == b"3"
    assert read(ahead, mailbox, 4) == b"4"


def test_what_comes_from_a_thread_already_is_not_read_twice():
    mailbox = Waiting([100] * 10)
    ahead = ReadAhead(mailbox)
    assert read(ahead, mailbox, 1) == b"1"
    mailbox.cached = {2: b"from memory", 3: b"from memory", 4: b"from memory"}
    assert [read(ahead, mailbox, number) for number in (2, 3)] == [b"2", b"3"]
    assert 2 not in mailbox.tried
    assert 3 not in mailbox.tried


def test_a_small_message_that_has_become_large_is_sent_whole():
    house = House({1: b"Subject: x\r\n\r\nshort\r\n"})
    play = logged_in(house)
    house.contents[1] = large = b"Subject: x\r\n\r\n" + b"long\r\n" * SMALL_OCTETS
    assert play.say(b"RETR 1\r\n") == b"+OK 21 octets\r\n" + large + b".\r\n"
    assert play.say(b"TOP 1 1\r\n").endswith(b"\r\nSubject: x\r\n\r\nlong\r\n.\r\n")


def test_large_messages_are_not_read_ahead():
    mailbox = Waiting([100, SMALL_OCTETS + 1, 100])
    ahead = ReadAhead(mailbox)
    assert read(ahead, mailbox, 1) == b"1"
    assert mailbox.begun == [[1]]
    assert read(ahead, mailbox, 3) == b"3"
