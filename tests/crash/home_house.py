"""The house with users of its own: their mail comes home from the queue, and notices about it, too."""

import os
from collections import Counter

from fakes import SignsNothing
from queue_house import LATE, QueueHouse, now

from mailsys.config.retry import parse_retry
from mailsys.intake.commit import Job
from mailsys.interfaces import (
    Acceptance,
    Account,
    Attempt,
    NotStored,
    QueueAction,
    ToMailboxes,
)
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope, NoticeWish, Notify
from mailsys.message.outcome import Deferred, Delivered, Failed, Step
from mailsys.message.reply import Reply
from mailsys.notices.notices import Notices
from mailsys.queue.attempting import Attempting
from mailsys.queue.home import HomeOrAway
from mailsys.queue.laying import Home
from mailsys.queue.progress import Rules
from mailsys.threads import NoThreads

ANN, BOB, BOTH, TEAM, EVE, GUS, SLOW = map(
    parse_address,
    (
        "ann@example.test",
        "bob@example.test",
        "both@example.test",
        "team@example.test",
        "eve@far.test",
        "gus@far.test",
        "slow@far.test",
    ),
)
MX = "mx [::1]:25"
ROUTES = {
    ANN: ToMailboxes((Account(ANN),)),
    BOB: ToMailboxes((Account(BOB, 10**6),)),
    BOTH: ToMailboxes((Account(ANN), Account(BOB, 10**6))),
    TEAM: ToMailboxes((Account(BOB, 10**6),), outside=(GUS,)),
}
ALL = NoticeWish(frozenset({Notify.SUCCESS, Notify.FAILURE, Notify.DELAY}))
# From ann, and with all wishes: what has to become of each, as (account or recipient, words in it).
MESSAGES = {
    "m1.1": ((EVE,), [("ann", "Not delivered to eve@far.test")]),
    "m2.1": ((BOB,), [("bob", "m2.1"), ("ann", "Delivered to bob@example.test")]),
    "m3.1": (
        (BOTH,),
        [("ann", "m3.1"), ("bob", "m3.1"), ("ann", "Delivered to both@example.test")],
    ),
    "m4.1": (
        (TEAM,),
        [("bob", "m4.1"), ("ann", "Delivered to team@example.test"), ("gus", "m4.1.1")],
    ),
    "m5.1": ((SLOW,), [("ann", "Still waiting for slow@far.test"), ("slow", "m5.1")]),
}


class World:
    """Remote hosts: eve is refused, slow comes the second time, and the others are taken."""

    def __init__(self):
        self.taken = Counter()  # (recipient's local part, message)
        self.in_doubt = Counter()  # those taken whose outcome was not recorded when the process ended

    async def deliver(self, envelope, content, recipients):
        return {recipient: self._attempt(envelope, recipient) for recipient in recipients}

    def _attempt(self, envelope, recipient):
        if recipient == EVE:
            return Attempt(
                Failed(Reply(550, "5.1.1", "no such user")), Step.RCPT, "mx [::1]:25", "", "550 no"
            )
        if recipient == SLOW and not self.slow_is_back:
            return Attempt(Deferred(Reply(451, "4.2.0", "later")), Step.RCPT, MX, "", "451 later")
        key = recipient.local_part, envelope.id
        self.taken[key] += 1
        self.in_doubt[key] += 1
        return Attempt(Delivered("mx"), Step.MESSAGE, MX, "", "250 ok", hands_on_notices=True)

    slow_is_back = False


