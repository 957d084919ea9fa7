"""The index is a cache: it makes things quick, remembers modseqs, and may go at any time."""

import os
import stat

import pytest
from folders_house import FoldersHouse
from maildir_house import NOON, result_of
from twisted.logger import capturedLogs

from mailsys.disk import Disk
from mailsys.interfaces import Column, FlagChange
from mailsys.store.index.database import AccountIndex, NoIndex
from mailsys.store.index.schema import FILE_NAME
from mailsys.store.index.uid_sets import parse, render
from mailsys.store.maildir import reading

SEEN, DELETED = frozenset({"\\Seen"}), frozenset({"\\Deleted"})


class House(FoldersHouse):
    def subjects(self, folder):
        [subjects] = result_of(folder.columns(folder.uids[:], [Column.SUBJECT]))
        return list(subjects)


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def state(folder):
    return {uid: (folder.flags(uid), folder.modseq(uid)) for uid in folder.uids}


class TestHistory:
    def test_the_next_life_knows_modseqs_and_what_has_gone(self, house):
        uids = house.append(5)
        folder = house.select()
        start = folder.highest_modseq
        result_of(folder.store(uids[1:3], FlagChange.ADD, SEEN))
        result_of(folder.store(uids[4:], FlagChange.ADD, DELETED | {"work"}))
        result_of(folder.expunge(uids))
        later = house.again().select()
        assert state(later) == state(folder)
        assert later.highest_modseq == folder.highest_modseq
        assert list(later.changed_since(start)) == uids[1:3]
        assert result_of(later.expunged_since(start)) == uids[4:]

    def test_what_others_did_meanwhile_has_new_modseqs(self, house):
        one, two, three = house.append(3)
        folder = house.select()
        before = folder.highest_modseq
        names = sorted(os.listdir(house.root() / "new") + os.listdir(house.root() / "cur"))
        for name in names:  # as mutt does: one read, one deleted
            at = next(house.root().glob(f"*/{name}"))
            if name == names[1]:
                at.rename(house.root() / "cur" / f"{name.partition(':')[0]}:2,S")
            elif name == names[2]:
                at.unlink()
        later = house.again().select()
        assert list(later.uids) == [one, two]
        assert list(later.changed_since(before)) == [two]
        assert later.flags(two) == SEEN
        assert result_of(later.expunged_since(before)) == [three]
        assert later.modseq(two) > before >= later.modseq(one)

    def test_rows_are_written_anew_when_they_are_many(self, house, monkeypatch):
        monkeypatch.setattr("mailsys.store.index.history.MOST_ROWS", 20)
        monkeypatch.setattr("mailsys.store.index.history.KEPT_ROWS", 5)
        uids = house.append(30)
        folder = house.select()
        for uid in uids:
            result_of(folder.store([uid], FlagChange.ADD, SEEN))
        assert len(house.rows("SELECT * FROM change")) <= 22
        later = house.again().select()
        assert later.highest_modseq == folder.highest_modseq
        for uid in uids:
            assert later.flags(uid) == SEEN
            assert later.modseq(uid) >= folder.modseq(uid)
        assert list(later.changed_since(folder.modseq(uids[-3]))) == uids[-2:]


class TestUnwritten:
    """What could not be written for a while: nobody is told less than what has happened."""

    @pytest.fixture
    def failing(self, monkeypatch):
        errors = []
        run = AccountIndex.run

        def run_or_fail(index, work):
            if errors:
                raise errors[0]
            return run(index, work)

        monkeypatch.setattr(AccountIndex, "run", run_or_fail)
        return errors

    @pytest.mark.parametrize("error", [NoIndex("the disk is full"), UnicodeError("a bug")])
    @pytest.mark.parametrize("is_known", [True, False])
    def test_what_had_gone_then_is_not_passed_over(self, house, failing, error, is_known):
        uids = house.append(5, DELETED)
        if not is_known:
            failing.append(NoIndex("from the start"))
        folder = house.select()
        start = folder.highest_modseq
        failing[:] = [error]
        result_of(folder.expunge(uids[:2]))
        lost = folder.highest_modseq
        failing.clear()
        result_of(folder.store(uids[2:3], FlagChange.ADD, SEEN))
        result_of(folder.expunge(uids[4:]))
        later = house.again().select()
        assert state(later) == state(folder)
        assert result_of(later.expunged_since(start)) is None
        assert result_of(later.expunged_since(lost)) == uids[4:]

    def test_nor_when_the_rows_are_written_anew(self, house, failing, monkeypatch):
        monkeypatch.setattr("mailsys.store.index.history.MOST_ROWS", 3)
        uids = house.append(5, DELETED)
        folder = house.select()
        start = folder.highest_modseq
        failing.append(NoIndex("the disk is full"))
        result_of(folder.expunge(uids[:1]))
        failing.clear()
        for uid in uids[1:]:
            result_of(folder.store([uid], FlagChange.ADD, SEEN))
        later = house.again().select()
        assert state(later) == state(folder)
        assert result_of(later.expunged_since(start)) is None


