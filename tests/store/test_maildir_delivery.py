"""Delivery: what lies on the disk after each step, and how little it takes."""

import dataclasses
import errno
import os

import pytest
from maildir_house import ANN, HEAD, MaildirHouse
from zope.interface.verify import verifyObject

from mailsys.disk import Disk
from mailsys.interfaces import IMailDrop
from mailsys.message.content import FileContent, MemoryContent


class RecordingDisk(Disk):
    """Notes the operations; ``faults`` maps a name to the error that it raises."""

    METHODS = ("create", "write", "close", "rename", "unlink", "sync", "sync_file_system", "make_directory")

    def __init__(self):
        self.steps = []
        self.faults = {}
        for name in self.METHODS:
            setattr(self, name, self._recorded(name, getattr(super(), name)))

    def _recorded(self, name, method):
        def call(*arguments):
            self.steps.append(name)
            if name in self.faults:
                raise OSError(self.faults[name], "injected")
            return method(*arguments)

        return call


@pytest.fixture
def house(tmp_path):
    return MaildirHouse(tmp_path, disk=RecordingDisk())


def test_it_provides_the_interface(house):
    assert verifyObject(IMailDrop, house.drop)


def test_the_steps_of_one_delivery(house):
    action, content = house.plan(b"text\r\n")
    house.drop.write(action, content)
    assert house.names_in("tmp") == [action.name]
    assert house.names_in("new") == []
    assert house.drop.is_written(action)
    assert not house.is_laid(action, content)
    house.drop.lay(action)
    assert house.names_in("tmp") == []
    data = (house.root() / "new" / action.name).read_bytes()
    assert data == HEAD + b"Subject: test\r\n\r\ntext\r\n"
    assert action.name.endswith(f",S={len(data)},W={len(data)}")
    assert not house.drop.is_written(action)
    assert house.is_laid(action, content)


def test_a_delivery_into_a_known_maildir_takes_four_operations(house):
    house.deliver()
    house.disk.steps.clear()
    house.deliver()
    assert house.disk.steps == ["create", "write", "close", "rename"]


def test_a_missing_maildir_is_made_and_synced(house):
    house.deliver()
    made = house.disk.steps.count("make_directory")
    assert made == len(["mail", "example.org", "ann", "tmp", "new", "cur"])
    assert house.disk.steps.count("sync") == made
    assert (os.stat(house.root()).st_mode & 0o777, os.stat(house.root() / "new").st_mode & 0o777) == (
        0o700,
        0o700,
    )


def test_a_large_content_is_written_piece_by_piece(house, tmp_path):
    path = tmp_path / "content"
    path.write_bytes(b"." + b"x" * 600_000)
    content = FileContent(str(path), 600_000, start=1)
    action = house.drop.plan(ANN, ANN.address, HEAD, content.size)
    house.drop.write(action, content)
    house.drop.lay(action)
    assert (house.root() / "new" / action.name).read_bytes() == HEAD + b"x" * 600_000
    assert house.disk.steps.count("write") == 4


def test_binary_content_has_no_wire_size_in_its_name(house):
    action, content = house.plan(b"bare\nline", crlf=False)
    house.drop.write(action, content)
    house.drop.lay(action)
    assert ",W=" not in action.name
    message = house.open().messages[0]
    assert message.wire_size == message.size + 1


@pytest.mark.row(52)
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EROFS])
@pytest.mark.parametrize("operation", ["create", "write", "close"])
def test_a_write_that_fails_leaves_nothing(house, operation, fault):
    """Row 52, delivery: a full, broken or read-only disk is an error, and nothing of the copy stays."""
    house.deliver()
    action, content = house.plan()
    house.disk.faults[operation] = fault
    with pytest.raises(OSError, match="injected"):
        house.drop.write(action, content)
    assert house.names_in("tmp") == []
    house.disk.faults.clear()
    house.drop.write(action, content)
    house.drop.lay(action)
    assert house.is_laid(action, content)


def test_an_existing_name_is_not_overwritten(house):
    action, content = house.plan()
    house.drop.write(action, content)
    with pytest.raises(FileExistsError):
        house.drop.write(action, MemoryContent([b"other"]))
    assert house.drop.is_written(action)


def test_discarding_what_is_not_there_is_nothing(house):
    action, content = house.plan()
    house.drop.discard(action)
    house.drop.write(action, content)
    house.drop.discard(action)
    assert not house.drop.is_written(action)
    house.drop.discard(action)


@pytest.mark.row(53)
def test_half_a_copy_is_not_a_written_one(house):
    """Row 53: what a kill in the middle of a write left behind is not laid."""
    action, content = house.plan(b"x" * 1000)
    house.drop.write(action, content)
    os.truncate(house.root() / "tmp" / action.name, 500)
    assert not house.drop.is_written(action)


@pytest.mark.parametrize(
    "place", ["new/{}", "cur/{}:2,", "cur/{}:2,FS", ".Work/new/{}", ".Work.Sub/cur/{}:2,S"]
)
def test_a_copy_is_found_in_any_folder_with_any_flags(house, place):
    action, content = house.plan()
    house.drop.write(action, content)
    for folder in ("Work", "Work/Sub"):
        house.tree.ready(ANN.address, folder, "new")
    house.drop.lay(action)
    os.rename(house.root() / "new" / action.name, house.root() / place.format(action.name))
    assert house.is_laid(action, content)
    os.unlink(house.root() / place.format(action.name))
    assert not house.is_laid(action, content)


