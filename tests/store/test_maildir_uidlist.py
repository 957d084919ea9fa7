"""dovecot-uidlist: read whatever is there, give no UID twice, be on the disk before anybody hears."""

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.disk import Disk
from mailsys.store.maildir.uidlist import Entry, UidList, UidListFile, parse
from mailsys.store.maildir.uidvalidity import HIGHEST, next_uid_validity

# As Dovecot 2.3.19 wrote it.
DOVECOTS = b"""3 V1795447721 N1 G68d3f438a95b046bd42f000083ecc375
1 :1699999999.M1P1Q4.host,S=18
2 :1700000000.M1P1Q1.host,S=21,W=21
7 W21 S18 Pold-uidl :1700000001.M1P1Q2.host
"""


def test_what_dovecot_wrote():
    uids = parse(DOVECOTS)
    assert uids.uid_validity == 1795447721
    assert uids.next_uid == 8
    assert uids.sound
    assert uids.entries == {
        "1699999999.M1P1Q4.host,S=18": Entry(1),
        "1700000000.M1P1Q1.host,S=21,W=21": Entry(2),
        "1700000001.M1P1Q2.host": Entry(7, "W21 S18 Pold-uidl"),
    }
    assert uids.render() == DOVECOTS.replace(b"N1", b"N8")


def test_the_next_uid_is_remembered_when_the_last_messages_have_gone():
    assert parse(b"3 V5 N100\n4 :a\n").next_uid == 100


def test_names_of_any_octets_are_kept():
    data = b"3 V5 N2\n1 :name \xff :with: colons\n"
    assert parse(data).render() == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"3\n",
        b"3 N5\n",
        b"3 V0 N1\n",
        b"3 Vx N1\n",
        b"3 V1 Nx\n",
        b"3 V4294967296 N1\n",
        b"3 V1 N4294967296\n1 :a\n",
        b"1 1795447721 5\n1 name\n",
        b"\0" * 4096,
        b"3 V" + b"9" * 100_000 + b" N1\n",
    ],
)
def test_a_file_without_a_first_line_that_can_be_read_is_lost(data):
    assert parse(data) is None


@pytest.mark.parametrize(
    "damage",
    [
        b"garbage\n",
        b"5 no colon\n",
        b"0 :zero\n",
        b"1 :again\n",
        b"8 :a\n",
        b"-9 :minus\n",
        b"99999999999 :large\n",
        b"4294967295 :the last\n",
        b"9 :\n",
        b"\xb2 :superscript\n",
        b"9" * 5000 + b" :long\n",
        b"\0" * 100,
        b"9 :torn",
        b"9",
    ],
)
def test_a_damaged_line_costs_no_other_message_its_uid(damage):
    """And as many UIDs are skipped as the line could have held."""
    uids = parse(b"3 V5 N1\n1 :a\n2 :b\n" + damage)
    assert uids.entries == {"a": Entry(1), "b": Entry(2)}
    assert not uids.sound
    assert uids.next_uid == 3 + len(damage)


@given(st.integers(0, 400), st.binary(max_size=60), st.integers(0, 60))
def test_damage_anywhere_below_the_first_line_never_lets_a_new_uid_be_an_old_one(at, octets, removed):
    whole = UidList(5)
    for number in range(20):
        whole.add(f"170000000{number}.M1.host")
    data = whole.render()
    start = data.index(b"\n") + 1 + at
    damaged = parse(data[:start] + octets + data[start + removed :])
    assert damaged.next_uid > 20
    assert all(entry.uid < damaged.next_uid for entry in damaged.entries.values())


def test_appended_and_rewritten_files_read_alike(tmp_path):
    (tmp_path / "tmp").mkdir()
    file = UidListFile(Disk(), str(tmp_path))
    assert file.read() is None
    uids = UidList(77, header=("Gabc",))
    file.rewrite(uids)
    added = [(base, uids.add(base, fields)) for base, fields in (("a", ""), ("b", "W2 S1"))]
    file.append(added)
    appended = file.read()
    assert appended.entries == uids.entries
    file.rewrite(appended)
    assert file.read() == appended
    assert os.listdir(tmp_path / "tmp") == []


class FailingDisk(Disk):
    """Raises EIO at the operation of this name."""

    def __init__(self, operation):
        def fail(*_arguments):
            raise OSError(errno.EIO, "injected")

        setattr(self, operation, fail)


@pytest.mark.parametrize("operation", ["write", "sync_data"])
def test_uids_that_could_not_be_synced_are_not_there(tmp_path, operation):
    (tmp_path / "tmp").mkdir()
    UidListFile(Disk(), str(tmp_path)).rewrite(UidList(5))
    before = (tmp_path / "dovecot-uidlist").read_bytes()
    with pytest.raises(OSError, match="injected"):
        UidListFile(FailingDisk(operation), str(tmp_path)).append([("a", Entry(1))])
    assert (tmp_path / "dovecot-uidlist").read_bytes() == before


@pytest.mark.parametrize("operation", ["create", "write", "sync", "rename"])
def test_a_rewrite_that_fails_leaves_the_old_file(tmp_path, operation):
    (tmp_path / "tmp").mkdir()
    good = UidListFile(Disk(), str(tmp_path))
    good.rewrite(UidList(5, entries={"a": Entry(1)}, next_uid=2))
    with pytest.raises(OSError, match="injected"):
        UidListFile(FailingDisk(operation), str(tmp_path)).rewrite(UidList(6))
    assert good.read().uid_validity == 5
    good.rewrite(UidList(7))
    assert good.read().uid_validity == 7


def test_uid_validities_grow_while_the_clock_stands_or_goes_back(tmp_path):
    (tmp_path / "tmp").mkdir()
    values = [next_uid_validity(Disk(), str(tmp_path), now) for now in (1000.5, 1000.5, 900.0, 5000.0)]
    assert values == [1000, 1001, 1002, 5000]
    assert sorted(os.listdir(tmp_path)) == ["dovecot-uidvalidity", "dovecot-uidvalidity.00001388", "tmp"]
    assert (tmp_path / "dovecot-uidvalidity").read_text() == "00001388"


def test_damaged_uid_validities_are_replaced(tmp_path):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "dovecot-uidvalidity").write_text("what?")
    (tmp_path / f"dovecot-uidvalidity.{HIGHEST:08x}").touch()
    assert next_uid_validity(Disk(), str(tmp_path), 1000.0) == 1000
    assert next_uid_validity(Disk(), str(tmp_path), 1000.0) == 1001


@pytest.mark.parametrize(
    "header", [b"3 V1 N5 G\x80", b"3 V1 N5 Gx\ty", b"3 V1 N5 G\x00", b"3 V1 N5 G\xc3\xa4"]
)
def test_a_header_field_that_no_program_writes_is_not_handed_on(header):
    found = parse(header + b"\n1 :a\n")
    assert found.render() == b"3 V1 N5\n1 :a\n"


@pytest.mark.parametrize("header", [b"3 V1 N5\t\x80", b"3 V1 N5\t7", b"3 V1\x1c N5"])
def test_numbers_with_something_behind_them_are_lost(header):
    assert parse(header + b"\n1 :a\n") is None
