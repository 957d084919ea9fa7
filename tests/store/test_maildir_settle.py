"""Settling: every file and every directory entry is on the disk, or the copy is named as failed."""

import errno
import os

import pytest
from maildir_house import ANN, MaildirHouse

from mailsys.disk import Disk
from mailsys.interfaces import Account
from mailsys.message.address import parse_address
from mailsys.store.maildir.settle import MANY

BOB = Account(parse_address("bob@example.org"))


class SyncedDisk(Disk):
    """Notes the paths that were synced; ``fails`` tells by path which are not."""

    def __init__(self):
        self.synced = []
        self.file_systems = 0
        self.fails = lambda path: False

    def sync(self, descriptor):
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if self.fails(path):
            raise OSError(errno.EIO, "injected")
        self.synced.append(path)

    def sync_file_system(self, descriptor):
        self.file_systems += 1
        if self.fails(os.readlink(f"/proc/self/fd/{descriptor}")):
            raise OSError(errno.EIO, "injected")


@pytest.fixture
def house(tmp_path):
    house = MaildirHouse(os.path.realpath(tmp_path), disk=SyncedDisk())
    house.tree.ready(ANN.address, "INBOX", "new")
    house.disk.synced.clear()
    return house


def test_each_file_and_each_directory_is_synced(house):
    actions = [house.deliver(), house.deliver()]
    assert house.disk.synced == []
    assert house.drop.settle(actions) == []
    new = str(house.root() / "new")
    files = [f"{new}/{action.name}" for action in actions]
    root = str(house.root())
    parents = [house.data, f"{house.data}/mail", f"{house.data}/mail/example.org", root]
    assert house.disk.synced == [*files, *parents, new]
    house.disk.synced.clear()
    later = house.deliver()
    assert house.drop.settle([later]) == []
    assert house.disk.synced == [f"{new}/{later.name}", new]


def test_a_copy_that_a_reader_has_moved_is_synced_where_it_is(house):
    action = house.deliver()
    house.tree.ready(ANN.address, "Work", "new")
    house.disk.synced.clear()
    moved = house.root() / ".Work" / "cur" / f"{action.name}:2,S"
    os.rename(house.root() / "new" / action.name, moved)
    assert house.drop.settle([action]) == []
    assert house.disk.synced[0] == str(moved)
    assert house.disk.synced[-1] == str(moved.parent)


def test_a_parent_that_we_may_not_read_is_none_of_ours(house):
    sync_directory = house.disk.sync_directory

    def refuse_one(path):
        if path == house.data:
            raise PermissionError(errno.EACCES, "no", path)
        sync_directory(path)

    house.disk.sync_directory = refuse_one
    action = house.deliver()
    assert house.drop.settle([action]) == []
    assert house.disk.synced[-1] == str(house.root() / "new")


def test_a_deleted_copy_is_settled(house):
    action = house.deliver()
    os.unlink(house.root() / "new" / action.name)
    assert house.drop.settle([action]) == []


@pytest.mark.row(52)
def test_a_copy_whose_sync_fails_is_named(house):
    """Row 52, EIO of fsync: the copy that failed, and no other, is handed back."""
    good, bad = house.deliver(), house.deliver()
    house.disk.fails = lambda path: path.endswith(bad.name)
    assert house.drop.settle([good, bad]) == [bad]


@pytest.mark.row(52)
def test_when_a_directory_cannot_be_synced_all_in_it_are_named(house):
    """Row 52, EIO of fsync: without the directory entry no file in it is safe."""
    actions = [house.deliver(), house.deliver()]
    other = house.deliver(account=BOB)
    house.disk.fails = lambda path: path.endswith("/ann/new")
    assert house.drop.settle([*actions, other]) == actions
    house.disk.fails = lambda path: False
    assert house.drop.settle(actions) == []


@pytest.mark.row(52)
def test_many_copies_share_one_sync_of_the_file_system(house):
    """Row 52, EIO of syncfs: then none of them is believed."""
    actions = [house.deliver(account=account) for account in (ANN, BOB) for _ in range(MANY)]
    house.disk.synced.clear()
    assert house.drop.settle(actions) == []
    assert house.disk.file_systems == 1
    assert house.disk.synced == []
    house.disk.fails = lambda path: True
    assert house.drop.settle(actions) == actions


def test_the_real_disk_settles(tmp_path):
    house = MaildirHouse(tmp_path)
    actions = [house.deliver() for _ in range(MANY + 1)]
    assert house.drop.settle(actions) == []
    assert house.drop.settle(actions[:2]) == []
