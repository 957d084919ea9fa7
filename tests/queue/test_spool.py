"""The contract of IQueueSpool, over the disk and over memory; and what only the disk can do."""

import os
import sqlite3
from dataclasses import replace

import pytest
from memory_spool import MemorySpool
from queue_parts import BEGAN, DiskSpool, message, result_of
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailsys.disk import Disk
from mailsys.interfaces import IQueueDrop, Order, QueueAction, Selection, Verb
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.queue import orders, rows
from mailsys.queue.contents import SMALL_OCTETS
from mailsys.queue.database import QueueDatabase
from mailsys.queue.listing import messages
from mailsys.queue.schema import FIRST
from mailsys.queue.writer import WriterThread
from mailsys.testing import QueueSpoolContract
from mailsys.testing.queue_spool import BOB, DELIVERED, progress


class TestDiskSpool(QueueSpoolContract):
    @pytest.fixture
    def spool(self, tmp_path):
        return DiskSpool(str(tmp_path))


class TestMemorySpool(QueueSpoolContract):
    @pytest.fixture
    def spool(self):
        return MemorySpool()


@pytest.fixture
def spool(tmp_path):
    return DiskSpool(str(tmp_path))


def contents(spool):
    return sorted(os.listdir(spool.contents._content))


def test_it_takes_what_intake_lays(spool):
    assert verifyObject(IQueueDrop, spool)


def test_a_content_stays_until_the_last_recipient_has_an_outcome(spool):
    spool.put(message("m1", "bob@far.test", "eve@near.test"))
    spool.contents.sync(["m1"])
    result_of(spool.record(message("m1"), [progress(BOB, DELIVERED)], []))
    assert contents(spool) == ["m1"]
    result_of(spool.carry_out(Order(Verb.REMOVE, Selection()), BEGAN, ()))
    assert contents(spool) == []


def test_those_who_are_free_are_due_though_the_others_are_held(spool):
    heard = []
    spool.watch(heard.append)
    eve = Address("eve", "near.test")
    spool.put(message("m1", "bob@far.test", "eve@near.test"), held="over the limit", free=(eve,))
    assert [(item.destination, item.recipients[0].address) for item in heard] == [("near.test", eve)]
    assert result_of(spool.destinations()) == {"near.test": BEGAN}
    assert result_of(spool.carry_out(Order(Verb.RELEASE, Selection()), BEGAN + 1, ()))[0].address == BOB
    assert set(result_of(spool.destinations())) == {"near.test", "far.test"}


def test_contents_that_nobody_needs_are_removed(spool):
    spool.put(message("m1"))
    spool.contents.sync(["m1"])
    with open(spool.contents.path("orphan"), "wb") as file:
        file.write(b"x")
    spool.tidy(spool.contents.names())
    assert contents(spool) == ["m1"]


class Unsure:
    """Spools whose rows are not possible for a while, though the disk is well."""

    def __init__(self, folder):
        self.spool = DiskSpool(str(folder))
        self.writer = WriterThread(QueueDatabase(self.spool.path))
        self.writer.start()
        self.spool._writer = self.writer
        self.has_fault = True
        self.spool.destination_of = self._destination_of
        self.heard = []
        self.spool.watch(self.heard.append)

    def _destination_of(self, address):
        if self.has_fault:
            raise LookupError(address)
        return address.domain

    def lay(self, content):
        action = QueueAction(message("m1").envelope, BEGAN, b"", content.size)
        self.spool.write(action, content)
        self.spool.lay(action)
        self.spool._wait(lambda _: None)  # by then its row was tried
        return action


@pytest.fixture
def unsure(tmp_path):
    made = Unsure(tmp_path)
    yield made
    made.writer.stop()


CONTENTS = [MemoryContent([b"small"]), MemoryContent([b"x" * SMALL_OCTETS, b"\r\n"])]


@pytest.mark.parametrize("content", CONTENTS, ids=["small", "large"])
def test_what_has_no_row_is_not_settled_until_it_has_one(unsure, content):
    spool = unsure.spool
    action = unsure.lay(content)
    assert spool.laid_octets(action) is None
    assert spool.settle([action]) == [action]
    spool.tidy(spool.contents.names())
    assert contents(spool) == ["m1"]
    assert unsure.heard == []
    unsure.has_fault = False
    assert spool.settle([action]) == []
    assert spool.is_kept(action)
    assert [item.message.id for item in unsure.heard] == ["m1"]
    assert spool.settle([action]) == []
    assert len(unsure.heard) == 1


def test_one_without_a_row_keeps_no_other_from_being_settled(unsure):
    lost = unsure.lay(CONTENTS[0])
    good = replace(lost, envelope=replace(lost.envelope, id="m2"))
    unsure.has_fault = False
    unsure.spool.write(good, CONTENTS[0])
    unsure.spool.lay(good)
    unsure.spool._wait(lambda _: None)
    unsure.has_fault = True
    assert unsure.spool.settle([lost, good]) == [lost]


