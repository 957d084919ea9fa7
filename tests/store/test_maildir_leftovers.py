"""What a killed writer left in ``tmp`` goes after 36 hours; what somebody may still write stays."""

import os
import time

import pytest
from maildir_house import MaildirHouse

from mailsys.store.maildir import leftovers

HOUR = 3600


@pytest.fixture
def house(tmp_path):
    house = MaildirHouse(tmp_path)
    house.open(exclusive=False)
    house.clock = time.time()  # what the files' own times are compared with
    return house


def left(house, name="1.M1P1Q1.host,S=3", **options):
    return house.put(name, b"old", subdirectory="tmp", **options)


def test_a_leftover_goes_after_36_hours(house):
    path = left(house)
    house.clock += 35 * HOUR
    house.open(exclusive=False)
    assert path.exists()
    house.clock += 2 * HOUR
    house.open(exclusive=False)
    assert not path.exists()


def test_each_folder_has_its_own(house):
    house.tree.ready(house.plan()[0].account, "Work", "tmp")
    path = house.root() / ".Work" / "tmp" / "left"
    path.write_bytes(b"")
    house.clock += 37 * HOUR
    house.open(exclusive=False)
    assert path.exists()
    house.open(folder="Work", exclusive=False)
    assert not path.exists()


def test_the_time_of_modification_proves_nothing(house):
    """A program may give a message its own date while it writes it."""
    path = left(house)
    os.utime(path, (1, 1))
    house.clock += 2 * HOUR
    house.open(exclusive=False)
    assert path.exists()


def test_what_is_no_file_stays(house):
    tmp = house.root() / "tmp"
    (tmp / "link").symlink_to(left(house))
    (tmp / "folder").mkdir()
    os.mkfifo(tmp / "fifo")
    house.clock += 37 * HOUR
    house.open(exclusive=False)
    assert house.names_in("tmp") == ["fifo", "folder", "link"]


def test_it_looks_once_in_an_hour_and_never_at_delivery(house):
    house.clock += 37 * HOUR
    house.open(exclusive=False)
    path = left(house)
    house.deliver()
    house.open(exclusive=False)
    assert path.exists()
    house.clock += 0.9 * HOUR
    house.open(exclusive=False)
    assert path.exists()
    house.clock += 0.2 * HOUR
    house.open(exclusive=False)
    assert not path.exists()


def test_a_clock_that_was_set_back_does_not_end_it(house):
    house.clock += 1000 * HOUR
    house.open(exclusive=False)
    path = left(house)
    house.clock -= 900 * HOUR
    house.open(exclusive=False)
    assert not path.exists()


def test_one_look_is_bounded(house, monkeypatch):
    monkeypatch.setattr(leftovers, "FILES_A_LOOK", 3)
    for number in range(5):
        left(house, f"left{number}")
    house.clock += 37 * HOUR
    house.open(exclusive=False)
    assert len(house.names_in("tmp")) == 2
    house.clock += 2 * HOUR
    house.open(exclusive=False)
    assert house.names_in("tmp") == []


def test_so_is_what_it_remembers(house, monkeypatch):
    monkeypatch.setattr(leftovers, "KNOWN_DIRECTORIES", 2)
    cleared = leftovers.Leftovers(house.disk, lambda: house.clock)
    for number in range(5):
        folder = house.root() / f"tmp{number}"
        folder.mkdir()
        cleared.clear(str(folder))
    assert len(cleared._looked_at) <= 2


def test_a_tmp_that_cannot_be_cleared_keeps_nobody_from_the_mail(house):
    left(house)
    house.deliver()
    house.clock += 37 * HOUR

    def unlink(path):
        raise PermissionError(13, "not yours", path)

    house.disk.unlink = unlink
    assert len(house.open(exclusive=False).messages) == 1
