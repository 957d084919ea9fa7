"""What settling and replay do besides what the crash tests prove: deleted mail, disks that lie, damage."""

import glob
import os
import shutil
from pathlib import Path

import pytest
from crash.house import House, Message, laid_copies
from disks import FailingDisk, SteppedDisk
from twisted.logger import capturedLogs, formatEvent


def started(root, disk=None, **life):
    house = House(root, disk or SteppedDisk(), **life)
    house.replay()
    return house


def said(log):
    """What stands in a log, as one text."""
    return "\n".join(map(formatEvent, log))


def file_of(root, user, text="Subject"):
    """The one file of the user's with this text."""
    files = filter(Path.is_file, Path(root, "mail", user).rglob("*"))
    (path,) = (str(file) for file in files if text in file.read_text())
    return path


def test_a_restart_does_not_bring_back_what_was_deleted(tmp_path):
    """The mark in the log tells that it was laid; the page cache has survived the process."""
    house = started(tmp_path)
    house.commit(Message("one", "ann", "bob"))
    os.unlink(file_of(tmp_path, "ann"))
    started(tmp_path, life=1)
    assert laid_copies(tmp_path) == {("one", "bob"): 1}


def test_a_message_laid_but_not_marked_when_the_process_ended_is_not_doubled(tmp_path):
    """Its user has read it in the meantime."""
    disk = SteppedDisk()
    house = started(tmp_path, disk)
    house.log._mark_laid = lambda segment, record_ids: None
    house.commit(Message("one", "ann"))
    path = file_of(tmp_path, "ann")
    os.rename(path, path.replace("/new/", "/cur/") + ":2,S")
    started(tmp_path, life=1)
    assert laid_copies(tmp_path) == {("one", "ann"): 1}


def test_marks_stay_as_long_as_the_segment_they_are_about(tmp_path):
    """An aborted message would come back if the mark went first."""
    disk = FailingDisk((), operations={"sync_data", "truncate"})
    house = started(tmp_path, disk)
    house.drop.lay = None  # so that the first segment cannot be settled
    house.commit(Message("one", "ann"))
    disk.failing = range(10**9)
    house.commit(Message("two", "bob"))
    disk.failing = ()
    house.settle()
    assert len(glob.glob(f"{house.directory}/*.log")) == 2
    started(tmp_path, life=1)
    assert (house.stored, house.refused) == (["one"], ["two"])
    assert laid_copies(tmp_path) == {("one", "ann"): 1}


def test_a_message_read_and_moved_before_power_was_lost_is_not_doubled(tmp_path):
    house = started(tmp_path)
    house.commit(Message("one", "ann"))
    path = file_of(tmp_path, "ann")
    os.rename(path, path.replace("/new/", "/cur/") + ":2,S")
    started(tmp_path, boot="another", life=1)
    assert laid_copies(tmp_path) == {("one", "ann"): 1}


def test_a_copy_cut_short_by_a_loss_of_power_is_laid_again(tmp_path):
    house = started(tmp_path)
    house.commit(Message("one", "ann"))
    path = file_of(tmp_path, "ann")
    os.rename(path, path := path.replace("/new/", "/cur/") + ":2,S")
    os.truncate(path, 20)
    started(tmp_path, boot="another", life=1)
    assert laid_copies(tmp_path) == {("one", "ann"): 1}


def test_after_a_failed_sync_copies_are_made_anew_where_they_are_now(tmp_path):
    """The user has read one and deleted the other meanwhile."""
    disk = FailingDisk((), operations={"sync", "sync_file_system"})
    house = started(tmp_path, disk)
    house.commit(Message("one", "ann"), Message("two", "bob"))
    house.seal()
    disk.failing = range(10**9)
    house.settler.run()
    os.unlink(file_of(tmp_path, "bob"))
    path = file_of(tmp_path, "ann")
    os.rename(path, path := path.replace("/new/", "/cur/") + ":2,S")
    disk.failing = ()
    with open(path, "rb") as before:
        house.settle_all()
        assert os.fstat(before.fileno()).st_ino != os.stat(path).st_ino
    assert laid_copies(tmp_path) == {("one", "ann"): 1}
    assert os.listdir(house.directory) == ["spool"]


def test_the_last_resort_is_the_inbox(tmp_path):
    """A folder that cannot be written to for ever does not keep the mail from its user."""
    house = started(tmp_path)
    house.commit(Message("one", "ann", folder="Lists"))
    lay = house.drop.lay

    def lay_in_inbox_only(action):
        if action.folder == "Lists":
            raise PermissionError("this folder is read-only")
        lay(action)

    house.drop.lay = lay_in_inbox_only
    house.commit(Message("six", "ann", folder="Lists"))
    assert house.stored == ["one", "six"]
    house.settle_all()
    assert "/new/" in file_of(tmp_path, "ann", "Subject: six")
    assert "/.Lists/" not in file_of(tmp_path, "ann", "Subject: six")
    assert os.listdir(house.directory) == ["spool"]
    assert ("six", "INBOX") in {
        (event.id, event.facts.get("folder")) for event in house.journal.events.values()
    }


