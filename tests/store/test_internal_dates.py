"""The INTERNALDATE of a message is its file's time of modification."""

import os

import pytest
from folders_house import FoldersHouse
from maildir_house import NOON, result_of
from twisted.logger import capturedLogs

from mailsys.interfaces import Column, NewMessage
from mailsys.message.content import MemoryContent


@pytest.mark.parametrize(("date", "kept"), [(-6e10, -(2.0**31)), (2e10, 15032385535.0), (NOON, NOON)])
def test_a_date_that_the_file_system_cannot_hold(tmp_path, monkeypatch, date, kept):
    """The nearest that it can, as ext4 has it; the log tells, and all who ask hear the same."""
    house, utime = FoldersHouse(tmp_path), os.utime

    def ext4(path, times):
        utime(path, tuple(min(max(time, -(2.0**31)), 15032385535.0) for time in times))

    monkeypatch.setattr(os, "utime", ext4)
    message = NewMessage(MemoryContent([b"Subject: old\r\n\r\n"]), frozenset(), date)
    with capturedLogs() as logs:
        assert len(result_of(house.folders.append("INBOX", [message])).uids) == 1
    told = [entry for entry in logs if "INTERNALDATE" in entry["log_format"]]
    assert [(entry["there"], entry["seconds"]) for entry in told] == ([(kept, date)] if kept != date else [])
    for life in (house, house.again()):
        folder = life.select()
        assert result_of(folder.columns([1], [Column.INTERNAL_DATE])) == [[kept]]