class TestDescriptions:
    def test_a_message_is_read_once(self, house, monkeypatch):
        house.append(3)
        assert house.subjects(house.select()) == ["NUMBER 0", "NUMBER 1", "NUMBER 2"]
        monkeypatch.setattr("mailsys.store.maildir.knowledge.describe_octets", None)
        assert house.subjects(house.again().select()) == ["NUMBER 0", "NUMBER 1", "NUMBER 2"]

    def test_a_copy_is_known_and_what_is_moved_stays_so(self, house, monkeypatch):
        uids = house.append(2)
        result_of(house.folders.create("Work"))
        folder = house.select()
        house.subjects(folder)
        monkeypatch.setattr("mailsys.store.maildir.knowledge.describe_octets", None)
        result_of(folder.copy(uids, "Work"))
        house.clock += 100
        result_of(folder.move(uids[:1], "Work"))
        work = house.select(name="Work")
        assert house.subjects(work) == ["NUMBER 0", "NUMBER 1", "NUMBER 0"]
        [saved] = result_of(work.columns(work.uids[:], [Column.SAVE_DATE]))
        assert saved[2] - saved[0] > 99

    def test_what_is_expunged_is_forgotten(self, house):
        uids = house.append(3, DELETED)
        folder = house.select()
        house.subjects(folder)
        result_of(folder.expunge(uids[:2]))
        assert house.rows("SELECT subject FROM message") == [("NUMBER 2",)]

    def test_so_is_what_another_program_removed_meanwhile(self, house):
        house.append(3, SEEN)
        house.subjects(house.select())
        sorted((house.root() / "cur").iterdir())[0].unlink()
        house.again().select()
        assert house.rows("SELECT subject FROM message") == [("NUMBER 1",), ("NUMBER 2",)]

    def test_a_deleted_folder_is_forgotten(self, house):
        result_of(house.folders.create("Work"))
        house.append(2, SEEN, "Work")
        house.subjects(house.select(name="Work"))
        result_of(house.folders.delete("Work"))
        for table in ("message", "folder", "change", "expunge"):
            assert house.rows(f"SELECT * FROM {table}") == []  # noqa: S608

    def test_a_name_that_is_not_utf8_is_no_hindrance(self, house):
        house.put(os.fsdecode(b"1795435445.M1P1.h\xe4st"), b"Subject: odd\n\ntext\n")
        for life in (house, house.again()):
            assert life.subjects(life.select()) == ["ODD"]

    @pytest.mark.parametrize("way", ["move", "copy"])
    def test_nor_is_it_when_the_message_goes_to_another_folder(self, house, way):
        house.put(os.fsdecode(b"1795435445.M1P1.h\xe9st:2,S"), b"Subject: odd\n\ntext\n", "cur")
        result_of(house.folders.create("Work"))
        folder = house.select()
        house.subjects(folder)
        house.clock += 100
        assert result_of(getattr(folder, way)([1], "Work")).sources == [1]
        assert list(folder.uids) == ([] if way == "move" else [1])
        [saved] = house.rows("SELECT max(save_date) FROM message")
        assert saved[0] > NOON + 99
        for life in (house, house.again()):
            assert life.subjects(life.select(name="Work")) == ["ODD"]

    @pytest.mark.parametrize("way", ["move", "copy"])
    def test_what_cannot_be_noted_is_moved_and_copied_all_the_same(self, house, way, monkeypatch):
        uids = house.append(2)
        result_of(house.folders.create("Work"))
        folder, work = house.select(), house.select(name="Work")

        def broken(connection, *arguments, **named):
            raise UnicodeError("a bug")

        for name in ("moved", "copy"):
            monkeypatch.setattr(f"mailsys.store.index.descriptions.{name}", broken)
        with capturedLogs() as logs:
            assert len(result_of(getattr(folder, way)(uids, "Work")).uids) == 2
        assert any("could not be noted" in entry["log_format"] for entry in logs)
        assert list(folder.uids) == ([] if way == "move" else uids)
        assert len(work.uids) == len(house.texts("Work")) == 2


