"""The house with a queue: every message has a recipient elsewhere, too, and a world that takes mail."""

import os
import shutil
import sqlite3
from collections import Counter

from disks import VolatileDisk
from house import FIRST, MESSAGES, SECOND, THIRD, House
from twisted.internet.defer import Deferred

from mailsys.interfaces import (
    Acceptance,
    Attempt,
    Notice,
    Progress,
    QueueAction,
    QueuedRecipient,
    RecipientState,
)
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Delivered, Failed, Step
from mailsys.message.reply import Reply
from mailsys.queue.contents import Contents
from mailsys.queue.database import QueueDatabase
from mailsys.queue.spool import Spool
from mailsys.queue.writer import DirectWriter

ELSEWHERE = (Address("eve", "far.test"), Address("fay", "farther.test"))
FORWARDED = {ELSEWHERE[1]: Address("alias", "ours.test")}  # it may not forget for whom it goes there
HEAD = b"Received: by host\r\n"
LATE = 1e12  # everything is due by then


def now(coroutine):
    """The result of what needs not wait."""
    outcome = []
    Deferred.fromCoroutine(coroutine).addCallbacks(outcome.append, outcome.append)
    if hasattr(outcome[0], "raiseException"):
        outcome[0].raiseException()
    return outcome[0]


class World:
    """Remote hosts: what they have taken, and the notices that came back; outlives every process."""

    def __init__(self):
        self.taken = Counter()  # (message, recipient)
        self.in_doubt = Counter()  # those taken whose outcome was not recorded when the process ended
        self.refused = set()


class SteppedConnection(sqlite3.Connection):
    """Its commits are steps of the disk; a durable one is remembered as what a loss of power leaves."""

    disk = None
    is_durable = False

    def execute(self, statement, *values):
        if statement == "PRAGMA synchronous = FULL":
            self.is_durable = True
        if statement == "PRAGMA synchronous = NORMAL":
            self.is_durable = False
        if statement != "COMMIT":
            return super().execute(statement, *values)
        self.disk.step("commit")
        result = super().execute(statement)
        if self.is_durable:
            if isinstance(self.disk, VolatileDisk):
                self.disk.queue_image = self.serialize()
            self.disk.step("committed")
        return result


class QueueHouse(House):
    """One life.  ``world`` is the same for all lives."""

    def __init__(self, root, disk, world, **options):
        self.world = world
        # Beside the root, which is the disk's to rewrite.
        self.path = os.path.join(f"{root}-queue", "queue.sqlite3")
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        super().__init__(root, disk, **options)
        self.on_stored = self.stored.append

    def queue(self):
        def connect(path, **options):
            connection = sqlite3.connect(path, factory=SteppedConnection, **options)
            connection.disk = self.disk
            return connection

        self.contents = Contents(self.disk, os.path.join(self.root, "queue"))
        self.database = QueueDatabase(self.path, connect)
        self.waiting = Spool(
            self.contents, DirectWriter(self.database), lambda address: address.domain, self._at_once
        )
        return self.waiting

    def _at_once(self, function, *arguments):
        function(*arguments)

    def replay(self):
        self.waiting.prepare()
        super().replay()
        self.contents.clear_tmp()
        self.waiting.tidy(self.contents.names())

    def acceptance(self, message):
        acceptance = super().acceptance(message)
        envelope = acceptance.envelope
        octets = len(HEAD) + len(message.body)
        outside = Envelope(envelope.id, envelope.reverse_path, ELSEWHERE, forwarded=FORWARDED)
        action = QueueAction(outside, 1.0, HEAD, octets)
        whole = Envelope(
            envelope.id, envelope.reverse_path, (*envelope.recipients, ELSEWHERE[0], FORWARDED[ELSEWHERE[1]])
        )
        return Acceptance(whole, (*acceptance.actions, action), acceptance.content, acceptance.facts)

    # ------------------------------------------------------------------ the runner's part

    def send(self, limit=100):
        """Try what is due: the remote takes it, or refuses it for good; then the outcome is recorded.

        On a disk with errors, what could not be recorded is in doubt; a real server would try that again.
        """
        try:
            for destination in sorted(now(self.waiting.destinations())):
                for item in now(self.waiting.due(destination, LATE, limit, ())).items:
                    self._attempt(item)
        except OSError:
            if not self.disk.failing:
                raise

    def send_all(self):
        """Until nobody waits, the senders of what failed included."""
        self.send()
        while not self.disk.failing and now(self.waiting.destinations()):
            self.send()

    def _attempt(self, item):
        message = item.message
        text = b"".join(message.content.pieces())
        body = text.removeprefix(HEAD)
        if message.id in MESSAGES:
            assert body == MESSAGES[message.id].body, message.id
            assert message.envelope.forwarded == FORWARDED, message.id
        for recipient in item.recipients:
            key = message.id, str(recipient.address)
            is_refused = key in self.world.refused
            if not is_refused:
                self.world.taken[key] += 1
                self.world.in_doubt[key] += 1
            now(
                self.waiting.record(
                    message, [_progress(recipient, is_refused)], self._notices(key, is_refused)
                )
            )
            self.world.in_doubt[key] -= not is_refused

    def _notices(self, key, is_refused):
        if not is_refused:
            return []
        id_ = f"notice-{key[0]}-{self.world.in_doubt.total()}-{len(self.disk.steps)}"
        to = Address("sender", "elsewhere.test")
        return [Notice(Envelope(id_, None, (to,)), MemoryContent([f"about {key[0]}".encode()]))]


def _progress(recipient, is_refused):
    after = QueuedRecipient(recipient.address, recipient.attempts + 1)
    if is_refused:
        attempt = Attempt(Failed(Reply(550, "5.1.1", "no")), Step.RCPT, "mx", "", "550 no")
        return Progress(after, RecipientState.FAILED, 2.0, attempt, reason="no")
    return Progress(
        after, RecipientState.DELIVERED, 2.0, Attempt(Delivered("mx"), Step.MESSAGE, "mx", "", "250 ok")
    )


def clear(root):
    """For the next life in a new world."""
    for folder in (root, f"{root}-queue"):
        shutil.rmtree(folder)


def live_with_queue(house):
    """A life with everything in it: batches, sending before and after they are settled, an end in order."""
    house.replay()
    for batch in FIRST:
        house.commit(*batch)
    house.send(1)
    house.settle()
    for batch in SECOND:
        house.commit(*batch)
    house.seal()
    house.send(2)
    for batch in THIRD:
        house.commit(*batch)
    house.send_all()
    house.settle()


def assert_each_has_one_outcome(house, stored, context, doubts):
    """Every acknowledged message was taken, refused with one notice, and never without need a second time."""
    taken = house.world.taken
    for id_ in stored:
        for address in map(str, ELSEWHERE):
            if (id_, address) in house.world.refused:
                continue
            count = taken[id_, address]
            most = 1 + doubts.get((id_, address), 0)
            assert 1 <= count <= most, (context, id_, address, count, most)
    notices = [text for (text, _), count in taken.items() if text.startswith("notice-")]
    about = Counter(text.split("-")[1] for text in notices)
    for id_, _ in house.world.refused:
        if id_ in stored:
            assert about[id_] == 1, (context, id_, notices)
    for name in os.listdir(os.path.join(house.root, "queue", "content")):
        raise AssertionError((context, "a content that nobody needs", name))
