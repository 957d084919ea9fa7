"""Many sessions on the same folders, another program on the same tree: all see the same in the end.

``--hypothesis-profile=long`` makes it take minutes.
"""

import os
import random
import re
import shutil
import tempfile
import time

import pytest
from folders_house import TEXT, FoldersHouse
from hypothesis import settings
from maildir_house import NOON
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from mailsys.interfaces import Column, FlagChange, FolderRefused, NewMessage
from mailsys.message.content import MemoryContent
from mailsys.threads import Workers

FOLDERS = ("INBOX", "Work", "Work/Sub")
FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "\\Answered", "work", "blue", "$Junk")
SESSIONS = 12
LONG_SECONDS = 180.0


class TimelyHouse(FoldersHouse):
    """Its clocks are the machine's."""

    clock = property(lambda self: time.time(), lambda self, value: None)
    monotonic = property(lambda self: time.monotonic(), lambda self, value: None)


class View:
    """What a session may show its client: it learns of changes by being told."""

    def __init__(self):
        self.uids = []
        self.stale = set()
        self.is_gone = False
        self.folder = None

    def arrived(self, uids):
        assert list(uids) == sorted(set(uids))
        assert not self.uids or uids[0] > self.uids[-1], "UIDs rise"
        self.uids += uids
        self.check()

    def flags_changed(self, uids):
        assert set(uids) <= set(self.uids)

    def expunged(self, uids):
        assert set(uids) <= set(self.uids)
        self.uids = [uid for uid in self.uids if uid not in set(uids)]
        self.check()

    def gone(self):
        assert not self.is_gone
        self.is_gone = True

    def check(self):
        """It is told after the folder shows it."""
        if self.folder is not None:
            assert list(self.folder.uids) == self.uids


class Model:
    """What no session may lose: each message's text by its number, and which were ever removed by whom."""

    def __init__(self):
        self.made = set()
        self.removed = set()
        self.seen = {}  # (UIDVALIDITY, UID) -> text, for ever

    def note(self, uid_validity, uid, text):
        before = self.seen.setdefault((uid_validity, uid), text)
        assert before == text, f"UID {uid} was another message"


class Session:
    """Does something at random, again and again."""

    def __init__(self, house, model, seed, until):
        self.house = house
        self.model = model
        self.random = random.Random(seed)
        self.until = until
        self.done = 0
        self.view = self.folder = None

    async def live(self):
        while time.monotonic() < self.until:
            await self.select()
            for _ in range(self.random.randrange(3, 25)):
                if self.view.is_gone or time.monotonic() > self.until:
                    break
                await self.step()
            self.folder.close()

    async def select(self):
        self.view = View()
        name = self.random.choice(FOLDERS)
        read_only = self.random.random() < 0.1
        self.folder = await self.house.folders.open(name, self.view, read_only=read_only)
        self.view.uids = list(self.folder.uids)
        self.view.folder = self.folder

    async def step(self):
        action = self.random.choice(
            [self.store, self.store, self.append, self.fetch, self.fetch, self.expunge, self.copy, self.move,
             self.look, self.status]
        )  # fmt: skip
        try:
            await action()
        except FolderRefused:
            if not self.folder.read_only:
                raise
        self.done += 1

    def some(self):
        uids = self.folder.uids
        return sorted(self.random.sample(list(uids), min(len(uids), self.random.randrange(1, 6))))

    async def store(self):
        change = self.random.choice(list(FlagChange))
        flags = frozenset(self.random.sample(FLAGS, self.random.randrange(1, 3)))
        since = self.folder.highest_modseq if self.random.random() < 0.2 else None
        uids = self.some()
        stored = await self.folder.store(uids, change, flags, unchanged_since=since)
        assert set(stored.changed) <= set(uids)
        assert not set(stored.changed) & set(stored.modified)

    async def append(self):
        count = self.random.choice([1, 1, 1, 3])
        numbers = [len(self.model.made) + offset for offset in range(count)]
        self.model.made.update(numbers)
        messages = [NewMessage(MemoryContent([TEXT % (n, n)]), frozenset({"work"}), NOON) for n in numbers]
        name = self.random.choice(FOLDERS)
        placed = await self.house.folders.append(name, messages)
        for number, uid in zip(numbers, placed.uids, strict=True):
            self.model.note(placed.uid_validity, uid, TEXT % (number, number))

    async def fetch(self):
        uids = self.some()
        for uid, octets in zip(uids, await self.folder.read_many(uids), strict=True):
            if isinstance(octets, bytes):
                self.model.note(self.folder.uid_validity, uid, octets)
            else:
                assert isinstance(octets, KeyError)
        [sizes] = await self.folder.columns(uids, [Column.WIRE_SIZE])
        assert len(sizes) == len(uids)

    async def expunge(self):
        uids = self.some()
        gone = await self.folder.expunge(uids)
        assert set(gone) <= set(uids)
        self.model.removed.update((self.folder.uid_validity, uid) for uid in gone)
        assert not set(gone) & set(self.folder.uids)

    async def copy(self):
        placed = await self.folder.copy(self.some(), self.random.choice(FOLDERS))
        assert len(placed.uids) == len(placed.sources)

    async def move(self):
        placed = await self.folder.move(self.some(), self.random.choice(FOLDERS))
        assert len(placed.uids) == len(placed.sources)
        assert not set(placed.sources) & set(self.folder.uids)
        self.model.removed.update((self.folder.uid_validity, uid) for uid in placed.sources)

    async def look(self):
        await self.folder.look()
        self.view.check()

    async def status(self):
        status = await self.house.folders.status(self.random.choice(FOLDERS))
        assert status.unseen <= status.messages


