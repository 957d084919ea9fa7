"""What an account may send in a day: counted over restarts, held, told once, then refused."""

import sqlite3

import pytest
from zope.interface.verify import verifyObject

from mailsys.control.at_once import at_once
from mailsys.interfaces import ISendingLimits
from mailsys.message.address import parse_address
from mailsys.submit import counts
from mailsys.submit.counts import DAY_SECONDS, Allowance
from mailsys.submit.file import SubmissionFile
from mailsys.submit.limits import NO_LIMIT, SendingLimits
from mailsys.submit.schema import FIRST, STEPS
from mailsys.threads import NoThreads

ANN, BOB = parse_address("ann@our.example"), parse_address("bob@our.example")


class House:
    """``now`` is the time; ``told`` who was told; ``open`` what a new process would open."""

    def __init__(self, path):
        self.path = str(path)
        self.now = 1_000_000.0
        self.told = []

    def open(self, copies=10, new=5, most=20):
        limits = SendingLimits(SubmissionFile(self.path), NoThreads(), lambda: self.now)
        limits.allowance = Allowance(copies, new, most)
        limits.tell = self.tell
        return limits

    async def tell(self, account, over):
        self.told.append((str(account), over))


@pytest.fixture
def house(tmp_path):
    return House(tmp_path / "submission.sqlite3")


def count(limits, *numbers, account=ANN):
    return at_once(limits.count(account, [parse_address(f"r{number}@far.example") for number in numbers]))


def test_new_recipients_beyond_the_limit_are_held(house):
    limits = house.open()
    verifyObject(ISendingLimits, limits)
    assert count(limits, 1, 2, 3, 4, 5) == ""
    assert count(limits, 1, 5) == ""  # they are known by now
    assert "6 new recipients within a day, and 5 are let go at once" in count(limits, 6)
    assert count(limits, 6)  # whom a held message was for stays new
    assert count(limits, 1) == ""
    assert count(limits, 1, account=BOB) == ""
    assert house.told == [("ann@our.example", "6 new recipients within a day, and 5 are let go at once")]
    assert at_once(limits.held_accounts()) == ["ann@our.example"]


def test_copies_are_counted_over_a_restart(house):
    assert count(house.open(new=0), *range(10)) == ""
    limits = house.open(new=0)
    assert "11 messages within a day, and 10 are let go at once" in count(limits, 1)
    assert at_once(limits.left(ANN)) == 9
    house.now += DAY_SECONDS + 3600
    assert at_once(limits.left(ANN)) == 20
    assert at_once(limits.held_accounts()) == []
    assert count(limits, 1) == ""
    assert len(house.told) == 1


@pytest.mark.row(54)
@pytest.mark.parametrize("jump", [-400 * DAY_SECONDS, -2 * DAY_SECONDS, 2 * DAY_SECONDS, 400 * DAY_SECONDS])
def test_a_clock_that_was_wrong_keeps_nobody_from_sending(house, jump):
    """Row 54: what was counted by a clock that went wrong is not of today, whichever way it is set right."""
    limits = house.open()
    assert count(limits, *range(20))
    assert at_once(limits.left(ANN)) == 0
    house.now += jump
    assert at_once(limits.left(ANN)) == 20
    assert at_once(limits.held_accounts()) == []
    assert count(limits, *range(100, 105)) == ""
    assert count(limits, *range(200, 215))
    assert len(house.told) == 2


@pytest.mark.row(54)
def test_a_clock_that_is_set_back_a_little_frees_nobody(house):
    """Row 54: nor does it tell twice of one day."""
    limits = house.open()
    assert count(limits, *range(20))
    house.now -= 3000  # into the hour before
    assert at_once(limits.left(ANN)) == 0
    assert count(limits, 1)
    assert len(house.told) == 1
    assert at_once(limits.held_accounts()) == ["ann@our.example"]


def test_nothing_is_left_at_the_cap(house):
    limits = house.open(most=3)
    assert at_once(limits.left(ANN)) == 3
    count(limits, 1, 2, 3, 4)
    assert at_once(limits.left(ANN)) == 0
    assert at_once(limits.left(BOB)) == 3


def test_0_is_without_limit(house):
    limits = house.open(0, 0, 0)
    assert at_once(limits.left(ANN)) == NO_LIMIT
    assert count(limits, *range(2000)) == ""


def test_what_is_remembered_is_bounded(house, monkeypatch):
    monkeypatch.setattr(counts, "RECIPIENT_ROWS", 3)
    limits = house.open(0, 0, 0)
    for number in range(10):
        house.now += 1
        count(limits, number)
    rows = SubmissionFile(house.path).run(
        lambda opened: opened.execute("SELECT address FROM recipients ORDER BY last").fetchall()
    )
    assert rows == [(f"r{number}@far.example",) for number in (7, 8, 9)]


def test_a_file_that_was_made_before_there_were_steps_is_used_on(house):
    connection = sqlite3.connect(house.path)
    connection.executescript(";".join(FIRST))
    connection.execute("INSERT INTO held VALUES ('ann@our.example', ?)", (house.now - 1,))
    connection.commit()
    connection.close()
    assert at_once(house.open().held_accounts()) == ["ann@our.example"]
    with sqlite3.connect(house.path) as opened:
        assert opened.execute("PRAGMA user_version").fetchone() == (len(STEPS),)


def test_a_file_of_a_later_version_is_left_alone(house):
    with sqlite3.connect(house.path) as opened:
        opened.execute("PRAGMA user_version = 99")
    with pytest.raises(OSError, match="newer mailsys"):
        count(house.open(), 1)
    with sqlite3.connect(house.path) as opened:
        assert opened.execute("SELECT name FROM sqlite_master").fetchall() == []


@pytest.mark.row(52)
def test_a_file_that_cannot_be_used_is_an_error(house, tmp_path):
    (tmp_path / "submission.sqlite3").write_bytes(b"this is no database" * 100)
    with pytest.raises(OSError, match="cannot be used"):
        count(house.open(), 1)
