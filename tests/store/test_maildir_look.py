"""A look into a folder: who gets which UID, which sizes, and what is left alone."""

import errno
import os
import time

import pytest
from maildir_house import ANN, MaildirHouse

from mailsys.disk import Disk
from mailsys.store.maildir import look as look_module
from mailsys.store.maildir import scan as scan_module


@pytest.fixture
def house(tmp_path):
    return MaildirHouse(tmp_path)


def uids(house):
    return [message.uid for message in house.folder_look().take().messages]


def names(house):
    found = house.folder_look().take()
    return [found.files[message.uid].name for message in found.messages]


def test_uids_follow_the_time_of_arrival(house):
    for name in ("3.M1.h", "1.M9.h", "2.M1.h", "1.M1.h"):
        house.put(name)
    assert names(house) == ["1.M1.h", "1.M9.h", "2.M1.h", "3.M1.h"]
    house.put("0.M1.h")
    assert names(house)[-1] == "0.M1.h"
    assert uids(house) == [1, 2, 3, 4, 5]


def test_the_files_of_dovecot_are_written(house):
    action = house.deliver()
    house.look()
    header, line = house.uidlist()
    assert header == f"3 V{int(house.clock)} N2 G{'ab' * 16}"
    assert line == f"1 :{action.name}"


def test_later_messages_are_appended(house):
    house.deliver()
    house.look()
    inode = os.stat(house.root() / "dovecot-uidlist").st_ino
    house.deliver()
    house.look()
    assert os.stat(house.root() / "dovecot-uidlist").st_ino == inode
    assert len(house.uidlist()) == 3


def test_a_look_without_news_writes_nothing(house):
    class NoWriting(Disk):
        def create(self, path):
            raise AssertionError(path)

        open_append = rename = unlink = create

    house.deliver()
    before = house.look()
    house.disk = NoWriting()
    assert [m.uid for m in house.folder_look().take().messages] == [*before[1]]


def test_uids_are_synced_before_they_are_told(house):
    class Recording(Disk):
        def __init__(self):
            self.steps = []

        def write(self, descriptor, pieces):
            self.steps.append("write")
            super().write(descriptor, pieces)

        def sync_data(self, descriptor):
            self.steps.append("sync")
            super().sync_data(descriptor)

    house.deliver()
    house.look()
    house.deliver()
    house.disk = Recording()
    house.folder_look().take()
    assert house.disk.steps == ["write", "sync"]


def test_sizes_of_foreign_messages_are_measured_once(house, monkeypatch):
    path = house.put("1.M1.h", b"a\nb\r\nc\n")
    assert [(m.size, m.wire_size) for m in house.folder_look().take().messages] == [(7, 9)]
    assert house.uidlist()[1] == "1 W9 S7 :1.M1.h"
    monkeypatch.setattr(look_module, "measure", lambda path: pytest.fail(path))
    os.rename(path, house.root() / "cur" / "1.M1.h:2,S")
    assert [(m.size, m.wire_size) for m in house.folder_look().take().messages] == [(7, 9)]


def test_sizes_of_messages_that_another_program_listed_are_remembered(house):
    house.put("1.M1.h,S=7", b"a\nb\r\nc\n")
    (house.root() / "dovecot-uidlist").write_text("3 V5 N1 Gabc\n4 Puidl :1.M1.h,S=7\n")
    assert [(m.uid, m.wire_size) for m in house.folder_look().take().messages] == [(4, 9)]
    assert house.uidlist() == ["3 V5 N5 Gabc", "4 W9 S7 Puidl :1.M1.h,S=7"]


def test_a_line_end_on_the_border_of_two_reads_is_counted_once(house):
    data = b"x" * (256 * 1024 - 1) + b"\r\nend\n"
    house.put("1.M1.h", data)
    assert [m.wire_size for m in house.folder_look().take().messages] == [len(data) + 1]


def test_a_lost_uidlist_begins_anew_with_a_higher_uid_validity(house):
    house.deliver()
    first, before = house.look()
    os.unlink(house.root() / "dovecot-uidlist")
    second, after = house.look()
    assert second > first
    assert list(after.values()) == list(before.values())


def test_a_damaged_uidlist_is_rewritten_and_keeps_what_it_can(house):
    for _ in range(3):
        house.deliver()
    validity, before = house.look()
    path = house.root() / "dovecot-uidlist"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], b"\0" * 20, *lines[3:]]))
    again, after = house.look()
    assert again == validity
    assert [after[1], after[3]] == [before[1], before[3]]
    assert max(after) > 20
    assert house.look() == (again, after)
    assert b"\0" not in path.read_bytes()


