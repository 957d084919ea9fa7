"""Contents of what waits: in memory while that is enough, in files from when the log is settled."""

import os

import pytest
from queue_parts import BUSY, DiskSpool, QueueRig, message

from mailsys.disk import Disk
from mailsys.interfaces import QueueAction
from mailsys.message.content import FileContent, MemoryContent
from mailsys.queue import contents as module
from mailsys.queue.contents import Contents

HEAD = b"Received: from here\r\n"
SMALL = MemoryContent([b"Subject: hello\r\n", b"\r\nhello\r\n"])
WHOLE = HEAD + b"Subject: hello\r\n\r\nhello\r\n"


@pytest.fixture
def contents(tmp_path):
    made = Contents(Disk(), str(tmp_path / "queue"))
    made.make_folders()
    return made


def put(contents, name, content=SMALL):
    contents.write(name, HEAD, content)
    assert contents.written_octets(name) == len(HEAD) + content.size
    contents.lay(name)
    assert contents.written_octets(name) is None


def text_of(contents, name):
    return b"".join(contents.open(name, len(WHOLE)).pieces())


def files(contents):
    return sorted([*os.listdir(contents._tmp), *os.listdir(contents._content)])


def test_a_small_one_has_no_file_until_the_log_is_settled(contents):
    put(contents, "m1")
    assert files(contents) == []
    assert text_of(contents, "m1") == WHOLE
    assert contents.octets("m1") == len(WHOLE)
    contents.sync(["m1"])
    assert files(contents) == ["m1"]
    assert isinstance(contents.open("m1", len(WHOLE)), FileContent)
    assert text_of(contents, "m1") == WHOLE
    contents.remove("m1")
    assert files(contents) == []
    assert contents._held_octets == 0


def test_one_that_left_before_never_has_a_file(contents):
    put(contents, "m1")
    contents.remove("m1")
    contents.sync(["m1"])
    assert files(contents) == []
    assert contents.octets("m1") is None
    assert contents._held_octets == 0


def test_one_that_leaves_while_its_file_is_written_leaves_none(contents):
    class Disturbed(Disk):
        def write(self, descriptor, pieces):
            super().write(descriptor, pieces)
            contents.remove("m1")

    put(contents, "m1")
    contents._disk = Disturbed()
    contents.sync(["m1"])
    assert files(contents) == []
    assert contents._held_octets == 0


def test_one_that_was_not_taken_after_all_is_forgotten(contents):
    contents.write("m1", HEAD, SMALL)
    contents.discard("m1")
    assert contents.written_octets("m1") is None
    assert contents._held_octets == 0


def test_what_is_too_much_for_the_memory_has_files_at_once(contents, monkeypatch):
    monkeypatch.setattr(module, "HELD_OCTETS", 2 * len(WHOLE))
    for number in range(4):
        put(contents, f"m{number}")
    put(contents, "large", MemoryContent([b"x" * module.SMALL_OCTETS]))
    assert files(contents) == ["large", "m2", "m3"]
    assert all(text_of(contents, f"m{number}") == WHOLE for number in range(4))


def test_a_file_from_the_log_takes_the_place_of_what_is_held(contents, tmp_path):
    put(contents, "m1")
    path = tmp_path / "segment"
    path.write_bytes(b"".join(SMALL.pieces()))
    contents.write("m1", HEAD, FileContent(str(path), SMALL.size))
    contents.lay("m1")
    assert files(contents) == ["m1"]
    assert text_of(contents, "m1") == WHOLE
    assert contents._held_octets == 0


def test_a_content_that_the_log_still_owes_is_not_lost(tmp_path):
    """The process was killed, and at the next start the disk is too full to write it again."""
    spool = DiskSpool(str(tmp_path))
    action = QueueAction(message("m1").envelope, 0.0, b"", message("m1").content.size)
    spool.put(message("m1"))
    assert spool.is_kept(action)
    spool.database.close()
    spool = DiskSpool(str(tmp_path))
    assert not spool.is_kept(action)
    assert spool.laid_octets(action) == 0
    spool.remove_short(action, action.octets)
    rig = QueueRig(spool)
    rig.world.answers["far.test"] = BUSY  # as a delivery says that cannot read it
    rig.start()
    assert rig.journal.kinds("m1") == ["deferred"]
    with pytest.raises(OSError, match="log"):
        b"".join(spool.contents.open("m1", action.octets).pieces())
    spool.write(action, message("m1").content)
    spool.lay(action)
    assert text_of(spool.contents, "m1") == b"".join(message("m1").content.pieces())
    spool.contents.sync(["m1"])
    laid = spool.contents.open("m1", action.octets)
    assert b"".join(laid.pieces()) == b"".join(message("m1").content.pieces())
