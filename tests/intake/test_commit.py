"""The order of the steps, and what the log says of them."""

import os
import re
from dataclasses import replace

import pytest
from crash.house import House, Message, laid_copies
from disks import FailingDisk, SteppedDisk

from mailsys.intake.commit import Job
from mailsys.interfaces import Acceptance
from mailsys.message.address import Address


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path, SteppedDisk())
    house.replay()
    house.commit(Message("one", "ann"))  # makes the folders
    house.settle()
    house.disk.steps.clear()
    return house


def log_lines(house):
    (name,) = (name for name in os.listdir(house.directory) if name.endswith(".log"))
    with open(os.path.join(house.directory, name), "rb") as file:
        return file.read()


def test_a_batch_shares_one_sync_and_nothing_is_laid_before_it(house):
    house.commit(*(Message(f"m{number}", "ann") for number in range(5)))
    assert house.disk.steps.count("sync_data") == 1
    synced = house.disk.steps.index("sync_data")
    assert "rename" not in house.disk.steps[:synced]
    assert house.disk.steps.count("rename") == 5


def test_the_answer_comes_after_the_sync_and_the_laying(house):
    seen = []
    house.on_stored = lambda _: seen.append(list(house.disk.steps))
    house.commit(Message("one", "ann"), Message("two", "bob"))
    for steps in seen:
        assert steps.count("sync_data") == 1
        assert steps.count("rename") == 2


def test_the_log_can_be_read_by_people(house):
    message = Message("one", "ann", "bob")
    house.commit(message)
    lines = log_lines(house)
    assert re.match(rb"mailsys-intake 1 \d+ boot [0-9a-f]{16} [0-9a-f]{8}\n", lines)
    assert re.search(rb"\n[0-9a-f]{16} message \d+\.1 \d+ \d+ [0-9a-f]{8}\n\{", lines)
    assert b'"from":"sender@elsewhere.test","to":["ann@example.test","bob@example.test"]' in lines
    assert lines.count(message.body) == 1
    assert re.search(rb"\n[0-9a-f]{16} laid \d+\.1 [0-9a-f]{8}\n$", lines)


def test_a_large_content_is_synced_and_not_written_twice(house):
    message = Message("large", "ann", "bob", is_large=True)
    house.commit(message)
    assert message.body not in log_lines(house)
    assert os.path.exists(os.path.join(house.spool, "large"))
    assert house.disk.steps.count("sync_data") == 2
    house.settle()
    assert os.listdir(house.spool) == []
    assert os.listdir(house.directory) == ["spool"]


def test_one_message_that_cannot_be_written_does_not_hurt_the_others(tmp_path):
    house = House(tmp_path, SteppedDisk())
    house.replay()
    impossible = Message("impossible", "cid")
    os.makedirs(tmp_path / "mail")
    (tmp_path / "mail" / "cid").write_text("a file where the Maildir should be")
    house.commit(Message("one", "ann"), impossible, Message("two", "bob"))
    assert house.stored == ["one", "two"]
    assert house.refused == ["impossible"]
    assert b"impossible" not in log_lines(house)


def test_facts_that_cannot_be_written_hurt_only_their_message(house):
    """A mistake of ours in one message must not stop the thread."""

    good = house.acceptance(Message("one", "ann"))
    circular = {}
    circular["self"] = circular
    bad = Acceptance(good.envelope, good.actions, good.content, circular)
    jobs = [Job(bad, 1.0), Job(house.acceptance(Message("two", "ann")), 1.0)]
    house.committer.commit(jobs, lambda _: None)
    assert [job.is_stored for job in jobs] == [False, True]


def test_the_story_is_told_once_for_each_copy(house):
    house.journal.events.clear()
    house.commit(Message("one", "ann", "bob"))
    told = [event.facts["event"] for event in house.journal.events.values()]
    assert told == ["received", "delivered", "delivered"]
    received = house.journal.events["one", "received"]
    assert received.facts["subject"] == "one"