def test_a_mailbox_in_trouble_is_tried_less_and_less_often(tmp_path):
    house = started(tmp_path)
    tries = []

    def lay(action):
        tries.append(action)
        raise PermissionError

    house.drop.lay = lay
    house.commit(Message("one", "ann"))
    house.seal()
    tries_by_round = []
    for _ in range(40):
        house.settler.run()
        tries_by_round.append(len(tries) - 1)
    assert [tries_by_round.index(number) + 1 for number in range(1, 7)] == [1, 3, 6, 11, 20, 37]


def test_a_segment_stays_until_the_story_is_safe(tmp_path):
    house = started(tmp_path)
    house.commit(Message("one", "ann"))

    def flush():
        raise OSError("the journal's disk is full")

    house.journal.flush = flush
    house.settle()
    assert len(glob.glob(f"{house.directory}/*.log")) == 1
    del house.journal.flush
    house.settle_all()
    assert os.listdir(house.directory) == ["spool"]


def test_mail_goes_on_without_a_journal(tmp_path):
    """The segment waits for some rounds only; then it goes, and the log tells whose story may be lost."""
    house = started(tmp_path)

    def flush():
        raise OSError("the journal's disk is full")

    house.journal.flush = flush
    house.commit(Message("one", "ann"), Message("two", "bob"))
    house.settle()
    house.settle()
    assert len(glob.glob(f"{house.directory}/*.log")) == 1
    with capturedLogs() as log:
        house.settle()
    assert os.listdir(house.directory) == ["spool"]
    assert "may be lost: one, two" in said(log)
    house.commit(Message("five", "ann"))
    with capturedLogs() as log:
        house.settle()  # and from now on nothing waits
    assert house.settler.waiting_octets == 0
    assert "may be lost: five" in said(log)
    del house.journal.flush
    house.commit(Message("six", "ann"))
    with capturedLogs() as log:
        house.settle()
    assert "lost" not in said(log)
    house.journal.flush = flush
    house.commit(Message("seven", "ann"))
    house.settle()
    assert len(glob.glob(f"{house.directory}/*.log")) == 1


def in_trouble(drop, user):
    """Let nothing be laid for the user; returns what makes all well again."""
    lay = drop.lay

    def lay_for_others(action):
        if action.account.local_part == user:
            raise PermissionError("this mailbox is read-only")
        lay(action)

    drop.lay = lay_for_others
    return lambda: setattr(drop, "lay", lay)


def test_a_mailbox_in_trouble_doubles_nothing_in_another(tmp_path):
    """Ann deletes her copy while Bob's waits: for this process and the next it is hers to delete."""
    house = started(tmp_path)
    mend = in_trouble(house.drop, "bob")
    house.commit(Message("one", "bob", "ann"))
    assert laid_copies(tmp_path) == {("one", "ann"): 1}
    os.unlink(file_of(tmp_path, "ann"))
    house.settle_all()
    assert laid_copies(tmp_path) == {}
    again = House(tmp_path, SteppedDisk(), life=1)
    in_trouble(again.drop, "bob")
    again.replay()
    assert laid_copies(tmp_path) == {}
    mend()
    house.settle_all()
    assert laid_copies(tmp_path) == {("one", "bob"): 1}


def test_a_copy_laid_late_is_not_laid_again(tmp_path):
    """The same for a copy that settling has laid, one round before the other."""
    house = started(tmp_path)
    mend_ann, mend_bob = in_trouble(house.drop, "ann"), in_trouble(house.drop, "bob")
    house.commit(Message("one", "ann", "bob"))
    mend_ann()
    in_trouble(house.drop, "bob")
    house.settle()
    os.unlink(file_of(tmp_path, "ann"))
    started(tmp_path, life=1)
    assert laid_copies(tmp_path) == {("one", "bob"): 1}
    mend_bob()
    mend_ann()
    house.settle_all()
    assert laid_copies(tmp_path) == {("one", "bob"): 1}
    assert os.listdir(house.directory) == ["spool"]


def test_a_written_copy_that_was_cleared_away_is_written_again(tmp_path):
    """Its folder could not be written to for 36 hours, and somebody cleared ``tmp``."""
    house = started(tmp_path)
    mend = in_trouble(house.drop, "ann")
    house.commit(Message("one", "ann"))
    (written,) = (tmp_path / "mail" / "ann" / "tmp").iterdir()
    house.settle()
    written.unlink()
    mend()
    house.settle_all()
    assert laid_copies(tmp_path) == {("one", "ann"): 1}
    assert os.listdir(house.directory) == ["spool"]


def test_a_new_copy_that_was_cleared_away_is_no_deletion(tmp_path):
    """What is to take the place of a doubtful copy vanishes from ``tmp``: it is tried again."""
    disk = FailingDisk((), operations={"sync", "sync_file_system"})
    house = started(tmp_path, disk)
    house.commit(Message("one", "ann"))
    house.seal()
    disk.failing = range(10**9)
    house.settler.run()
    disk.failing = ()
    before = os.stat(file_of(tmp_path, "ann")).st_ino
    replace = house.drop.replace

    def clear_and_replace(action):
        house.drop.discard(action)
        house.drop.replace = replace
        replace(action)

    house.drop.replace = clear_and_replace
    house.settle_all()
    assert os.stat(file_of(tmp_path, "ann")).st_ino != before
    assert os.listdir(house.directory) == ["spool"]