class TestLoss:
    """Deleted, damaged, unwritable: the mail and its UIDs stay."""

    def spoil(self, house, how):
        for path in house.root().glob(f"{FILE_NAME}*"):
            if path.name.endswith("-shm") and how != "delete":
                continue  # memory that its users share: cut, it ends them
            if how == "delete":
                path.unlink()
            elif how == "garbage":
                path.write_bytes(os.urandom(5000))
            elif how == "cut":
                os.truncate(path, path.stat().st_size // 2)
            elif how == "empty":
                os.truncate(path, 0)

    @pytest.mark.parametrize(
        ("how", "is_running"),
        [("delete", True), ("garbage", True), ("cut", True)]
        + [(how, False) for how in ("delete", "garbage", "cut", "empty")],
    )
    def test_it_is_made_anew(self, house, how, is_running):
        uids = house.append(20, SEEN)
        folder = house.select()
        subjects = house.subjects(folder)
        highest = folder.highest_modseq
        if not is_running:
            house.store._means.indexes.close()
        self.spoil(house, how)
        if not is_running:
            house = house.again()
            folder = house.select()
        assert list(folder.uids) == uids
        assert house.subjects(folder) == subjects
        assert folder.highest_modseq >= highest
        result_of(folder.store(uids[:2], FlagChange.REMOVE, SEEN))
        later = house.again().select()
        assert state(later).keys() == state(folder).keys()
        assert [later.flags(uid) for uid in uids] == [folder.flags(uid) for uid in uids]
        assert house.again().subjects(later) == subjects

    def test_without_it_all_works(self, house, monkeypatch):
        """A directory of its name, as an example of what cannot be opened."""
        house.append(1)
        house.store._means.indexes.close()
        for path in house.root().glob(f"{FILE_NAME}*"):
            path.unlink()
        house.index().mkdir()
        house = house.again()
        uids = house.append(2, DELETED)
        folder = house.select()
        assert house.subjects(folder) == ["NUMBER 0", "NUMBER 0", "NUMBER 1"]
        result_of(folder.store(uids, FlagChange.ADD, SEEN))
        assert list(result_of(folder.expunge(uids))) == uids

    @pytest.mark.parametrize("link", [os.symlink, os.link])
    @pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
    @pytest.mark.parametrize("is_running", [True, False])
    def test_a_link_is_not_followed(self, house, tmp_path, link, suffix, is_running):
        uids = house.append(3, SEEN)
        house.subjects(house.select())
        house.store._means.indexes.close()
        other = tmp_path / "other"
        text = b"" if suffix else house.index().read_bytes()  # an empty file would become an index
        other.write_bytes(text)
        if is_running:
            house.subjects(house.select())
            if suffix:
                house.index().unlink()
        house.index().with_name(FILE_NAME + suffix).unlink(missing_ok=True)
        link(other, house.index().with_name(FILE_NAME + suffix))
        later = house if is_running else house.again()
        with capturedLogs() as logs:
            folder = later.select()
            assert later.subjects(folder) == ["NUMBER 0", "NUMBER 1", "NUMBER 2"]
            result_of(folder.store(uids, FlagChange.REMOVE, SEEN))
        assert any("made anew" in entry["log_format"] for entry in logs)
        assert other.read_bytes() == text
        status = house.index().lstat()
        assert stat.S_ISREG(status.st_mode)
        assert status.st_nlink == 1
        assert len(house.rows("SELECT * FROM message")) == 3

    @pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
    def test_what_is_no_file_at_all_stays_there(self, house, make):
        house.append(2)
        house.store._means.indexes.close()
        for path in house.root().glob(f"{FILE_NAME}*"):
            path.unlink()
        make(house.index())
        later = house.again()
        with capturedLogs() as logs:
            for _time in range(2):
                assert later.subjects(later.select()) == ["NUMBER 0", "NUMBER 1"]
        told = [entry for entry in logs if "all is slower" in entry["log_format"]]
        assert len(told) == 1
        assert not stat.S_ISREG(house.index().lstat().st_mode)

    def test_nobody_else_may_read_it(self, house):
        house.append(1)
        house.select()
        assert {path.stat().st_mode & 0o777 for path in house.root().glob(f"{FILE_NAME}*")} == {0o600}


@pytest.mark.parametrize(
    ("uids", "text"),
    [
        ([], ""),
        ([7], "7"),
        ([1, 2, 3, 5], "1:3,5"),
        ([4, 6, 7, 8, 9, 12], "4,6:9,12"),
        ([2**32 - 1], "4294967295"),
    ],
)
def test_sets_of_uids_as_text(uids, text):
    assert render(uids) == text
    assert list(parse(text)) == uids


def test_a_disk_of_the_house_is_not_used_for_it(tmp_path):
    """Its writes are no steps of a crash test: it is a cache."""

    class Counting(Disk):
        written = 0

        def write(self, descriptor, pieces):
            self.written += 1
            super().write(descriptor, pieces)

    disk = Counting()
    house = House(tmp_path, disk=disk)
    house.append(1)
    folder = house.select()
    written = disk.written
    house.subjects(folder)
    assert disk.written == written


def test_sizes_that_no_name_tells_are_measured_once(house, monkeypatch):
    for number in range(3):
        house.put(f"{number}.a.host", b"Subject: a\n\nb\n")
    wire_size = len(b"Subject: a\r\n\r\nb\r\n")
    for life in (house, house.again()):
        assert result_of(life.folders.status("INBOX")).octets == 3 * wire_size
        folder = life.select()
        assert result_of(folder.columns([1, 7, 3], [Column.WIRE_SIZE])) == [[wire_size, None, wire_size]]
        monkeypatch.setattr("mailsys.store.maildir.knowledge.describe_octets", None)


def test_one_look_finds_all_that_another_program_renamed(house, monkeypatch):
    uids = house.append(50, SEEN)
    folder = house.select()
    scans = []
    scan = reading.scan
    monkeypatch.setattr(reading, "scan", lambda path: scans.append(path) or scan(path))
    for path in (house.root() / "cur").iterdir():
        path.rename(f"{path}T")
    texts = result_of(folder.read_many(uids))
    assert all(isinstance(text, bytes) for text in texts)
    assert len(scans) == 1
