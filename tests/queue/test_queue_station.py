"""The queue with its threads on the real reactor, behind the real intake: from acceptance to outcome."""

import os
import random
import tempfile
import time

from queue_parts import ANN, BUSY, DEAD, OK, Events, NoNotices, World
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from mailsys.config.retry import parse_retry
from mailsys.disk import Disk
from mailsys.intake.drops import Drops
from mailsys.intake.intake import Intake
from mailsys.interfaces import Acceptance, QueueAction
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.queue.runner import QueueLimits
from mailsys.queue.station import Queue, QueueSettings
from mailsys.threads import Workers

HEAD, BODY = b"Received: here\r\n", b"Subject: x\r\n\r\nhello\r\n"


class QueueBehindIntake(TestCase):
    timeout = 60

    async def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = folder.name
        self.workers = Workers(reactor, 2, "test")
        self.settling = Workers(reactor, 1, "settling")
        for workers in (self.workers, self.settling):
            workers.start()
            self.addCleanup(workers.stop)
        self.world = World()
        self.journal = Events()

    async def begin(self, retry="1h"):
        settings = QueueSettings(parse_retry(retry), QueueLimits(), 86_400.0, 3600.0)
        self.queue = Queue(
            Disk(), self.data, settings, delivery=self.world, notices=NoNotices(), journal=self.journal,
            workers=self.workers, destination_of=lambda address: address.domain, reactor=reactor,
            now=time.time, chance=random.random,
        )  # fmt: skip
        self.intake = Intake(
            Disk(), os.path.join(self.data, "intake"), Drops(None, self.queue.spool), self.journal,
            reactor=reactor, workers=self.workers, settling=self.settling, now=time.time,
        )  # fmt: skip
        await self.queue.prepare()
        await self.workers.run(self.intake.replay)
        await self.queue.start()
        self.intake.start()

    async def end(self):
        await self.intake.stop()
        await self.queue.stop()
        await self.queue.close()

    async def commit(self, id_, *recipients):
        addresses = tuple(Address(*text.split("@")) for text in recipients or ("bob@far.test",))
        envelope = Envelope(id_, ANN, addresses)
        action = QueueAction(envelope, time.time(), HEAD, len(HEAD) + len(BODY))
        await self.intake.commit(Acceptance(envelope, (action,), MemoryContent([BODY]), {}))

    async def until(self, condition):
        for _ in range(1000):
            if condition():
                return
            await deferLater(reactor, 0.01)
        raise AssertionError("it takes too long")

    def contents(self):
        return os.listdir(os.path.join(self.data, "queue", "content"))

    async def test_from_acceptance_to_outcome(self):
        await self.begin()
        for number in range(100):
            await self.commit(f"m{number}", f"bob@d{number % 7}.test", "eve@near.test")
        await self.until(lambda: len(self.world.tried) == 200)
        await self.until(lambda: not self.contents())
        assert self.journal.kinds("m7") == ["received", "queued", "delivered", "delivered"]
        await self.end()
        assert os.listdir(os.path.join(self.data, "intake")) == ["spool"]

    async def test_what_waits_is_there_after_a_restart(self):
        await self.begin()
        self.world.answers.update({"dead.test": DEAD, "busy.test": BUSY})
        await self.commit("m1", "bob@dead.test", "bob@busy.test", "eve@near.test")
        await self.until(lambda: len(self.journal.kinds("m1")) == 5)
        await self.end()
        self.world.answers.clear()
        self.world.tried.clear()
        await self.begin()
        assert self.world.tried == []
        assert sorted(await self.queue.spool.destinations()) == ["busy.test", "dead.test"]
        assert self.contents() == ["m1"]
        await self.end()

    async def test_a_content_comes_whole_to_the_delivery(self):
        seen = []

        async def deliver(envelope, content, recipients):
            seen.append(b"".join(content.pieces()))
            return {recipient: OK for recipient in recipients}

        self.world.deliver = deliver
        await self.begin()
        await self.commit("m1")
        await self.until(lambda: seen)
        assert seen == [HEAD + BODY]
        await self.end()