@pytest.mark.row(53)
def test_a_short_copy_is_removed_when_told_so(house):
    """Row 53: what a loss of power cut short is replaced, wherever a reader has moved it."""
    action, content = house.plan(b"x" * 1000)
    house.drop.write(action, content)
    house.drop.lay(action)
    short = house.root() / "cur" / f"{action.name}:2,S"
    os.rename(house.root() / "new" / action.name, short)
    os.truncate(short, 10)
    assert house.drop.laid_octets(action) == 10
    assert short.exists()
    house.drop.remove_short(action, 10)
    assert short.exists()
    house.drop.remove_short(action, 11)
    assert house.drop.laid_octets(action) is None
    house.drop.remove_short(action, 11)


def test_a_copy_is_replaced_where_it_is(house):
    action, content = house.plan(b"right\r\n")
    house.drop.write(action, content)
    house.drop.lay(action)
    moved = house.root() / "cur" / f"{action.name}:2,S"
    os.rename(house.root() / "new" / action.name, moved)
    moved.write_bytes(b"lost by a failed sync")
    house.drop.write(action, content)
    house.drop.replace(action)
    assert moved.read_bytes().endswith(b"right\r\n")
    assert (house.names_in("new"), house.names_in("tmp")) == ([], [])
    moved.unlink()
    house.drop.write(action, content)
    with pytest.raises(FileNotFoundError):
        house.drop.replace(action)


@pytest.mark.row(51)
def test_a_maildir_that_was_deleted_is_made_again(house):
    """Row 51: the whole mailbox is deleted between two deliveries."""
    house.deliver()
    os.rename(house.root(), house.root().parent / "away")
    house.deliver()
    assert len(house.names_in("new")) == 1


@pytest.mark.row(51)
def test_a_maildir_deleted_between_write_and_lay_is_an_error_that_can_be_tried_again(house):
    """Row 51: deleted in the middle of a delivery; intake writes the copy anew."""
    action, content = house.plan()
    house.drop.write(action, content)
    os.rename(house.root(), house.root().parent / "away")
    with pytest.raises(FileNotFoundError):
        house.drop.lay(action)
    assert not house.drop.is_written(action)
    assert not house.is_laid(action, content)
    house.drop.write(action, content)
    house.drop.lay(action)
    assert house.is_laid(action, content)


@pytest.mark.row(51)
def test_mail_for_a_folder_deleted_meanwhile_goes_to_the_inbox(house):
    """Row 51: the user deletes the folder in the middle of a delivery; the mail is not lost."""
    action, content = house.plan()
    action = dataclasses.replace(action, folder="Work")
    house.drop.write(action, content)
    assert (house.root() / ".Work" / "maildirfolder").exists()
    os.rename(house.root() / ".Work", house.root().parent / "away")
    house.drop.lay(action)
    assert house.names_in("new") == [action.name]
    assert house.is_laid(action, content)
    assert house.drop.settle([action]) == []


@pytest.mark.row(51)
@pytest.mark.parametrize("element", [".", "new", "tmp", "..", "cur"])
@pytest.mark.parametrize("known", [True, False])
def test_a_link_in_place_of_a_maildir_is_not_followed(house, tmp_path, element, known):
    """Row 51, symlink swap: before the first delivery or after it, nothing is written behind the link."""
    if known:
        house.deliver()
    else:
        house.tree._make(str(house.root()), is_root=True)
    elsewhere = tmp_path / "elsewhere"
    swapped = house.root() / element if element not in (".", "..") else house.root()
    swapped = swapped.parent if element == ".." else swapped
    os.rename(swapped, tmp_path / "away")
    for name in ("ann/new", "ann/tmp", "ann/cur", "new", "tmp", "cur"):
        (elsewhere / name).mkdir(parents=True)
    swapped.symlink_to(elsewhere)
    if element == "cur" and known:
        house.deliver()  # which writes nothing into cur
    else:
        with pytest.raises(NotADirectoryError):
            house.deliver()
    assert [path for path in elsewhere.rglob("*") if not path.is_dir()] == []


@pytest.mark.row(51)
def test_a_link_put_between_write_and_lay_is_not_followed(house, tmp_path):
    """Row 51, symlink swap: in the middle of a delivery."""
    action, content = house.plan()
    house.drop.write(action, content)
    os.rename(house.root() / "new", tmp_path / "away")
    (tmp_path / "elsewhere").mkdir()
    (house.root() / "new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        house.drop.lay(action)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_the_data_folder_itself_may_be_a_link(tmp_path):
    (tmp_path / "disk2").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk2")
    MaildirHouse(tmp_path / "data").deliver()
    assert (tmp_path / "disk2" / "mail" / "example.org" / "ann" / "new").is_dir()


def test_open_mailboxes_hear_of_new_mail(house):
    heard = []
    stop = house.changes.subscribe(ANN.address, "INBOX", lambda: heard.append("INBOX"))
    house.changes.subscribe(ANN.address, "Work", lambda: heard.append("Work"))
    house.drop.announce(house.deliver())
    stop()
    house.drop.announce(house.deliver())
    assert heard == ["INBOX"]
