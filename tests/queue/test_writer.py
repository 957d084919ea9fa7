"""The thread that writes the queue: one transaction for all that waits, and nothing owed gets lost."""

import sqlite3
import threading

import pytest

from mailsys.queue import writer
from mailsys.queue.database import QueueDatabase
from mailsys.queue.writer import Work, WriterThread

SECONDS = 10


class TroubledConnection(sqlite3.Connection):
    """Counts its transactions, and does not commit while there is trouble."""

    trouble = False
    error = sqlite3.OperationalError("database or disk is full")
    commits = 0
    syncs = 0
    gate = threading.Event()

    def execute(self, statement, *values):
        cls = TroubledConnection
        if statement == "BEGIN IMMEDIATE":
            cls.gate.wait(SECONDS)
        if statement == "COMMIT":
            if cls.trouble:
                raise cls.error
            cls.commits += 1
        if statement == "PRAGMA synchronous = FULL":
            cls.syncs += 1
        return super().execute(statement, *values)


@pytest.fixture
def thread(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.02)
    TroubledConnection.trouble, TroubledConnection.commits = False, 0
    TroubledConnection.gate = threading.Event()
    TroubledConnection.gate.set()

    def connect(path, **options):
        return sqlite3.connect(path, factory=TroubledConnection, **options)

    thread = WriterThread(QueueDatabase(str(tmp_path / "queue.sqlite3"), connect))
    thread.start()
    yield thread
    TroubledConnection.trouble = False
    thread.stop()


def insert(number, **options):
    def change(connection):
        connection.execute(
            "INSERT INTO orders (number, at, verb, selection) VALUES (?, 0, 'hold', '')", (number,)
        )
        return number

    return Work(change, **options)


def numbers(thread):
    def ask(connection):
        return [row[0] for row in connection.execute("SELECT number FROM orders ORDER BY number")]

    return thread.submit(Work(ask)).result(SECONDS)


def test_what_waits_shares_a_transaction(thread):
    thread.submit(insert(0)).result(SECONDS)
    before = TroubledConnection.commits
    TroubledConnection.gate.clear()
    works = [thread.submit(insert(number, is_durable=number % 2 == 0)) for number in range(1, 100)]
    TroubledConnection.gate.set()
    assert [work.result(SECONDS) for work in works] == list(range(1, 100))
    assert TroubledConnection.commits - before <= 2


def test_what_may_wait_is_done_with_what_comes_next(thread, monkeypatch):
    monkeypatch.setattr(writer, "SOON_SECONDS", SECONDS)
    numbers(thread)
    before = TroubledConnection.commits
    patient = [thread.submit(insert(number, may_wait=True)) for number in range(10)]
    assert thread.submit(insert(10)).result(SECONDS) == 10
    assert [work.result(0) for work in patient] == list(range(10))
    assert TroubledConnection.commits - before == 1


def test_what_may_wait_does_not_wait_for_ever(thread):
    assert thread.submit(insert(1, may_wait=True)).result(SECONDS) == 1
    assert thread.submit(insert(2, may_wait=True)).result(SECONDS) == 2


def test_what_may_wait_is_done_when_nothing_more_is_to_come(thread, monkeypatch):
    monkeypatch.setattr(writer, "SOON_SECONDS", SECONDS * 10)
    works = [thread.submit(insert(number, may_wait=True)) for number in range(3)]
    thread.hurry()
    assert [work.result(SECONDS) for work in works] == [0, 1, 2]


@pytest.mark.row(52)
@pytest.mark.parametrize(
    "error",
    [
        sqlite3.OperationalError("database or disk is full"),
        sqlite3.DatabaseError("database disk image is malformed, the disk may be full"),
    ],
)
def test_what_is_owed_is_tried_until_the_disk_takes_it(thread, monkeypatch, error):
    """Row 52: in the order in which it came, and before what came later."""
    numbers(thread)
    monkeypatch.setattr(TroubledConnection, "error", error)
    TroubledConnection.trouble = True
    owed = [thread.submit(insert(number, is_owed=True)) for number in (1, 2, 3)]
    with pytest.raises(OSError, match="full"):
        thread.submit(insert(4)).result(SECONDS)
    assert not any(work.done() for work in owed)
    TroubledConnection.trouble = False
    assert [work.result(SECONDS) for work in owed] == [1, 2, 3]
    assert numbers(thread) == [1, 2, 3]


def test_a_change_that_is_impossible_hurts_no_other(thread):
    thread.submit(insert(1)).result(SECONDS)
    TroubledConnection.gate.clear()
    works = [thread.submit(insert(number, is_owed=True)) for number in (0, 1, 2)]
    TroubledConnection.gate.set()
    assert works[0].result(SECONDS) == 0
    with pytest.raises(OSError, match="UNIQUE"):
        works[1].result(SECONDS)
    assert works[2].result(SECONDS) == 2


def test_what_follows_comes_after_the_commit(thread):
    followed = []
    thread.submit(insert(1, after=followed.append)).result(SECONDS)
    assert followed == [1]
    thread.submit(insert(2, after=lambda _: 1 / 0)).result(SECONDS)
    assert numbers(thread) == [1, 2]


def test_the_end_writes_what_waits(tmp_path):
    thread = WriterThread(QueueDatabase(str(tmp_path / "queue.sqlite3")))
    thread.start()
    works = [thread.submit(insert(number, may_wait=number > 5)) for number in range(10)]
    thread.stop()
    assert all(work.done() for work in works)