def test_a_short_copy_is_not_taken_for_deleted(tmp_path):
    """After a failed sync a copy may have any size; only its user deletes it."""
    disk = FailingDisk((), operations={"sync", "sync_file_system"})
    house = started(tmp_path, disk)
    house.commit(Message("one", "ann"))
    house.seal()
    disk.failing = range(10**9)
    house.settler.run()
    disk.failing = ()
    os.truncate(file_of(tmp_path, "ann"), 20)
    house.settle_all()
    assert laid_copies(tmp_path) == {("one", "ann"): 1}
    assert os.listdir(house.directory) == ["spool"]


def test_a_mailbox_deleted_meanwhile_is_not_made_again_to_settle(tmp_path):
    disk = FailingDisk((), operations={"sync", "sync_file_system"})
    house = started(tmp_path, disk)
    house.commit(Message("one", "ann"))
    house.seal()
    disk.failing = range(10**9)
    house.settler.run()
    disk.failing = ()
    shutil.rmtree(tmp_path / "mail" / "ann")
    house.settle_all()
    assert not (tmp_path / "mail" / "ann").exists()


@pytest.mark.parametrize("remains", [None, b"", b"Subject: large"])
def test_a_message_whose_content_is_lost_does_not_keep_its_segment(tmp_path, remains):
    """Its spool file is missing or short: the story and the log tell once, and the others are laid."""
    house = started(tmp_path)
    house.drop.lay = None
    house.commit(Message("large", "ann", is_large=True), Message("one", "ann"))
    shutil.rmtree(tmp_path / "mail")
    spooled = Path(house.spool, "large")
    spooled.unlink() if remains is None else spooled.write_bytes(remains)
    with capturedLogs() as log:
        again = started(tmp_path, boot="another", life=1)
    assert said(log).count("large is LOST for ann@example.test") == 1
    assert laid_copies(tmp_path) == {("one", "ann"): 1}
    assert os.listdir(again.directory) == ["spool"]
    assert os.listdir(again.spool) == []
    assert ("large", "failed ann@example.test") in again.journal.events


def test_a_copy_in_place_whose_content_is_lost_stays(tmp_path):
    house = started(tmp_path)
    house.commit(Message("large", "ann", is_large=True))
    os.unlink(os.path.join(house.spool, "large"))
    with capturedLogs() as log:
        again = started(tmp_path, boot="another", life=1)
    assert "copy of large for ann@example.test may be damaged" in said(log)
    assert laid_copies(tmp_path) == {("large", "ann"): 1}
    assert os.listdir(again.directory) == ["spool"]


def test_damage_in_the_log_is_kept_for_a_person_to_look_at(tmp_path):
    """The other messages are there, and neither the segment nor any spool file is thrown away."""
    house = started(tmp_path)
    house.commit(Message("one", "ann"), Message("large", "bob", is_large=True), Message("two", "cid"))
    (log,) = glob.glob(f"{house.directory}/*.log")
    Path(log).write_bytes(Path(log).read_bytes().replace(b'"subject":"large"', b'"subject":"l?rge"'))
    shutil.rmtree(tmp_path / "mail")
    again = started(tmp_path, boot="another", life=1)
    assert laid_copies(tmp_path) == {("one", "ann"): 1, ("two", "cid"): 1}
    assert sorted(os.listdir(house.directory)) == [os.path.basename(log)[:-4] + ".damaged", "spool"]
    assert os.listdir(again.spool) == ["large"]


def test_a_segment_that_cannot_be_read_stays(tmp_path):
    house = started(tmp_path)
    path = os.path.join(house.directory, "999.log")
    os.mkdir(path)
    again = started(tmp_path, life=1)
    assert os.path.isdir(path)
    again.commit(Message("one", "ann"))
    assert again.stored == ["one"]


def test_spool_files_of_sessions_that_died_are_removed(tmp_path):
    house = started(tmp_path)
    house.content(Message("large", "ann", is_large=True))
    assert os.listdir(house.spool) == ["large"]
    started(tmp_path, life=1)
    assert os.listdir(house.spool) == []


def test_the_story_is_complete_after_a_restart(tmp_path):
    house = started(tmp_path)
    house.commit(Message("one", "ann", "bob"))
    again = started(tmp_path, life=1)
    assert again.journal.events == house.journal.events
    assert len(again.journal.events) == 3


@pytest.mark.parametrize("name", ["1.log.bak", "x.log", "-1.log", "spool", "1.damaged", "²2.log"])
def test_files_that_are_no_segments_are_left_alone(tmp_path, name):
    house = started(tmp_path)
    path = os.path.join(house.directory, name)
    if name != "spool":
        open(path, "w").close()
    started(tmp_path, life=1)
    assert os.path.exists(path)
