"""Where lines of the log go: moved files, full disks."""

import errno
import os
import stat

import pytest

from mailsys.config.schema import Log
from mailsys.logs import CannotLog, FileSink, LogOutput, StreamSink


def test_a_file_is_for_its_owner_and_group(tmp_path):
    sink = FileSink(str(tmp_path / "log"))
    sink.write("höre \ud800")
    assert (tmp_path / "log").read_bytes() == b"h\xc3\xb6re \\ud800\n"
    assert not stat.S_IMODE((tmp_path / "log").stat().st_mode) & 0o137


def test_a_file_that_was_moved_away_begins_anew(tmp_path):
    path = tmp_path / "log"
    sink = FileSink(str(path))
    sink.write("one")
    path.rename(tmp_path / "log.1")
    sink.write("two")
    sink.reopen()
    sink.write("three")
    assert (tmp_path / "log.1").read_text() == "one\ntwo\n"
    assert path.read_text() == "three\n"


def test_a_file_that_cannot_begin_anew_goes_on(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    sink = FileSink(str(folder / "log"))
    folder.rename(tmp_path / "moved")
    output = LogOutput(Log(), sink)
    output.reopen()
    sink.write("still here")
    assert (tmp_path / "moved" / "log").read_text() == "still here\n"


def test_a_file_that_cannot_be_made_is_told(tmp_path):
    with pytest.raises(CannotLog, match="cannot be opened: No such file or directory"):
        FileSink(str(tmp_path / "no" / "log"))


def test_lines_that_are_lost_are_counted(tmp_path, monkeypatch):
    sink = FileSink(str(tmp_path / "log"))
    is_full = True
    write = os.write

    def try_to_write(descriptor, octets):
        if is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, octets[:3])  # as a pipe may do it

    monkeypatch.setattr(os, "write", try_to_write)
    sink.write("one")
    sink.write("two")
    is_full = False
    sink.write("three")
    sink.write("four")
    assert (tmp_path / "log").read_text() == "(2 lines of this log could not be written)\nthree\nfour\n"


def test_a_stream_is_written_past_its_buffer():
    reading, writing = os.pipe()
    with open(writing, "w") as stream:
        StreamSink(stream).write("at once")
        assert os.read(reading, 100) == b"at once\n"
    os.close(reading)
