"""The intake and the Maildirs on a disk of the test's choice, and messages to put through them."""

import os
from dataclasses import replace

from mailsys.intake.commit import Committer, Job
from mailsys.intake.drops import Drops
from mailsys.intake.log import Log
from mailsys.intake.replay import Replay
from mailsys.intake.settle import Settler
from mailsys.intake.spool import spool_path
from mailsys.interfaces import Acceptance, Account
from mailsys.message.address import Address
from mailsys.message.content import FileContent, MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.store.changes import ChangeFeed
from mailsys.store.maildir.delivery import MaildirDrop
from mailsys.store.maildir.layout import Layout
from mailsys.store.maildir.names import NameSource
from mailsys.store.maildir.tree import MaildirTree

SENDER = Address("sender", "elsewhere.test")
ROUNDS_ENOUGH = 200  # more than the longest pause of the settler


class MemoryJournal:
    """Events by their id and key, as the real one keeps them."""

    def __init__(self):
        self.events = {}

    def record(self, event):
        self.events[event.id, event.key] = event

    def flush(self):
        pass


class House:
    """One life of the process: replay, then messages, until it ends."""

    def __init__(self, root, disk, *, boot="boot", life=0):
        self.root = str(root)
        self.disk = disk
        self.directory = os.path.join(self.root, "intake")
        self.spool = spool_path(self.directory)
        self.journal = MemoryJournal()
        clock = 1_000_000.0 + 1000 * life
        tree = MaildirTree(Layout("{data}/mail/{user}", self.root), disk)
        names = NameSource(lambda: clock, 1, "host", 1000 * life)
        self.drop = MaildirDrop(tree, disk, names, ChangeFeed())
        self.drops = Drops(self.drop, self.queue())
        self.log = Log(disk, self.directory, boot_id=boot, token=lambda: f"{life:016x}", now=lambda: clock)
        self.committer = Committer(disk, self.drops, self.log, self.journal, self.spool)
        self.settler = Settler(
            disk, self.directory, self.drops, self.journal, lambda actions: None, lambda: clock
        )
        self.boot = boot
        self.stored = []  # ids that were answered with success, in order
        self.refused = []
        self.on_stored = self.stored.append

    def queue(self):
        """What takes the actions for the queue; there are none here."""
        return None

    def replay(self):
        replay = Replay(self.disk, self.directory, self.drops, self.journal, self.settler, self.boot)
        self.log.last_number = replay.run()

    def commit(self, *messages):
        """One batch; a message that cannot be spooled is refused before."""
        jobs = []
        for message in messages:
            try:
                jobs.append(Job(self.acceptance(message), 1.0))
            except OSError:
                self._refused(message.id)
        self.committer.commit(jobs, self._answered)

    def _answered(self, jobs):
        for job in jobs:
            (self.on_stored if job.is_stored else self._refused)(job.acceptance.envelope.id)

    def _refused(self, message_id):
        """As a session does: the spool file is still its own."""
        self.refused.append(message_id)
        if os.path.exists(path := os.path.join(self.spool, message_id)):
            try:
                self.disk.unlink(path)
            except OSError:
                pass  # it stays until the next start

    def acceptance(self, message):
        envelope = Envelope(message.id, SENDER, message.recipients)
        actions = tuple(
            replace(
                self.drop.plan(Account(recipient), recipient, message.head, len(message.body)),
                folder=message.folder,
            )
            for recipient in message.recipients
        )
        return Acceptance(envelope, actions, self.content(message), {"subject": message.id})

    def content(self, message):
        """As a session makes it: in memory, or in the spool."""
        if not message.is_large:
            return MemoryContent([message.body])
        path = os.path.join(self.spool, message.id)
        descriptor = self.disk.create(path)
        try:
            self.disk.write(descriptor, [message.body])
        finally:
            self.disk.close(descriptor)
        return FileContent(path, len(message.body))

    def seal(self):
        self.log.rotate()
        self.settler.add(self.log.take_sealed())

    def settle(self):
        self.seal()
        self.settler.run()

    def settle_all(self):
        """Rounds until nothing is left to do, however often something failed."""
        self.settle()
        for _ in range(ROUNDS_ENOUGH):
            if self.settler.is_idle:
                break
            self.settler.run()


class Message:
    """What is sent; its text tells where it belongs, and whether it is whole."""

    def __init__(self, name, *users, folder="INBOX", is_large=False):
        self.id = name
        self.recipients = tuple(Address(user, "example.test") for user in users)
        self.folder = folder
        self.is_large = is_large
        self.head = b"Return-Path: <sender@elsewhere.test>\r\n"
        self.body = (
            f"Subject: {name}\r\n\r\n".encode() + b"line of text\r\n" * (200 if is_large else 5) + b"end"
        )

    @property
    def text(self):
        return self.head + self.body


FIRST = [
    (Message("one", "ann"), Message("two", "ann", "bob")),
    (Message("large", "ann", "bob", is_large=True), Message("small", "cid")),
]
SECOND = [(Message("five", "bob"), Message("six", "cid", folder="Lists"))]
THIRD = [(Message("seven", "ann"),), (Message("wide", "ann", "bob", "cid", is_large=True),)]
MESSAGES = {
    message.id: message for batches in (FIRST, SECOND, THIRD) for batch in batches for message in batch
}


def live(house):
    """A life with everything in it: replay, batches, two rotations with settling, and an end in order."""
    house.replay()
    for batch in FIRST:
        house.commit(*batch)
    house.settle()
    for batch in SECOND:
        house.commit(*batch)
    house.seal()
    for batch in THIRD:
        house.commit(*batch)
    house.settle()


# ---------------------------------------------------------------------- what must be true afterwards


def laid_copies(root):
    """{(message id, user): how often}; fails for a file that is no whole copy."""
    texts = {message.text: message for message in MESSAGES.values()}
    found = {}
    mail = os.path.join(root, "mail")
    for directory, _, files in os.walk(mail):
        if os.path.basename(directory) not in ("new", "cur"):
            continue
        user = os.path.relpath(directory, mail).split(os.sep)[0]
        for name in files:
            with open(os.path.join(directory, name), "rb") as file:
                text = file.read()
            assert text in texts, f"{directory}/{name} is no whole copy: {text!r}"
            key = texts[text].id, user
            found[key] = found.get(key, 0) + 1
    return found


def assert_each_once(root, stored, context=""):
    """Every acknowledged message exactly once for every recipient, any other at most once."""
    found = laid_copies(root)
    for message in MESSAGES.values():
        counts = [found.get((message.id, user.local_part), 0) for user in message.recipients]
        if message.id in stored:
            assert counts == [1] * len(counts), (context, message.id, counts)
        else:
            assert max(counts) <= 1, (context, message.id, counts)


def assert_none_lost(root, stored, context=""):
    """Every acknowledged message at least once for every recipient."""
    found = laid_copies(root)
    missing = [
        (message_id, user.local_part)
        for message_id in stored
        for user in MESSAGES[message_id].recipients
        if (message_id, user.local_part) not in found
    ]
    assert not missing, (context, missing)


def assert_no_segments(house, context=""):
    """All is settled."""
    assert os.listdir(house.directory) == ["spool"], (context, os.listdir(house.directory))


def assert_log_is_empty(house, context=""):
    """All is settled, and no spool file is left."""
    assert_no_segments(house, context)
    assert os.listdir(house.spool) == [], (context, os.listdir(house.spool))
