"""What goes when it is old or too much, and how an old journal is brought up to date."""

import sqlite3
import time

import pytest
from journal_scenes import ANN, BOB, NOON, accepted, delivered, message, session

from mailsys.journal import events
from mailsys.journal.database import JournalDatabase
from mailsys.journal.upkeep import AGAIN_SECONDS, REST_SECONDS, SLICE_EVENTS, Upkeep
from mailsys.journal.writer import Journal
from mailsys.message import reply as replies

DAY = 86_400


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "journal.sqlite3")


@pytest.fixture
def database(path):
    database = JournalDatabase(path)
    yield database
    database.close()


def query(path, statement):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def ids(path, table="events"):
    return [id_ for (id_,) in query(path, f"SELECT DISTINCT id FROM {table} ORDER BY id")]  # noqa: S608


class Clock:
    """Two clocks: that of the wall, which people may set, and one that only goes on."""

    now = NOON
    seconds = 5.0

    def upkeep(self, database, keep_seconds=30 * DAY, size_octets=1 << 30):
        return Upkeep(database, lambda: self.now, lambda: self.seconds, keep_seconds, size_octets)


def refusal(number, at=NOON):
    return events.refused(
        f"4k2m9r{number:03d}", session(), "RCPT", replies.NO_SUCH_USER, at, recipient="rob@example.org"
    )


def test_what_is_too_old_goes_in_small_slices(database, path):
    clock = Clock()
    upkeep = clock.upkeep(database)
    database.write([accepted(f"a.{n}", NOON - 31 * DAY) for n in range(SLICE_EVENTS + 50)])
    database.write([accepted("b.1", NOON - 29 * DAY)])
    upkeep.step()
    while upkeep.seconds_to_next() == AGAIN_SECONDS and len(ids(path)) > 51:
        clock.seconds += AGAIN_SECONDS
        upkeep.step()
    assert len(ids(path)) == 51
    upkeep.step()  # too early
    assert len(ids(path)) == 51
    clock.seconds += upkeep.seconds_to_next()
    upkeep.step()
    assert ids(path) == ids(path, "clues") == ids(path, "names") == ["b.1"]
    assert upkeep.seconds_to_next() == REST_SECONDS


@pytest.mark.row(54)
@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_clock_that_is_set_does_not_stop_it(database, path, jump):
    """Row 54: when to look again is not a matter of the wall's clock."""
    clock = Clock()
    upkeep = clock.upkeep(database)
    upkeep.step()
    clock.now += jump
    assert upkeep.seconds_to_next() <= REST_SECONDS
    database.write([accepted("old.1", NOON - 40 * DAY), accepted("new.1", NOON)])
    for _ in range(3):
        clock.seconds += upkeep.seconds_to_next()
        upkeep.step()
    assert ids(path) == ["new.1"]


def settle(clock, upkeep, steps=200):
    for _ in range(steps):
        clock.seconds += upkeep.seconds_to_next()
        upkeep.step()
        if upkeep.seconds_to_next() == REST_SECONDS:
            return
    raise AssertionError("it does not come to rest")


def test_of_too_much_refusals_go_before_mail(database, path):
    clock = Clock()
    database.write([accepted(f"m{n:03d}.1", NOON - 20 * DAY + n) for n in range(100)])
    database.write([refusal(n, NOON - 5 * DAY + n) for n in range(999)])
    database.write([refusal(999, NOON - 10)])
    kept = database.octets()
    settle(clock, clock.upkeep(database, size_octets=kept - 1))
    left = ids(path)
    assert len([id_ for id_ in left if id_.startswith("m")]) == 100
    assert "4k2m9r999" in left  # of the last day
    assert "4k2m9r000" not in left


def test_when_mail_alone_is_too_much_the_oldest_goes(database, path):
    clock = Clock()
    database.write([accepted(f"m{n:03d}.1", NOON - 20 * DAY + n) for n in range(999)])
    size = database.octets() // 2
    settle(clock, clock.upkeep(database, size_octets=size))
    assert database.octets() <= size
    assert ids(path)[-1] == "m998.1"
    assert ids(path) == ids(path, "clues") == ids(path, "names")


def make_old(path, count):
    """A journal as version 0 wrote it: without clues."""
    database = JournalDatabase(path)
    database.write([event for n in range(count) for event in message(f"4k2m9x{n:03d}.1", NOON + n)])
    database.close()
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE clues; DROP TABLE unindexed; PRAGMA user_version = 0")
    connection.close()


def test_an_old_journal_is_brought_up_to_date_slice_by_slice(path):
    make_old(path, 300)
    clock = Clock()
    database = JournalDatabase(path)
    upkeep = clock.upkeep(database)
    database.write(message("4k2m9xzzz.1", NOON + 999))  # what is new is indexed at once
    assert ids(path, "clues") == ["4k2m9xzzz.1"]
    upkeep.step()
    assert "4k2m9x299.1" in ids(path, "clues")  # the newest first
    assert "4k2m9x000.1" not in ids(path, "clues")
    settle(clock, upkeep)
    assert len(ids(path, "clues")) == 301
    assert query(path, "SELECT * FROM unindexed") == []
    database.close()


def test_that_goes_on_after_a_restart(path):
    make_old(path, 300)
    for _ in range(2):
        clock, database = Clock(), JournalDatabase(path)
        clock.upkeep(database).step()
        database.close()
    clock, database = Clock(), JournalDatabase(path)
    settle(clock, clock.upkeep(database))
    database.close()
    assert len(ids(path, "clues")) == 300


def test_an_idle_journal_does_it_too(path):
    make_old(path, 10)
    journal = Journal(path, now=lambda: NOON + 31 * DAY, observer=lambda event: None)
    journal.start()
    end = time.monotonic() + 10
    while ids(path):
        assert time.monotonic() < end
        time.sleep(0.02)
    journal.close()
    assert query(path, "SELECT * FROM unindexed") == []


def test_a_message_and_its_clue(database, path):
    database.write([accepted(to=[BOB], sender=ANN, subject="Größe: Café"), delivered()])
    assert query(path, "SELECT client, domains, subject FROM clues") == [
        ("192.0.2.7", " example.net example.org ", "grosse: cafe")
    ]
