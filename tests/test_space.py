"""A disk that is nearly full: new mail is refused in time, and taken again by itself."""

import os
from types import SimpleNamespace

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from zope.interface.verify import verifyObject

from mailsys.interfaces import IFreeSpace
from mailsys.space import FreeSpace, Reserve
from mailsys.threads import NoThreads

MB = 1024 * 1024


class Disk:
    """Tells what a test wants it to."""

    def __init__(self):
        self.octets, self.inodes, self.files = 1000 * MB, 10_000, 100_000
        self.fault = None
        self.asked = []

    def statvfs(self, path):
        self.asked.append(path)
        if self.fault:
            raise self.fault
        return SimpleNamespace(
            f_frsize=MB, f_bavail=self.octets // MB, f_files=self.files, f_favail=self.inodes
        )


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def space(disk, tmp_path):
    folders = [str(tmp_path), str(tmp_path / "not" / "yet" / "there")]
    return FreeSpace(folders, Reserve(100 * MB, 1000), NoThreads(), Clock(), disk.statvfs)


def look(space):
    """Look once, and return the lines that the log has for it."""
    with capturedLogs() as captured:
        Deferred.fromCoroutine(space.look()).addErrback(lambda failure: failure.raiseException())
    return [event["log_format"] for event in captured]


def test_it_is_what_stations_ask(space):
    assert verifyObject(IFreeSpace, space)


def test_before_the_first_look_there_is_room(space):
    assert space.has_room_for(0)


def test_a_message_must_leave_the_reserve(space):
    look(space)
    assert space.has_room_for(900 * MB)
    assert not space.has_room_for(901 * MB)
    assert space.trouble == ""


def test_one_file_system_is_looked_at_once(space, disk, tmp_path):
    """A folder that is not there yet is on the disk of the nearest one above."""
    look(space)
    assert disk.asked == [str(tmp_path)] * 2
    assert len(space._rooms) == 1


@pytest.mark.parametrize("what", ["octets", "inodes"])
def test_too_little_is_told_once_and_so_is_its_end(space, disk, tmp_path, what):
    look(space)
    enough, low, border = {"octets": (200 * MB, 99 * MB, 105 * MB), "inodes": (2000, 999, 1050)}[what]
    setattr(disk, what, low)
    assert look(space) == ["New mail is refused for the moment (452): {trouble}"]
    assert look(space) == []
    assert not space.has_room_for(0)
    assert str(tmp_path) in space.trouble
    setattr(disk, what, border)
    assert look(space) == []
    assert not space.has_room_for(0)
    setattr(disk, what, enough)
    assert look(space) == ["There is room on the disk again: new mail is taken"]
    assert space.has_room_for(0)


def test_a_file_system_that_does_not_count_inodes_has_enough(space, disk):
    disk.files = disk.inodes = 0
    assert look(space) == []
    assert space.has_room_for(0)


def test_no_reserve_is_no_limit(space, disk):
    space.reserve = Reserve(0, 0)
    disk.octets = disk.inodes = 0
    look(space)
    assert space.has_room_for(0)


def test_a_disk_that_cannot_be_looked_at_is_told_once_and_stops_nothing(space, disk):
    disk.fault = OSError(5, "Input/output error")
    assert look(space) == ["How much room the disk has cannot be seen: {reason}"]
    assert look(space) == []
    assert space.has_room_for(0)


def test_it_looks_every_few_seconds_until_it_is_stopped(disk, tmp_path):
    clock = Clock()
    space = FreeSpace([str(tmp_path)], Reserve(100 * MB, 0), NoThreads(), clock, disk.statvfs)
    space.start()
    disk.octets = 0
    clock.advance(2)
    assert not space.has_room_for(0)
    Deferred.fromCoroutine(space.stop())
    asked = len(disk.asked)
    clock.pump([2] * 5)
    assert len(disk.asked) == asked


def test_the_real_thing(tmp_path):
    space = FreeSpace([str(tmp_path)], Reserve(1, 0), NoThreads(), Clock())
    look(space)
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    assert abs(space._rooms[0].octets - free) < 1024**3
