"""What is remembered of a catch-all: over restarts, within bounds, and never in anybody's way."""

import sqlite3
import stat

import pytest
from zope.interface.verify import verifyObject

from mailsys.control.at_once import at_once
from mailsys.interfaces import DirectoryUnavailable, ICaughtAddresses
from mailsys.message.address import parse_address
from mailsys.submit import caught as module
from mailsys.submit.caught import AGAIN_SECONDS, CaughtAddresses
from mailsys.submit.file import SubmissionFile
from mailsys.threads import NoThreads

ANN = parse_address("ann@our.example")
SHOP = parse_address("shop@our.example")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "submission.sqlite3"


class House:
    """``now`` is the time; ``open`` what a new process would open."""

    def __init__(self, path):
        self.path = path
        self.now = 1000.0

    def open(self):
        return CaughtAddresses(SubmissionFile(str(self.path)), NoThreads(), lambda: self.now)

    def rows(self):
        with sqlite3.connect(self.path) as connection:
            return connection.execute("SELECT * FROM caught ORDER BY address").fetchall()


@pytest.fixture
def house(path):
    return House(path)


def test_it_is_remembered_by_the_next_process(house):
    caught = house.open()
    verifyObject(ICaughtAddresses, caught)
    caught.note(ANN, SHOP)
    assert at_once(caught.has_received(ANN, SHOP))
    at_once(caught.stop())
    later = house.open()
    assert at_once(later.has_received(ANN, SHOP))
    assert not at_once(later.has_received(SHOP, ANN))
    assert stat.S_IMODE(house.path.stat().st_mode) == 0o600


def test_asking_makes_no_file(house):
    assert not at_once(house.open().has_received(ANN, SHOP))
    assert not house.path.exists()


def test_it_is_written_once_a_day(house):
    caught = house.open()
    caught.note(ANN, SHOP)
    house.now += AGAIN_SECONDS - 1
    caught.note(ANN, SHOP)
    assert house.rows() == [("ann@our.example", "shop@our.example", 1000.0)]
    house.now += 1
    caught.note(ANN, SHOP)
    assert house.rows() == [("ann@our.example", "shop@our.example", 1000.0 + AGAIN_SECONDS)]


def test_made_up_addresses_take_bounded_room(house, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 3)
    caught = house.open()
    for number in range(10):
        house.now += 1
        caught.note(ANN, parse_address(f"a{number}@our.example"))
    assert [address for _, address, _ in house.rows()] == [f"a{n}@our.example" for n in (7, 8, 9)]


def test_a_file_that_cannot_be_used_hurts_nobody(house):
    house.path.write_bytes(b"this is no database" * 100)
    caught = house.open()
    caught.note(ANN, SHOP)
    with pytest.raises(DirectoryUnavailable):
        at_once(caught.has_received(ANN, SHOP))
    house.path.unlink()
    caught.note(ANN, SHOP)
    assert at_once(house.open().has_received(ANN, SHOP))