class OtherProgram:
    """As mutt or a delivery agent: works with files, and knows nothing of sessions.  It deletes no mail."""

    def __init__(self, root, model, seed):
        self.root = root
        self.model = model
        self.random = random.Random(seed)
        self.number = 0

    def step(self):
        folder = self.root / self.random.choice(["", ".Work", ".Work.Sub"])
        self.random.choice([self.deliver, self.change_flags, self.read_new])(folder)

    def deliver(self, folder):
        number = len(self.model.made)
        self.model.made.add(number)
        self.number += 1
        name = f"{int(time.time())}.P7Q{self.number}.other"
        (folder / "tmp" / name).write_bytes(TEXT % (number, number))
        (folder / "tmp" / name).rename(folder / "new" / name)

    def change_flags(self, folder):
        names = os.listdir(folder / "cur")
        if names:
            name = self.random.choice(names)
            base, _, letters = name.partition(":2,")
            letters = "".join(sorted(set(letters) ^ {self.random.choice("SFR")}))
            self.rename(folder / "cur" / name, folder / "cur" / f"{base}:2,{letters}")

    def read_new(self, folder):
        for name in os.listdir(folder / "new"):
            self.rename(folder / "new" / name, folder / "cur" / f"{name}:2,S")

    def rename(self, source, target):
        try:
            source.rename(target)
        except FileNotFoundError:
            pass  # another was quicker


def seconds():
    is_long = settings.default.max_examples >= 1000
    return LONG_SECONDS if is_long else 2.5


@pytest.mark.row(51)
class TogetherTests(TestCase):
    timeout = 600

    def setUp(self):
        self.workers = Workers(reactor, 8, "files")
        self.workers.start()
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(self.workers.stop)

    def house(self, **options):
        return TimelyHouse(self.folder, workers=self.workers, **options)

    async def together(self, house):
        for name in FOLDERS[1:]:
            if name not in [entry.name for entry in await house.folders.list()]:
                await house.folders.create(name)
        model = Model()
        seed = random.randrange(2**32)
        until = time.monotonic() + seconds()
        sessions = [Session(house, model, seed + number, until) for number in range(SESSIONS)]
        other = OtherProgram(house.root(), model, seed)
        lives = [Deferred.fromCoroutine(session.live()) for session in sessions]
        writer = Deferred.fromCoroutine(self.write(other, until))
        try:
            await gatherResults([*lives, writer], consumeErrors=True)
        except BaseException as error:
            raise AssertionError(f"seed {seed}") from error
        return model, sum(session.done for session in sessions)

    async def write(self, other, until):
        while time.monotonic() < until:
            other.step()
            await sleep(0.01)

    async def check(self, house, model):
        """Everybody sees the same, and it is what lies on the disk."""
        await sleep(1.2)  # what happened in the same tick of the clock is seen a second later
        later = house.again(workers=self.workers)
        for name in FOLDERS:
            here = await house.folders.open(name, View(), read_only=True)
            here_too = await house.folders.open(name, View(), read_only=True)
            there = await later.folders.open(name, View(), read_only=True)
            for folder in (here, there):
                assert list(folder.uids) == sorted(set(folder.uids))
            assert list(here.uids) == list(here_too.uids) == list(there.uids)
            assert here.uid_validity == there.uid_validity
            for uid in here.uids:
                assert here.flags(uid) == there.flags(uid), (name, uid)
                assert here.modseq(uid) <= here.highest_modseq
                assert (here.uid_validity, uid) not in model.removed
            for uid, octets in zip(here.uids, await there.read_many(there.uids[:]), strict=True):
                assert re.fullmatch(rb"Subject: Number (\d+)\r\nFrom: .*\r\n\r\ntext \1\r\n", octets)
                model.note(here.uid_validity, uid, octets)

    async def test_twelve_sessions_and_another_program(self):
        house = self.house()
        model, done = await self.together(house)
        assert done > SESSIONS
        await self.check(house, model)


def sleep(duration):
    deferred = Deferred()
    reactor.callLater(duration, deferred.callback, None)
    return deferred