def test_each_recipient_of_a_shared_copy_has_an_outcome(house):
    """Two addresses of Ann, one copy: told for both, also by the process after a kill."""
    house.journal.events.clear()
    plain = house.acceptance(Message("one", "ann"))
    sales = Address("sales", "example.test")
    action = replace(plain.actions[0], also_for=(sales,))
    house.committer.commit([Job(replace(plain, actions=(action,)), 1.0)], lambda _: None)
    outcomes = {
        event.facts["recipient"]
        for event in house.journal.events.values()
        if event.facts["event"] == "delivered"
    }
    assert outcomes == {"ann@example.test", "sales@example.test"}
    again = House(house.root, SteppedDisk(), life=1)
    again.replay()
    assert again.journal.events == house.journal.events


class ForgetfulDisk(SteppedDisk):
    """Has no memory left in the middle of a write, when it is told so."""

    is_full = False

    def at_step(self, number, operation):
        if self.is_full and operation == "write" and self.steps[-2] == "write":
            self.is_full = False
            raise MemoryError


def test_any_failure_of_a_write_leaves_the_log_as_it_was(tmp_path):
    """Without memory: the batch is refused, its copies go, and what comes after it can be read back."""
    disk = ForgetfulDisk()
    house = House(tmp_path, disk)
    house.replay()
    house.commit(Message("one", "ann"))
    drafts = [Job(house.acceptance(Message("two", "ann")), 1.0)]
    house.committer.prepare(drafts[0])
    disk.is_full = True
    house.committer.commit(drafts, house._answered)
    assert house.refused == ["two"]
    assert os.listdir(tmp_path / "mail" / "ann" / "tmp") == []
    house.drop.lay = None
    house.commit(Message("five", "ann"))
    again = House(tmp_path, SteppedDisk(), boot="another", life=1)
    again.replay()
    assert laid_copies(tmp_path) == {("one", "ann"): 1, ("five", "ann"): 1}
    assert os.listdir(house.directory) == ["spool"]


def test_a_mark_that_fails_for_any_reason_does_not_hurt_what_follows(tmp_path):
    disk = ForgetfulDisk()
    house = House(tmp_path, disk)
    house.replay()
    house.on_stored = lambda _: None
    mark_laid = house.log._mark_laid

    def without_memory(segment, names):
        disk.is_full = True
        mark_laid(segment, names)

    house.log._mark_laid = without_memory
    house.commit(Message("one", "ann"))
    house.log._mark_laid = mark_laid
    house.drop.lay = None
    house.commit(Message("two", "ann"))
    again = House(tmp_path, SteppedDisk(), boot="another", life=1)
    again.replay()
    assert laid_copies(tmp_path) == {("one", "ann"): 1, ("two", "ann"): 1}


def test_a_failed_sync_seals_the_segment_and_marks_the_messages_as_aborted(tmp_path):
    """What a sync has failed for is never synced again, and named at the head of the next segment."""
    disk = FailingDisk(range(10**9), operations={"sync_data"})
    disk.failing = ()
    house = House(tmp_path, disk)
    house.replay()
    house.commit(Message("one", "ann"))
    disk.failing = range(10**9)
    house.commit(Message("two", "ann"), Message("five", "ann"))
    disk.failing = ()
    house.commit(Message("six", "ann"))
    assert house.stored == ["one", "six"]
    first, second = sorted(name for name in os.listdir(house.directory) if name.endswith(".log"))
    assert b'"two"' not in (tmp_path / "intake" / first).read_bytes()
    number = first.removesuffix(".log")
    marks = (tmp_path / "intake" / second).read_bytes()
    assert f" aborted {number}.2 {number}.3 ".encode() in marks


def test_copies_that_could_not_be_laid_are_laid_from_the_log(tmp_path):
    """The answer is success all the same, for the message cannot be lost any more."""
    disk = FailingDisk((), operations={"rename"})
    house = House(tmp_path, disk)
    house.replay()
    disk.failing = range(10**9)
    house.commit(Message("one", "ann", "bob"))
    assert house.stored == ["one"]
    assert laid_copies(tmp_path) == {}
    house.settle()
    assert laid_copies(tmp_path) == {}
    disk.failing = ()
    house.settle_all()
    assert laid_copies(tmp_path) == {("one", "ann"): 1, ("one", "bob"): 1}
    assert os.listdir(house.directory) == ["spool"]