def test_lines_of_messages_that_went_long_ago_are_dropped(house, monkeypatch):
    monkeypatch.setattr(look_module, "SPARE_LINES", 3)
    for _ in range(10):
        house.deliver()
    house.look()
    for name in house.names_in("new")[:9]:
        os.unlink(house.root() / "new" / name)
    assert uids(house) == [10]
    assert len(house.uidlist()) == 2
    house.deliver()
    assert uids(house) == [10, 11]


def test_with_a_full_disk_known_messages_can_still_be_read(house):
    class FullDisk(Disk):
        def write(self, descriptor, pieces):
            raise OSError(errno.ENOSPC, "No space left")

    house.deliver()
    house.look()
    house.deliver()
    good, house.disk = house.disk, FullDisk()
    assert uids(house) == [1]
    house.disk = good
    assert uids(house) == [1, 2]


def test_with_a_full_disk_a_first_look_is_an_error(house):
    class FullDisk(Disk):
        def write(self, descriptor, pieces):
            raise OSError(errno.ENOSPC, "No space left")

    house.deliver()
    house.disk = FullDisk()
    with pytest.raises(OSError, match="No space"):
        house.folder_look().take()


@pytest.mark.row(50)
def test_what_is_no_regular_file_is_left_alone(house, tmp_path):
    """Row 50: links, FIFOs, sockets and directories among the messages are skipped, not followed."""
    secret = tmp_path / "secret"
    secret.write_text("not mail")
    house.put("1.M1.real")
    cur = house.root() / "cur"
    (cur / "2.M1.link:2,").symlink_to(secret)
    (cur / "3.M1.dangling").symlink_to("/nowhere")
    (cur / "4.M1.directory").mkdir()
    os.mkfifo(cur / "5.M1.fifo")
    (cur / ".hidden").write_text("x")
    (cur / "6.M1.line\nbreak").write_text("x")
    assert names(house) == ["1.M1.real"]
    assert len(list(cur.iterdir())) == 6


@pytest.mark.row(50)
def test_an_unreadable_message_costs_only_itself(house, monkeypatch):
    """Row 50: what cannot be opened is left out, and has its place when it can be."""
    house.put("1.M1.good")
    house.put("2.M1.bad")
    measure = look_module.measure

    def refuse(path):
        if "bad" in path:
            raise PermissionError(errno.EACCES, "no")
        return measure(path)

    monkeypatch.setattr(look_module, "measure", refuse)
    assert names(house) == ["1.M1.good"]
    monkeypatch.undo()
    assert names(house) == ["1.M1.good", "2.M1.bad"]


@pytest.mark.row(50)
def test_the_same_message_twice_is_one(house):
    """Row 50, renames: a message that is seen in new and in cur has one UID."""
    house.put("1.M1.h,S=5,W=5", b"12345")
    house.put("1.M1.h,S=5,W=5:2,S", b"12345", "cur")
    house.put("1.M1.h,S=5,W=5:2,SS", b"12345", "cur")
    assert uids(house) == [1]


@pytest.mark.row(50)
def test_a_folder_that_changes_while_it_is_read_is_read_again(house, monkeypatch):
    """Row 50, renames: a message that moves from cur to new during the look is not missed."""
    path = house.put("1.M1.h,S=5,W=5", b"12345", "cur")
    scan_directory = scan_module._scan_directory

    def moving(folder, subdirectory, found):
        scan_directory(folder, subdirectory, found)
        if path.exists():
            os.rename(path, house.root() / "new" / path.name)

    monkeypatch.setattr(scan_module, "_scan_directory", moving)
    assert names(house) == ["1.M1.h,S=5,W=5"]


@pytest.mark.row(50)
def test_a_hundred_thousand_new_messages(house):
    """Row 50: they are listed in time that grows with their number only."""
    house.tree.ready(ANN.address, "INBOX", "new")
    for start in (0, 50_000):  # a file may have some 65,000 names
        first = house.put(f"{1_000_000_000 + start}.M0.h,S=5,W=5")
        for number in range(start + 1, start + 50_000):
            os.link(first, first.parent / f"{1_000_000_000 + number}.M0.h,S=5,W=5")
    started = time.monotonic()
    assert uids(house) == list(range(1, 100_001))
    assert time.monotonic() - started < 10
