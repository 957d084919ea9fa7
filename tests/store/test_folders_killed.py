"""A store with folders whose process is killed, whose disk is full or broken, or whose power is lost.

Each change is tried with the end at each of its operations on the disk.
"""

import errno
import os
import shutil
import tempfile
from collections import Counter
from contextlib import suppress

import pytest
from disks import NEEDS_SPACE, FailingDisk, SteppedDisk, Stopped, StoppingDisk, VolatileDisk
from folders_house import TEXT, FoldersHouse
from maildir_house import NoIndexes, result_of
from twisted.internet.defer import Deferred

from mailsys.interfaces import Column, FlagChange, FolderRefused, NewMessage
from mailsys.message.content import MemoryContent
from mailsys.store.maildir.arrivals import Arrivals
from mailsys.testing.folders_asked import Told
from mailsys.threads import NoThreads

SEEN, DELETED = frozenset({"\\Seen"}), frozenset({"\\Deleted"})


@pytest.fixture
def root():
    memory = "/dev/shm"
    folder = tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)
    yield os.path.join(folder, "data")
    shutil.rmtree(folder)


def prepare(root):
    """INBOX with three messages, Work with one, Work/Sub with one."""
    if os.path.exists(root):
        shutil.rmtree(root)
    os.mkdir(root)
    house = FoldersHouse(root, indexes=NoIndexes())
    house.append(2)
    house.append(1, {"\\Deleted", "blue"}, first=2)
    result_of(house.folders.create("Work/Sub"))
    house.append(1, SEEN, "Work", first=10)
    house.append(1, SEEN, "Work/Sub", first=11)
    for name in ("Work", "Work/Sub"):
        house.select(name=name).close()
    return house


def next_life(root, disk=None):
    """The next process over what ``prepare`` left."""
    return FoldersHouse(root).again(disk=disk, indexes=NoIndexes())


INBOX = {1: TEXT % (0, 0), 2: TEXT % (1, 1), 3: TEXT % (2, 2)}


def append(house):
    house.append(2, {"red"}, "Work", first=20)


def copy(house):
    result_of(house.select().copy([1, 3], "Work"))


def move(house):
    result_of(house.select().move([1, 3], "Work"))


def move_within(house):
    result_of(house.select().move([1, 3], "INBOX"))


def store(house):
    result_of(house.select().store([1, 2], FlagChange.ADD, SEEN | {"green"}))


def expunge(house):
    result_of(house.select().expunge([1, 3]))


def create(house):
    result_of(house.folders.create("New/Sub", "\\Sent"))


def delete(house):
    result_of(house.folders.delete("Work"))


def rename(house):
    result_of(house.folders.rename("Work", "Other/Place"))


def subscribe(house):
    result_of(house.folders.subscribe("Work"))


CHANGES = [append, copy, move, move_within, store, expunge, create, delete, rename, subscribe]


def steps_of(change, root):
    prepare(root)
    disk = SteppedDisk()
    change(next_life(root, disk))
    return disk.steps


def assert_sound(house, change, context):
    """What must be true whenever the change ended; ``house`` is the life after it."""
    everything = Counter(text for name in house.names_of_folders() for text in house.texts(name).values())
    for text in INBOX.values():
        least = 0 if change is expunge and text == INBOX[3] else 1
        most = 2 if change in (copy, move, move_within) and text != INBOX[2] else 1
        assert least <= everything[text] <= most, (context, text, everything)
    for number in (10, 11):
        least = 0 if change is delete and number == 10 else 1
        assert least <= everything[TEXT % (number, number)] <= 1, (context, number, everything)
    assert set(everything.elements()) <= {TEXT % (n, n) for n in (0, 1, 2, 10, 11, 20, 21)}, context
    inbox = house.texts()
    for uid, text in inbox.items():
        assert INBOX.get(uid, text) == text, (context, uid)
        assert uid in INBOX or uid > max(INBOX), (context, uid)
    flags = house.flags()
    if 2 in flags:
        green = {"green"} if change is store else set()
        assert flags[2] <= SEEN | green, context
    if 3 in flags:
        assert flags[3] == {"\\Deleted", "blue"}, context


def assert_goes_on(house, context):
    """New UIDs are above all that ever were, and all is as another life finds it."""
    before = list(house.texts())
    [uid] = house.append(1, {"violet"}, first=99)
    assert uid > max([3, *before]), context
    assert house.flags()[uid] == {"violet"}, context
    again = house.again(indexes=NoIndexes())
    for name in house.names_of_folders():
        assert again.texts(name) == house.texts(name), (context, name)
        assert again.flags(name) == house.flags(name), (context, name)
    if "Work" in house.names_of_folders():
        result_of(house.folders.delete("Work"))
    result_of(house.folders.create("Work"))