def test_an_outcome_brings_the_row_that_was_missing(unsure):
    """So that nobody is given twice what has left already."""
    spool = unsure.spool
    action = unsure.lay(CONTENTS[0])
    unsure.has_fault = False
    recorded = Deferred.fromCoroutine(spool.record(message("m1"), [progress(BOB, DELIVERED)], []))
    spool._wait(lambda _: None)
    assert recorded.called
    assert spool.settle([action]) == []
    assert unsure.heard == []
    assert contents(spool) == []
    assert spool._is_unfinished(action) is False


def test_what_was_finished_and_forgotten_is_settled(spool):
    spool.put(message("m1"))
    action = QueueAction(message("m1").envelope, BEGAN, b"", message("m1").content.size)
    result_of(spool.record(message("m1"), [progress(BOB, DELIVERED)], []))
    assert result_of(spool.prune(BEGAN + 1e9, 10)) == 1
    assert spool.settle([action]) == []
    assert spool.laid_octets(action) is None


def test_it_is_all_there_after_a_restart(spool, tmp_path):
    spool.put(message("m1"))
    spool.database.close()
    again = DiskSpool(str(tmp_path))
    assert result_of(again.destinations()) == {"far.test": BEGAN}


def test_the_file_is_for_its_owner_only(spool):
    spool.put(message("m1"))
    for suffix in ("", "-wal", "-shm"):
        assert os.stat(spool.path + suffix).st_mode & 0o777 == 0o600


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path):
    connection = sqlite3.connect(tmp_path / "queue.sqlite3", isolation_level=None)
    for statement in FIRST:
        connection.execute(statement)
    connection.execute("PRAGMA user_version = 1")
    row = (
        "m1",
        BEGAN,
        "",
        3,
        BEGAN + 9,
        '{"id":"m1","from":null,"to":["a@far.test"],"body":"7BIT","smtputf8":false}',
    )
    connection.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, NULL)", row)
    connection.execute(
        "INSERT INTO recipients (message, number, address, destination, state, next_attempt)"
        " VALUES ('m1', 1, 'a@far.test', 'far.test', 'waiting', 0)"
    )
    connection.close()
    spool = DiskSpool(str(tmp_path))
    [item] = result_of(spool.aged(0.0, BEGAN + 9, 10))
    assert item.message.not_before == BEGAN + 9


def test_pages_and_ages_are_read_in_the_order_of_an_index(spool):
    """However many messages wait."""
    asked = []
    connection = sqlite3.connect(spool.path)
    connection.set_trace_callback(asked.append)
    messages(connection, [], is_finished=False, limit=10)
    rows.aged(connection, None, 0.0, 1.0, 10)
    connection.set_trace_callback(None)
    for question in asked:
        plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}"))
        assert "messages_open" in plan
        assert "TEMP B-TREE" not in plan
    assert len(asked) == 2


def test_a_file_of_a_later_version_is_left_alone(tmp_path):
    DiskSpool(str(tmp_path)).database.close()
    with sqlite3.connect(tmp_path / "queue.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(OSError, match="newer mailsys"):
        DiskSpool(str(tmp_path))


def test_a_message_with_many_recipients_goes_in_parts(spool):
    spool.put(message("m1", *(f"user{number}@far.test" for number in range(250))))
    (item,) = result_of(spool.due("far.test", BEGAN, 10, ())).items
    assert len(item.recipients) == rows.RECIPIENTS_AT_ONCE
    assert item.is_part
    assert str(item.recipients[0].address) == "user0@far.test"


def test_an_order_for_many_is_done_in_slices(spool):
    count = 2 * orders.AT_ONCE + 7
    spool.put(message("m1", *(f"user{number}@far.test" for number in range(count))))
    changed = result_of(spool.carry_out(Order(Verb.HOLD, Selection()), BEGAN, ()))
    assert len({one.address for one in changed}) == count


def test_an_order_of_another_program_is_seen_and_answered(spool):
    spool.put(message("m1"))
    with sqlite3.connect(spool.path) as connection:
        number = orders.give(connection, Verb.HOLD, Selection(domain="far.test"), BEGAN)
    (order,) = result_of(spool.orders())
    assert order == Order(Verb.HOLD, Selection(domain="far.test"), number)
    result_of(spool.carry_out(order, BEGAN, ()))
    assert result_of(spool.orders()) == []
    with sqlite3.connect(spool.path) as connection:
        assert orders.answer_to(connection, number) == 1


@pytest.mark.row(52)
def test_a_full_disk_is_told_and_nothing_is_half_done(tmp_path):
    class Full(Disk):
        is_full = False

        def write(self, descriptor, pieces):
            if self.is_full:
                raise OSError(28, "No space left on device")
            super().write(descriptor, pieces)

    spool = DiskSpool(str(tmp_path))
    spool.contents._disk = disk = Full()
    disk.is_full = True
    large = replace(message("m1"), content=MemoryContent([b"x" * SMALL_OCTETS, b"\r\n"]))
    with pytest.raises(OSError, match="space"):
        spool.put(large)
    disk.is_full = False
    spool.put(large)
    assert result_of(spool.destinations()) == {"far.test": BEGAN}
