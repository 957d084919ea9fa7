"""The data folder at a start: each thing in the way is one sentence."""

import os
import pwd
from types import SimpleNamespace

import pytest

from mailsys.process import CannotUse, check_data_folder, claim, data, owner_of_claim, sign

SOMEBODY = pwd.struct_passwd(("ada", "", 4711, 4712, "", "/", ""))


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


def test_ours_is_fine(folder):
    check_data_folder(folder, "")


def test_a_file_system_that_is_read_only(folder, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(CannotUse, match="mounted read-only"):
        check_data_folder(folder, "")


@pytest.mark.parametrize(
    ("owner", "group", "mode", "may"),
    [
        (4711, 0, 0o700, True),
        (4711, 0, 0o500, False),
        (0, 4712, 0o770, True),
        (0, 4712, 0o750, False),
        (0, 0, 0o777, True),
        (0, 0, 0o755, False),
    ],
)
def test_whose_it_may_be(folder, monkeypatch, owner, group, mode, may):
    monkeypatch.setattr(data, "user_named", lambda name: SOMEBODY)
    monkeypatch.setattr(os, "getgrouplist", lambda name, group: [group])
    monkeypatch.setattr(
        os, "stat", lambda path: SimpleNamespace(st_uid=owner, st_gid=group, st_mode=mode | 0o40000)
    )
    if may:
        check_data_folder(folder, "ada")
    else:
        with pytest.raises(CannotUse, match=f"chown -R ada {folder}"):
            check_data_folder(folder, "ada")


def test_a_claim_is_held_once_and_says_by_whom(folder):
    assert owner_of_claim(folder) is None
    held = claim(folder, "")
    assert owner_of_claim(folder) == 0
    sign(held)
    assert owner_of_claim(folder) == os.getpid()
    with pytest.raises(CannotUse, match=rf"Another mailsys is running \(process {os.getpid()}\)"):
        claim(folder, "")
    os.close(held)
    assert owner_of_claim(folder) is None
    os.close(claim(folder, ""))


def test_a_claim_of_a_process_that_died_is_none(folder):
    held = claim(folder, "")
    sign(held)
    os.close(held)
    assert owner_of_claim(folder) is None


def test_what_somebody_wrote_into_the_lock_is_no_process(folder):
    held = claim(folder, "")
    os.pwrite(held, b"9" * 5000, 0)
    assert owner_of_claim(folder) in (0, int("9" * 20))
    os.pwrite(held, b"x" * 30, 0)
    assert owner_of_claim(folder) == 0
    os.close(held)