@pytest.mark.row(53)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_killed_at_each_step(root, change):
    for last in range(len(steps_of(change, root))):
        validity = result_of(prepare(root).folders.status("Work")).uid_validity
        with pytest.raises(Stopped):
            change(next_life(root, StoppingDisk(last)))
        house = next_life(root).again(indexes=NoIndexes())
        assert_sound(house, change, (change.__name__, last))
        assert_goes_on(house, (change.__name__, last))
        assert result_of(house.folders.status("Work")).uid_validity > validity


@pytest.mark.row(66)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_error_at_each_step(root, change, number):
    """What was shown stays, the server goes on, and what cannot be done is an error."""
    operations = NEEDS_SPACE if number == errno.ENOSPC else None
    for step, operation in enumerate(steps_of(change, root)):
        prepare(root)
        disk = FailingDisk({step}, number, operations)
        house = next_life(root, disk)
        context = change.__name__, step, operation
        with suppress(OSError):
            change(house)
        assert_sound(house, change, context)
        disk.failing = ()
        assert_sound(house.again(indexes=NoIndexes()), change, context)
        assert_goes_on(house, context)


@pytest.mark.row(66)
def test_what_is_put_in_place_together_has_outcomes_of_its_own(root):
    """One step fails for both; then each is tried alone, under a UID that nobody had before."""
    for step in range(14):
        prepare(root)
        disk = FailingDisk((), errno.EIO)
        house = next_life(root, disk)
        work = result_of(house.folders.open("Work", Told(), read_only=False))
        transfer, folder = house.folders._crossing._transfer, work._shared
        texts = [TEXT % (number, number) for number in (20, 21)]
        written = [transfer.write([(NewMessage(MemoryContent([text]), SEEN, 1.0), SEEN)]) for text in texts]
        arrivals = Arrivals(NoThreads(), folder)
        folder.lock.acquire()  # meanwhile both come
        puts = [Deferred.fromCoroutine(arrivals.put(incoming)) for incoming in written]
        disk.failing = {len(disk.steps) + step}
        folder.lock.release()
        uids = [uid for put in puts for uid in result_of_deferred(put)]
        assert {uid: house.texts("Work")[uid] for uid in uids} == dict(zip(uids, texts, strict=True)), step
        assert house.again(indexes=NoIndexes()).texts("Work") == house.texts("Work"), step
        assert list(work.uids) == list(house.texts("Work")), step


def result_of_deferred(deferred):
    async def wait():
        return await deferred

    return result_of(wait())


@pytest.mark.parametrize("change", [append, copy, move], ids=lambda change: change.__name__)
def test_what_was_answered_survives_a_loss_of_power(root, change):
    """APPEND, COPY and MOVE are synced, with the UIDs that were told."""
    prepare(root)
    disk = VolatileDisk(root)
    house = next_life(root, disk)
    change(house)
    told = {name: house.texts(name) for name in ("INBOX", "Work")}
    disk.lose_power(None)
    house = next_life(root).again(indexes=NoIndexes())
    assert house.texts("Work") == told["Work"]
    assert house.texts() == told["INBOX"]
    assert result_of(house.folders.status("Work")).uid_next > max(told["Work"])


@pytest.mark.parametrize("change", [append, copy, move], ids=lambda change: change.__name__)
def test_power_lost_at_each_step(root, change):
    """A message that is moved is in one of the folders at least; nothing else is touched."""
    for last in range(len(steps_of(change, root))):
        prepare(root)
        disk = VolatileDisk(root, last)
        with pytest.raises(Stopped):
            change(next_life(root, disk))
        disk.lose_power(None)
        house = next_life(root).again(indexes=NoIndexes())
        assert_sound(house, change, (change.__name__, last))
        assert_goes_on(house, (change.__name__, last))


def test_refused_when_there_is_no_folder_any_more(root):
    """Another program has deleted it, under a session that has it open."""
    house = prepare(root)
    work = house.select(name="Work")
    uids = list(work.uids)
    shutil.rmtree(house.root() / ".Work")
    with pytest.raises(FolderRefused):
        house.append(1, name="Work")
    with pytest.raises(FolderRefused):
        result_of(house.select().copy([1], "Work"))
    assert list(result_of(work.store(uids, FlagChange.REMOVE, SEEN)).changed) == []
    assert list(result_of(work.expunge(uids))) == []
    for change in (work.copy, work.move):
        assert list(result_of(change(uids, "INBOX")).uids) == []
    assert all(isinstance(text, KeyError) for text in result_of(work.read_many(uids)))
    assert result_of(work.columns(uids, [Column.ENVELOPE])) == [[None]]
    work.close()
    assert house.names_of_folders() == ["INBOX", "Work/Sub"]
