"""An open folder is read again when it must be, and only then."""

import os

import pytest
from folders_house import TEXT, FoldersHouse
from maildir_house import NoIndexes, result_of

from mailsys.interfaces import FlagChange
from mailsys.store.maildir import folder_files
from mailsys.testing.folders_asked import Told

SEEN = frozenset({"\\Seen"})


@pytest.fixture
def house(tmp_path):
    return FoldersHouse(tmp_path, indexes=NoIndexes())


@pytest.fixture
def read(monkeypatch):
    """Which directories were read since the last ``clear``."""
    directories = []

    def list_directory(folder, subdirectory):
        directories.append(subdirectory)
        return listed(folder, subdirectory)

    listed = folder_files.list_directory
    monkeypatch.setattr(folder_files, "list_directory", list_directory)
    return directories


def settled(house, told=None):
    """A folder that was read long after it has changed."""
    folder = house.select(told)
    result_of(folder.look())
    house.monotonic += 10
    result_of(folder.look())
    return folder


def same_tick(path, change):
    """Change a directory without a trace in its time, as within one tick of the kernel's clock."""
    before = os.stat(path)
    change()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_has_not_changed_is_not_read(house, read):
    house.append(3)
    folder = settled(house)
    read.clear()
    for _ in range(3):
        house.monotonic += 100
        result_of(folder.look())
    house.select().close()
    assert read == []


def test_a_delivery_costs_a_look_at_what_is_new(house, read):
    house.append(3)
    told = Told()
    folder = settled(house, told)
    told.taken()
    read.clear()
    for uid in (4, 5, 6):
        house.drop.announce(house.deliver())
        assert told.taken() == [("arrived", [uid])]
    assert set(read) == {"new"}
    assert house.names_in("new") == []
    assert list(folder.uids) == [1, 2, 3, 4, 5, 6]


def test_a_delivery_by_another_program_does_so_too(house, read):
    folder = settled(house)
    read.clear()
    house.put("1.x.host")
    result_of(folder.look())
    assert (list(folder.uids), set(read)) == ([1], {"new"})


def test_after_our_own_changes_it_is_read_once_and_a_second_later(house, read):
    uids = house.append(3, SEEN)
    folder = settled(house)
    read.clear()
    for uid in uids:
        result_of(folder.store([uid], FlagChange.ADD, frozenset({"\\Flagged"})))
        result_of(folder.look())
    assert read == []
    house.monotonic += 1.5
    result_of(folder.look())
    assert read == ["new", "cur"]
    house.monotonic += 100
    result_of(folder.look())
    assert read == ["new", "cur"]


def test_what_another_does_in_the_same_tick_is_seen_a_second_later(house):
    uids = house.append(2, SEEN)
    folder = settled(house)
    result_of(folder.store(uids, FlagChange.ADD, frozenset({"\\Flagged"})))
    cur = house.root() / "cur"
    first = sorted(cur.iterdir())[0]
    same_tick(cur, lambda: first.rename(f"{first}T"))
    result_of(folder.look())
    assert folder.flags(uids[0]) == {"\\Seen", "\\Flagged"}
    house.monotonic += 1.5
    result_of(folder.look())
    assert folder.flags(uids[0]) == {"\\Seen", "\\Flagged", "\\Deleted"}


def test_a_message_that_moves_back_to_new_is_the_same(house):
    [uid] = house.append(1, SEEN)
    folder = settled(house)
    told = Told()
    house.select(told)
    [path] = (house.root() / "cur").iterdir()
    path.rename(house.root() / "new" / path.name.partition(":")[0])
    result_of(folder.look())
    assert list(folder.uids) == [uid]
    assert folder.flags(uid) == frozenset()
    assert told.taken() == [("flags", [uid])]


def test_a_message_that_left_and_comes_back_has_a_new_uid(house):
    """Whoever was told that it has gone must not meet its UID again; nor in the next life."""
    uids = house.append(2, SEEN)
    folder = settled(house)
    path = sorted((house.root() / "cur").iterdir())[0]
    away = house.root() / "away"
    path.rename(away)
    result_of(folder.look())
    assert list(folder.uids) == uids[1:]
    away.rename(path)
    result_of(folder.look())
    assert list(folder.uids) == [2, 3]
    assert house.texts()[3] == TEXT % (0, 0)
    assert house.again().texts() == house.texts()


def test_a_lost_uidlist_is_another_folder(house):
    """Also under sessions that have it open: they are told, and the UIDVALIDITY is new."""
    house.append(2)
    told = Told()
    folder = settled(house, told)
    (house.root() / "dovecot-uidlist").unlink()
    result_of(folder.look())
    assert told.taken()[-1] == ("gone", [])
    house.clock += 1
    new = house.select()
    assert new.uid_validity > folder.uid_validity
    assert list(house.texts().values()) == [TEXT % (0, 0), TEXT % (1, 1)]
    result_of(folder.look())
    assert told.taken() == []


def test_uids_that_cannot_be_written_come_later(house):
    """What has UIDs is shown all the same."""
    house.append(1)
    told = Told()
    folder = settled(house, told)
    told.taken()
    lock = house.root() / "dovecot-uidlist.lock"
    lock.mkdir()
    house.put("1.x.host")
    result_of(folder.look())
    assert (list(folder.uids), told.taken()) == ([1], [])
    lock.rmdir()
    result_of(folder.look())
    assert told.taken() == [("arrived", [2])]
