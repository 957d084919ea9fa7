"""A large message is read to its end, whatever becomes of its file meanwhile."""

import os

import pytest
from folders_house import FoldersHouse
from maildir_house import result_of

from mailsys.interfaces import FlagChange
from mailsys.message.content import READ_OCTETS
from mailsys.read.imap.bodies import body_value
from mailsys.read.imap.reading import Reading
from mailsys.read.pop3.retrieval import Pieces
from mailsys.threads import NoThreads
from mailsys.wire.imap.fetch import BodyItem, Section

SEEN, DELETED = frozenset({"\\Seen"}), frozenset({"\\Deleted"})
TEXT = b"Subject: large\r\n\r\n" + b"0123456789abcdef" * (READ_OCTETS // 16 * 3) + b"\r\n"
WHOLE = BodyItem(Section(), label=b"BODY[]")


def rename(house, folder):
    result_of(folder.store([1], FlagChange.ADD, SEEN))


def move(house, folder):
    result_of(folder.move([1], "Work"))


def expunge(house, folder):
    result_of(folder.store([1], FlagChange.ADD, DELETED))
    assert result_of(folder.expunge([1])) == [1]


def unlink(house, folder):
    """As another program does."""
    [path] = (house.root() / "cur").iterdir()
    path.unlink()


@pytest.fixture
def house(tmp_path):
    house = FoldersHouse(tmp_path)
    result_of(house.folders.create("Work"))
    house.put("1795435445.M1P1.host:2,", TEXT, "cur")
    return house


def held(house):
    """How many files of messages are open."""
    names = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except FileNotFoundError:
            continue  # of the listing itself
    return sum(name.startswith(str(house.root())) and "M1P1" in name for name in names)


async def joined(pieces, after_first):
    found = []
    async for piece in pieces:
        found.append(piece)
        if len(found) == 1:
            after_first()
    assert len(found) > 1
    return b"".join(found)


CHANGES = pytest.mark.parametrize(
    "change", [rename, move, expunge, unlink], ids=lambda change: change.__name__
)


@CHANGES
def test_a_client_gets_all_of_what_was_begun(house, change):
    folder = house.select()
    reading = Reading(folder, NoThreads())
    message = result_of(reading.read(1, ()))
    head, streamed = result_of(body_value(message, WHOLE))
    assert head == b" {%d}\r\n" % len(TEXT)
    assert result_of(joined(streamed.pieces, lambda: change(house, house.select()))) == TEXT
    assert held(house) == 1
    reading.release()
    assert held(house) == 0


@CHANGES
def test_it_may_change_before_the_first_octet(house, change):
    """The client has been told of the length by then; the parts are known from another FETCH."""
    folder = house.select()
    reading = Reading(folder, NoThreads())
    result_of(result_of(reading.read(1, ())).structure())
    message = result_of(reading.read(1, ()))
    assert held(house) == 1  # one for the reading, and not for each of what it returned
    _head, streamed = result_of(body_value(message, WHOLE))
    change(house, house.select())
    assert result_of(joined(streamed.pieces, lambda: None)) == TEXT


def test_one_that_has_gone_is_told_before_anything_is_said(house):
    folder = house.select()
    reading = Reading(folder, NoThreads())
    result_of(result_of(reading.read(1, ())).structure())
    expunge(house, house.select())
    with pytest.raises(KeyError):
        result_of(reading.read(1, ()))


def test_a_file_that_another_program_changed_is_looked_at_again(house):
    folder = house.select()
    reading = Reading(folder, NoThreads())
    result_of(result_of(reading.read(1, ())).structure())
    [path] = (house.root() / "cur").iterdir()
    path.write_bytes(TEXT + TEXT)
    message = result_of(reading.read(1, ()))
    head, streamed = result_of(body_value(message, WHOLE))
    assert head == b" {%d}\r\n" % (2 * len(TEXT))
    assert result_of(joined(streamed.pieces, lambda: None)) == TEXT + TEXT


@CHANGES
def test_so_it_is_for_who_reads_ranges_of_a_mailbox(house, change):
    folder, mailbox = house.select(), house.open(exclusive=False)
    content = result_of(mailbox.content(1))
    begin = content.read(0, 1000)
    change(house, folder)
    assert begin + content.read(1000, content.size) == TEXT
    pieces = content.pieces()
    next(pieces)
    assert held(house) == 1
    content.release()
    assert held(house) == 0


@CHANGES
def test_so_it_is_over_pop3(house, change):
    folder, pieces = house.select(), Pieces(house.open(exclusive=False), 1, NoThreads())
    octets = result_of(pieces.read())
    change(house, folder)
    while piece := result_of(pieces.read()):
        octets += piece
    assert octets == TEXT
    pieces.close()
    assert held(house) == 0


def test_what_nobody_has_any_more_is_closed(house):
    content = result_of(house.select().content(1))
    assert held(house) == 1
    del content
    assert held(house) == 0


def test_it_is_not_closed_under_a_thread_that_reads(house, monkeypatch):
    content = result_of(house.select().content(1))
    pread = os.pread

    def read_while_released(*arguments):
        content.release()
        return pread(*arguments)

    monkeypatch.setattr(os, "pread", read_while_released)
    assert content.read(0, 7) == b"Subject"
    content.release()
    assert held(house) == 0
    assert content.read(0, 7) == b"Subject"  # opened again
