"""When what came in is put into the index: in a quiet moment, many messages of an account in one job."""

from collections import Counter

import pytest
from twisted.internet.defer import succeed
from twisted.internet.task import Clock

from mailsys.message.structure.describe import describe_octets
from mailsys.store.index import descriptions
from mailsys.store.index.descriptions import Described
from mailsys.store.maildir import indexer as module
from mailsys.store.maildir.indexer import QUIET_SECONDS, Arrived, Indexer


class Jobs:
    """Workers that note the messages of each job, and do none of it."""

    def __init__(self):
        self.batches = []

    def run(self, _function, batch):
        self.batches.append([f"{message.root}:{message.base}" for message in batch])
        return succeed(None)


@pytest.fixture
def rig():
    clock, jobs = Clock(), Jobs()
    return clock, jobs, Indexer(None, jobs, clock)


def arrive(indexer, root, base):
    indexer.arrived(Arrived(root, root, "new", base, ""))


def test_mail_for_one_account_after_the_other_is_a_job_for_each_account(rig):
    clock, jobs, indexer = rig
    for number in range(9):
        arrive(indexer, "abc"[number % 3], number)
    assert jobs.batches == []
    clock.pump([QUIET_SECONDS, 0, 0, 0])
    assert jobs.batches == [["a:0", "a:3", "a:6"], ["b:1", "b:4", "b:7"], ["c:2", "c:5", "c:8"]]
    clock.advance(60)
    assert len(jobs.batches) == 3


def test_an_account_with_much_mail_does_not_hold_up_others(rig, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    clock, jobs, indexer = rig
    for number in range(5):
        arrive(indexer, "a", number)
    arrive(indexer, "b", 5)
    clock.pump([QUIET_SECONDS] + [0] * 5)
    assert jobs.batches == [["a:0", "a:1"], ["b:5"], ["a:2", "a:3"], ["a:4"]]


def test_while_mail_pours_in_it_waits(rig):
    clock, jobs, indexer = rig
    for number in range(50):
        arrive(indexer, "a", number)
        clock.advance(QUIET_SECONDS / 2)
    assert jobs.batches == []
    clock.pump([QUIET_SECONDS] * 3)
    assert Counter(len(batch) for batch in jobs.batches) == {50: 1}


def test_of_too_much_nothing_more_is_noted(rig, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    clock, jobs, indexer = rig
    for number in range(5):
        arrive(indexer, "a", number)
    clock.pump([QUIET_SECONDS, 0])
    assert jobs.batches == [["a:0", "a:1", "a:2"]]
    arrive(indexer, "a", 6)
    clock.pump([QUIET_SECONDS, 0])
    assert jobs.batches[1:] == [["a:6"]]


class TestBatches:
    def test_what_is_held_is_bounded_by_octets(self, monkeypatch):
        one = Described("a", 0.0, None, describe_octets(b"Subject: " + b"x" * 3000 + b"\n\n"))
        assert one.octets > 6000  # the envelope, and the text
        monkeypatch.setattr(descriptions, "HELD_OCTETS", 2 * one.octets)
        taken = []
        batches = descriptions.batches((taken.append(n) or one for n in range(5)), 50)
        assert next(batches) == [one, one]
        assert taken == [0, 1]
        assert list(map(len, batches)) == [2, 1]

    def test_and_by_their_number(self):
        one = Described("a", 0.0, None, describe_octets(b"Subject: x\n\n"))
        assert list(map(len, descriptions.batches([one] * 7, 3))) == [3, 3, 1]
        assert list(descriptions.batches([], 3)) == []
