"""The station as sessions see it: with its threads, on the real reactor, and on a real disk."""

import os
import tempfile
import threading
import time
from dataclasses import replace

import pytest
from crash.house import House, Message, laid_copies
from twisted.internet import defer, reactor
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from mailsys.disk import Disk
from mailsys.intake.intake import Intake, Limits
from mailsys.interfaces import IIntake, NotStored
from mailsys.threads import Workers

QUIET = Limits(settle_seconds=3600)


class SlowDisk(Disk):
    """Waits in the sync of the log until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.go_on = threading.Event()
        self.go_on.set()
        self.syncs = 0

    def sync_data(self, descriptor):
        self.go_on.wait(20)
        self.syncs += 1
        super().sync_data(descriptor)


class IntakeTests(TestCase):
    """Each with an intake of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        self.workers = self.threads("test")
        self.settling = self.threads("settling")
        self.disk = SlowDisk()
        self.house = House(self.root, self.disk)  # for its drop and its messages
        self.announced = []
        self.house.drop.announce = self.announced.append

    def threads(self, name):
        workers = Workers(reactor, 1, name)
        workers.start()
        self.addCleanup(workers.stop)
        return workers

    async def open(self, limits=QUIET):
        intake = Intake(
            self.disk,
            self.house.directory,
            self.house.drops,
            self.house.journal,
            reactor=reactor,
            workers=self.workers,
            settling=self.settling,
            now=time.time,
            boot_id="boot",
            limits=limits,
        )
        await self.workers.run(intake.replay)
        intake.start()
        return intake

    def commit(self, intake, message):
        return defer.Deferred.fromCoroutine(intake.commit(self.house.acceptance(message)))

    async def test_it_is_what_it_says(self):
        intake = await self.open()
        verifyObject(IIntake, intake)
        await intake.stop()

    async def test_committed_messages_are_in_their_mailboxes(self):
        intake = await self.open()
        await defer.gatherResults(
            [self.commit(intake, Message("one", "ann")), self.commit(intake, Message("two", "ann", "bob"))]
        )
        assert laid_copies(self.root) == {("one", "ann"): 1, ("two", "ann"): 1, ("two", "bob"): 1}
        await self.pause()
        assert len(self.announced) == 3
        await self.commit(intake, Message("large", "ann", is_large=True))
        await intake.stop()
        assert os.listdir(self.house.directory) == ["spool"]
        assert os.listdir(self.house.spool) == []

    async def test_all_that_wait_share_a_sync(self):
        intake = await self.open()
        self.disk.go_on.clear()
        first = self.commit(intake, Message("one", "ann"))
        await self.until(lambda: not (intake._handed_in or intake._batches._queue.qsize()))
        others = [self.commit(intake, Message(f"m{number}", "ann")) for number in range(50)]
        await self.until(lambda: not intake._handed_in)
        self.disk.go_on.set()
        await defer.gatherResults([first, *others])
        assert self.disk.syncs == 2
        await intake.stop()

    async def test_beyond_its_bounds_it_refuses_at_once(self):
        intake = await self.open(replace(QUIET, waiting_octets=10_000))
        self.disk.go_on.clear()
        taken = [self.commit(intake, Message("one", "ann")), self.commit(intake, Message("two", "ann"))]
        refused = self.commit(intake, Message("five", "ann"))
        self.failureResultOf(refused, NotStored)
        self.disk.go_on.set()
        await defer.gatherResults(taken)
        await self.commit(intake, Message("five", "ann"))
        await intake.stop()

    async def test_too_much_that_cannot_be_settled_stops_the_flow(self):
        intake = await self.open(replace(QUIET, unsettled_octets=10))
        intake._settler.add([intake._segments._open()])
        self.failureResultOf(self.commit(intake, Message("one", "ann")), NotStored)
        await intake.stop()

    async def test_what_waits_is_committed_before_the_end(self):
        intake = await self.open()
        self.disk.go_on.clear()
        waiting = [self.commit(intake, Message("one", "ann")), self.commit(intake, Message("two", "ann"))]
        stopped = defer.Deferred.fromCoroutine(intake.stop())
        late = self.commit(intake, Message("five", "ann"))
        self.failureResultOf(late, NotStored)
        self.disk.go_on.set()
        await defer.gatherResults([*waiting, stopped])
        assert laid_copies(self.root) == {("one", "ann"): 1, ("two", "ann"): 1}

    async def test_a_session_that_gave_up_does_not_hurt_its_batch(self):
        intake = await self.open()
        self.disk.go_on.clear()
        gone = self.commit(intake, Message("one", "ann"))
        other = self.commit(intake, Message("two", "ann"))
        gone.cancel()
        self.failureResultOf(gone, defer.CancelledError)
        self.disk.go_on.set()
        await other
        await intake.stop()

    async def writers(self, message, limits):
        """The names of the threads that write the copies of a message."""
        names = []
        write = self.house.drop.write

        def write_and_tell(action, content):
            names.append(threading.current_thread().name)
            write(action, content)

        self.house.drop.write = write_and_tell
        intake = await self.open(limits)
        await self.commit(intake, message)
        await intake.stop()
        assert len(names) == len(message.recipients)
        return {"the committing" if name == "intake" else "another" for name in names}

    async def test_a_usual_message_is_written_by_the_committing_thread(self):
        message = Message("one", *(f"user{number}" for number in range(16)))
        assert await self.writers(message, QUIET) == {"the committing"}

    async def test_many_copies_are_written_in_another_thread(self):
        """Those that wait in the same batch need not wait for them."""
        message = Message("one", *(f"user{number}" for number in range(17)))
        assert await self.writers(message, QUIET) == {"another"}

    async def test_copies_with_many_octets_are_written_in_another_thread(self):
        message = Message("one", "ann", "bob")
        limits = replace(QUIET, alone_octets=2 * len(message.text) - 1)
        assert await self.writers(message, limits) == {"another"}

    async def test_a_batch_is_full_when_its_work_is(self):
        intake = await self.open(replace(QUIET, batch_octets=100_000))
        self.disk.go_on.clear()
        first = self.commit(intake, Message("one", "ann"))
        await self.until(lambda: not (intake._handed_in or intake._batches._queue.qsize()))
        users = [f"user{number}" for number in range(12)]
        others = [self.commit(intake, Message(f"m{number}", *users)) for number in range(4)]
        await self.until(lambda: not intake._handed_in)
        self.disk.go_on.set()
        await defer.gatherResults([first, *others])
        assert self.disk.syncs == 1 + 2
        await intake.stop()

    async def test_settling_keeps_no_thread_from_others(self):
        """However long a disk or the journal takes."""
        let_go = threading.Event()
        self.addCleanup(let_go.set)
        self.house.journal.flush = lambda: let_go.wait(20)
        intake = await self.open(replace(QUIET, settle_seconds=0.02))
        await self.commit(intake, Message("one", "ann"))
        while not intake._is_settling:
            await self.pause()
        await self.commit(intake, Message("large", "ann", is_large=True))
        assert laid_copies(self.root) == {("one", "ann"): 1, ("large", "ann"): 1}
        assert os.path.exists(self.house.spool + "/large")
        let_go.set()
        await intake.stop()

    async def test_segments_are_settled_in_the_course_of_time(self):
        intake = await self.open(replace(QUIET, settle_seconds=0.02))
        await self.commit(intake, Message("one", "ann"))
        for _ in range(500):
            if os.listdir(self.house.directory) == ["spool"]:
                break
            await self.pause()
        assert os.listdir(self.house.directory) == ["spool"]
        await intake.stop()

    async def test_a_full_segment_is_followed_by_another(self):
        intake = await self.open(replace(QUIET, segment_octets=1))
        for name in ("one", "two", "five"):
            await self.commit(intake, Message(name, "ann"))
        logs = [name for name in os.listdir(self.house.directory) if name.endswith(".log")]
        assert len(logs) == 3
        await intake.stop()
        assert os.listdir(self.house.directory) == ["spool"]

    async def test_a_mistake_in_one_batch_does_not_end_the_thread(self):
        intake = await self.open()
        append, intake._segments.append = intake._segments.append, lambda drafts: 1 / 0
        with pytest.raises(NotStored):
            await self.commit(intake, Message("one", "ann"))
        intake._segments.append = append
        await self.commit(intake, Message("two", "ann"))
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
        await intake.stop()

    async def test_copies_laid_late_are_announced(self):
        intake = await self.open(replace(QUIET, settle_seconds=0.02))
        lay = self.house.drop.lay
        self.house.drop.lay = lambda action: 1 / 0
        await self.commit(intake, Message("one", "ann"))
        assert self.announced == []
        self.house.drop.lay = lay
        while not self.announced:
            await self.pause()
        assert laid_copies(self.root) == {("one", "ann"): 1}
        self.flushLoggedErrors(ZeroDivisionError)
        await intake.stop()

    async def until(self, is_so):
        while not is_so():
            await self.pause()

    def pause(self):
        paused = defer.Deferred()
        reactor.callLater(0.01, paused.callback, None)
        return paused
