"""Messages for the queue, a delivery that the test decides, and a queue on a clock that the test moves."""

import os

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zope.interface import implementer

from mailsys.config.retry import parse_retry
from mailsys.disk import Disk
from mailsys.interfaces import Attempt, IDelivery, IJournal, INotices, QueueAction
from mailsys.message.outcome import Deferred as PutOff
from mailsys.message.outcome import Step
from mailsys.message.reply import Reply
from mailsys.queue.attempting import Attempting
from mailsys.queue.contents import Contents
from mailsys.queue.database import QueueDatabase
from mailsys.queue.progress import Rules
from mailsys.queue.runner import QueueLimits, Runner
from mailsys.queue.spool import Spool
from mailsys.queue.upkeep import Upkeep
from mailsys.queue.writer import DirectWriter
from mailsys.testing.queue_spool import ANN, BEGAN, BUSY, OK, REFUSED, message

__all__ = ["ANN", "BEGAN", "BUSY", "DEAD", "OK", "REFUSED", "message"]

DEAD = Attempt(PutOff(Reply(451, "4.4.1", "connection refused")), Step.CONNECT)


def result_of(coroutine):
    """The result of what needs not wait."""
    outcome = []
    Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
    assert outcome, "it waits"
    if hasattr(outcome[0], "raiseException"):
        outcome[0].raiseException()
    return outcome[0]


@implementer(IJournal)
class Events:
    def __init__(self):
        self.events = []

    def record(self, event):
        self.events.append(event)

    def flush(self):
        pass

    def kinds(self, id_):
        return [event.facts["event"] for event in self.events if event.id == id_]


@implementer(INotices)
class NoNotices:
    """Nobody is told."""

    async def compose(self, message, progress):
        return ()


class Gate:
    """Holds attempts up until it is opened with what they come to."""

    def __init__(self):
        self._waiting = []

    def wait(self):
        self._waiting.append(Deferred())
        return self._waiting[-1]

    def open(self, answer):
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.called:
                each.callback(answer)


@implementer(IDelivery)
class World:
    """What each domain does: an Attempt, an exception, or a Gate."""

    def __init__(self, otherwise=OK):
        self.otherwise = otherwise
        self.answers = {}
        self.tried = []  # (id, recipients), in order

    async def deliver(self, envelope, content, recipients):
        self.tried.append((envelope.id, tuple(map(str, recipients))))
        answer = self.answers.get(recipients[0].domain, self.otherwise)
        if isinstance(answer, Gate):
            answer = await answer.wait()
        if isinstance(answer, Exception):
            raise answer
        return {recipient: answer for recipient in recipients}

    def ids(self):
        return [id_ for id_, _ in self.tried]


class QueueRig:
    """The whole queue over a spool; ``put`` lets a message come in."""

    def __init__(self, spool, *, retry="15m 30m 1h then 1h until 5d", limits=None, notices=None):
        self.clock = Clock()
        self.spool = spool
        self.world = World()
        self.journal = Events()
        self.wall = 0.0  # by how much the machine's clock was set
        self.attempting = Attempting(
            spool,
            self.world,
            notices or NoNotices(),
            self.journal,
            Rules(parse_retry(retry), lambda: 0.5),
            4 * 3600.0,
            self.now,
        )
        self.runner = Runner(spool, self.attempting, limits or QueueLimits(), self.clock, self.now)
        self.upkeep = Upkeep(
            spool, self.runner, self.attempting, self.journal, self.clock, self.now, 7 * 86_400.0
        )

    def now(self):
        return BEGAN + self.clock.seconds() + self.wall

    def start(self):
        result_of(self.upkeep.start())
        result_of(self.runner.start())
        return self

    def put(self, id_, *recipients, **options):
        self.spool.put(message(id_, *recipients, at=self.now()), **options)

    def go_on(self, seconds, step=1.0):
        for _ in range(int(seconds / step)):
            self.clock.advance(step)


class DiskSpool(Spool):
    """The real one, without threads, with ``put`` in place of the intake."""

    def __init__(self, folder, connect=None):
        self.path = os.path.join(folder, "queue.sqlite3")
        self.contents = Contents(Disk(), os.path.join(folder, "queue"))
        self.database = QueueDatabase(self.path, *([connect] if connect else []))
        super().__init__(
            self.contents,
            DirectWriter(self.database),
            lambda address: address.domain,
            lambda function, *arguments: function(*arguments),
        )
        self.prepare()

    def put(self, message, *, held="", not_before=0.0, free=()):
        action = QueueAction(message.envelope, message.at, b"", message.content.size, not_before, held, free)
        self.write(action, message.content)
        self.lay(action)
        self.announce(action)