class HomeHouse(QueueHouse):
    """One life.  ``world`` is the same for all lives."""

    def __init__(self, root, disk, world, **options):
        super().__init__(root, disk, world, **options)
        self._life = options.get("life", 0)
        self._notices = 0
        home = Home(self, self, self.drop, self.drops, self, NoThreads(), lambda: 3.0)
        notices = Notices(
            "mx.example.test", self._first_domain, self._new_id, NoThreads(), lambda: 3.0, 9e9, SignsNothing()
        )
        self.attempting = Attempting(
            self.waiting,
            HomeOrAway(lambda: home, world),
            notices,
            self.journal,
            Rules(parse_retry("1s 1s 1s then 1s until 5d"), lambda: 0.5),
            1.0,
            lambda: 3.0,
        )

    async def _first_domain(self):
        return "example.test"

    def _new_id(self):
        """As the real ones: never given twice."""
        self._notices += 1
        return f"notice{self._life}x{self._notices}.1"

    # ------------------------------------------------------------------ what home needs

    async def route(self, recipient):
        return ROUTES.get(recipient)

    async def commit(self, acceptance):
        """As the intake's, but at once."""
        job = Job(acceptance, 3.0)
        self.committer.commit([job], lambda jobs: None)
        if not job.is_stored:
            raise NotStored("the disk")
        for action in job.laid:
            self.drops.announce(action)

    async def hold(self, account, octets):
        return True

    def release(self, account, octets, *, used):
        pass

    # ------------------------------------------------------------------ a life

    def hand_in(self, id_):
        recipients, _ = MESSAGES[id_]
        wishes = dict.fromkeys(recipients, ALL)
        envelope = Envelope(id_, ANN, recipients, wishes=wishes, is_vouched_for=True)
        content = MemoryContent([f"Subject: {id_}\r\n\r\nhello\r\n".encode()])
        acceptance = Acceptance(envelope, (QueueAction(envelope, 1.0, b"", content.size),), content, {})
        self.committer.commit([Job(acceptance, 1.0)], self._answered)

    def deliver(self, rounds):
        """Try what is due, with the notices that come of it; what a broken disk takes not is tried again."""
        for _ in range(rounds):
            try:
                for destination in sorted(now(self.waiting.destinations())):
                    for item in now(self.waiting.due(destination, LATE, 100, ())).items:
                        self._attempt(item)
            except OSError:
                if not self.disk.failing:
                    raise

    def _attempt(self, item):
        now(self.attempting.attempt(item))
        for recipient in item.recipients:
            key = recipient.address.local_part, item.message.id
            if self.world.in_doubt[key]:
                self.world.in_doubt[key] -= 1

    def deliver_all(self):
        self.world.slow_is_back = True
        self.deliver(1)
        while not self.disk.failing and now(self.waiting.destinations()):
            self.deliver(1)

    def live(self):
        """Everything, with settling between."""
        self.replay()
        for id_ in MESSAGES:
            self.hand_in(id_)
        self.deliver(1)
        self.settle()
        self.deliver(1)
        self.seal()
        self.deliver_all()
        self.settle()


def read_all(root):
    """As a reader's program does that looks between two lives: what is new is moved, and marked as seen."""
    for directory, _, files in os.walk(os.path.join(root, "mail")):
        if os.path.basename(directory) == "new":
            for name in files:
                os.rename(f"{directory}/{name}", f"{os.path.dirname(directory)}/cur/{name}:2,S")


def found(root, world, words):
    """How many such copies this account or recipient elsewhere has."""
    who, text = words
    if who in ("gus", "slow"):
        return world.taken[who, text]
    count = 0
    for folder in ("new", "cur"):
        directory = os.path.join(root, "mail", who, folder)
        for name in os.listdir(directory) if os.path.isdir(directory) else ():
            with open(os.path.join(directory, name)) as file:
                count += f"\nSubject: {text}\n" in file.read().partition("\n\n")[0] + "\n"
    return count


def assert_each_once(root, world, stored, context, doubts=None, *, is_late_told=True):
    """Of what was acknowledged; of other messages at most once.

    What another host took and nobody noted may come to it twice.  Of a delay nobody needs to be told that was
    over before it could be.
    """
    for id_, (_, all_words) in MESSAGES.items():
        for words in all_words:
            count = found(root, world, words)
            least = id_ in stored and (is_late_told or "Still waiting" not in words[1])
            most = 1 + (doubts or {}).get(words, 0)
            assert least <= count <= most, (context, id_, words, count)
