"""A store that fails at a step of the commit: intake refuses before the sync, and tries again after it."""

import threading

import pytest
from fakes import MemoryJournal
from plugin_house import guard_of
from twisted.internet.task import Clock

from mailsys.disk import Disk
from mailsys.extensions.drop import GuardedDrop
from mailsys.extensions.guard import Guard
from mailsys.intake.commit import Committer, Job
from mailsys.intake.log import Log
from mailsys.intake.replay import Replay
from mailsys.intake.settle import Settler
from mailsys.intake.spool import spool_path
from mailsys.interfaces import Acceptance, Account
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.store.memory.store import MemoryStore

ANN = Account(parse_address("ann@example.org"))
CONTENT = MemoryContent([b"Subject: x\r\n\r\n"])


class Failing:
    """A drop of which one step fails so many times, in this way."""

    def __init__(self, drop, step, times, fault):
        self._drop, self._step, self._left, self.fault = drop, step, times, fault

    def __getattr__(self, name):
        method = getattr(self._drop, name)
        if name != self._step:
            return method

        def fail_at_first(*arguments):
            if self._left:
                self._left -= 1
                if isinstance(self.fault, Exception):
                    raise self.fault
                if not callable(self.fault):
                    return self.fault
                self.fault()  # waits; the step itself is done afterwards
            return method(*arguments)

        return fail_at_first


class Host:
    """Intake over the guarded drop of a store in memory."""

    def __init__(self, folder, step, times=1, fault=None, guard=None):
        self.memory = MemoryStore("life", 1, lambda account, folder: None)
        self.failing = Failing(self.memory.drop, step, times, fault or MemoryError("no room to think"))
        self.drop = GuardedDrop(self.failing, guard or guard_of())
        self.directory = str(folder / "intake")
        self.journal, self.disk = MemoryJournal(), Disk()
        self.log = Log(self.disk, self.directory, boot_id="boot", token=lambda: "0" * 16, now=lambda: 1.0)
        spool = spool_path(self.directory)
        self.committer = Committer(self.disk, self.drop, self.log, self.journal, spool)
        self.settler = Settler(
            self.disk, self.directory, self.drop, self.journal, lambda actions: None, lambda: 1.0
        )
        replay = Replay(self.disk, self.directory, self.drop, self.journal, self.settler, "boot")
        self.log.last_number = replay.run()
        self.answers = []

    def commit(self):
        action = self.drop.plan(ANN, ANN.address, b"", CONTENT.size)
        job = Job(Acceptance(Envelope("s.1", None, (ANN.address,)), (action,), CONTENT), 1.0)
        self.committer.commit([job], lambda jobs: self.answers.extend(one.is_stored for one in jobs))
        return self.answers[-1]

    def settle(self, rounds=1):
        self.log.rotate()
        self.settler.add(self.log.take_sealed())
        for _ in range(rounds):
            self.settler.run()

    def laid(self):
        with self.memory._mail.lock:
            return len(self.memory._mail.folder(ANN.address, "INBOX").copies)


@pytest.mark.row(66)
def test_what_cannot_be_written_is_refused_and_the_next_is_taken(tmp_path):
    host = Host(tmp_path, "write")
    assert host.commit() is False
    assert host.laid() == 0
    assert host.commit() is True
    assert host.laid() == 1
    host.settle()
    assert host.settler.is_idle


@pytest.mark.row(66)
@pytest.mark.parametrize("fault", [MemoryError(), RecursionError(), ValueError("odd"), OSError("disk")])
def test_what_cannot_be_laid_is_accepted_all_the_same_and_laid_later(tmp_path, fault):
    host = Host(tmp_path, "lay", times=2, fault=fault)
    assert host.commit() is True
    assert host.laid() == 0
    host.settle(rounds=10)
    assert host.laid() == 1
    assert host.settler.is_idle


@pytest.mark.row(66)
@pytest.mark.parametrize("fault", [MemoryError(), "nonsense", [7]])
def test_what_cannot_be_settled_stays_in_the_log_until_it_can(tmp_path, fault):
    host = Host(tmp_path, "settle", times=3, fault=fault)
    assert host.commit() is True
    host.settle()
    assert not host.settler.is_idle
    host.settle(rounds=30)
    assert host.settler.is_idle
    assert host.laid() == 1


@pytest.mark.row(66)
def test_a_store_that_hangs_while_a_copy_is_laid_has_it_once_in_the_end(tmp_path):
    released = threading.Event()
    host = Host(tmp_path, "lay", guard=Guard("acme", "/somewhere/acme.py", 0.2, Clock()))
    host.failing.fault = lambda: released.wait(20)
    assert host.commit() is True
    assert host.laid() == 0
    released.set()
    host.settle(rounds=10)
    assert host.laid() == 1
    assert host.settler.is_idle
