"""Quotas: the mailbox never holds much more than it may, whoever delivers and deletes."""

import errno
import os

import pytest
from maildir_house import NOON, MaildirHouse, result_of
from twisted.internet.defer import Deferred, gatherResults
from zope.interface.verify import verifyObject

from mailsys.interfaces import Account, IQuota
from mailsys.message.address import parse_address
from mailsys.store.maildir import maildirsize
from mailsys.store.maildir.maildirsize import MaildirSize
from mailsys.store.maildir.quota_look import QuotaLook

MEGABYTE = 1_000_000
LIMITED = Account(parse_address("ann@example.org"), quota_bytes=10 * MEGABYTE)
FREE = Account(parse_address("bob@example.org"))


@pytest.fixture
def house(tmp_path):
    return MaildirHouse(tmp_path)


def foreign(house, number, octets, subdirectory="new"):
    """Another program delivers."""
    return house.put(f"{number}.M1.h,S={octets},W={octets}", b"", subdirectory, account=LIMITED)


def size_file(house):
    return house.root(LIMITED) / "maildirsize"


def has_room(house, octets, account=LIMITED):
    return result_of(house.quota.has_room(account, octets))


def hold(house, octets, account=LIMITED):
    return result_of(house.quota.hold(account, octets))


def test_it_provides_the_interface(house):
    assert verifyObject(IQuota, house.quota)


def test_an_account_without_a_limit_costs_nothing(house):
    assert has_room(house, 10**18, FREE)
    assert hold(house, 10**18, FREE)
    house.quota.release(FREE, 10**18, used=10**18)
    house.quota.subtract(FREE, 1, 1)
    assert not (house.root(FREE)).exists()


def test_the_first_look_counts_all_folders_and_writes_the_file(house):
    foreign(house, 1, 3 * MEGABYTE)
    foreign(house, 2, 3 * MEGABYTE, "cur")
    house.put("3.no.size", b"x" * 1000, account=LIMITED)
    house.tree.ready(LIMITED.address, "Work", "new")
    (house.root(LIMITED) / ".Work" / "cur" / f"4.M1.h,S={MEGABYTE}:2,S").touch()
    assert has_room(house, 3 * MEGABYTE - 1000)
    assert not has_room(house, 3 * MEGABYTE - 999)
    assert size_file(house).read_text() == f"{10 * MEGABYTE}S\n{7 * MEGABYTE + 1000} 4\n"


def test_a_message_larger_than_the_limit_never_fits(house):
    assert not hold(house, 10 * MEGABYTE + 1)
    assert hold(house, 10 * MEGABYTE)


def test_what_is_held_is_no_longer_free(house):
    assert hold(house, 6 * MEGABYTE)
    assert not hold(house, 6 * MEGABYTE)
    house.quota.release(LIMITED, 6 * MEGABYTE, used=0)
    assert hold(house, 6 * MEGABYTE)
    foreign(house, 1, 6 * MEGABYTE)
    house.quota.release(LIMITED, 6 * MEGABYTE, used=6 * MEGABYTE)
    assert not hold(house, 6 * MEGABYTE)


def test_deliveries_are_noted_in_the_file(house):
    assert hold(house, 2000)
    house.quota.release(LIMITED, 2000, used=2000)
    assert size_file(house).read_text().splitlines()[1:] == ["0 0", "2000 1"]


def test_deleting_by_pop3_makes_room(house):
    foreign(house, 1, 9 * MEGABYTE)
    assert not has_room(house, 2 * MEGABYTE)
    mailbox = house.open(LIMITED)
    result_of(mailbox.expunge([1]))
    mailbox.close()
    assert has_room(house, 10 * MEGABYTE)
    assert size_file(house).read_text().endswith(f"-{9 * MEGABYTE} -1\n")


@pytest.mark.row(51)
def test_a_hundred_parallel_deliveries_exceed_the_quota_by_one_message_at_most(tmp_path):
    """Row 51, quota races: 100 messages of 1 MB at once for 10 MB, with looks that take their time."""

    class SlowWorkers:
        def __init__(self):
            self.waiting = []

        def run(self, function, *arguments):
            done = Deferred()
            self.waiting.append(lambda: done.callback(function(*arguments)))
            return done

    workers = SlowWorkers()
    house = MaildirHouse(tmp_path, workers=workers)
    foreign(house, 1, MEGABYTE)
    outcomes = []

    async def deliver():
        if not await house.quota.has_room(LIMITED, MEGABYTE):
            return False
        if not await house.quota.hold(LIMITED, MEGABYTE):
            return False
        action = house.drop.plan(LIMITED, LIMITED.address, b"", MEGABYTE)
        await workers.run(house.put, action.name, b"", "new", LIMITED)
        house.quota.release(LIMITED, MEGABYTE, used=MEGABYTE)
        return True

    gatherResults([Deferred.fromCoroutine(deliver()) for _ in range(100)]).addCallback(outcomes.extend)
    looks = 0
    while workers.waiting:
        looks += 1
        workers.waiting.pop(0)()
    assert len(outcomes) == 100
    assert 8 <= sum(outcomes) <= 10  # a count in the middle may see messages twice, never not at all
    assert MaildirSize(house.disk, str(house.root(LIMITED)), 1).recount().octets <= 11 * MEGABYTE
    assert looks < 40

    # A count in the middle may have been too high: it must not refuse what fits after the rush.
    for path in (house.root(LIMITED) / "new").iterdir():
        path.unlink()
    house.quota.subtract(LIMITED, (1 + sum(outcomes)) * MEGABYTE, 1 + sum(outcomes))
    fits = Deferred.fromCoroutine(house.quota.has_room(LIMITED, 10 * MEGABYTE))
    while workers.waiting:
        workers.waiting.pop(0)()
    room = []
    fits.addCallback(room.append)
    assert room == [True]


def test_what_other_programs_delete_makes_room_soon(house):
    path = foreign(house, 1, 9 * MEGABYTE)
    assert not hold(house, 2 * MEGABYTE)
    path.unlink()
    assert not hold(house, 2 * MEGABYTE)  # it was counted a moment ago
    house.monotonic += 6
    assert hold(house, 2 * MEGABYTE)


def test_what_other_programs_deliver_is_seen_within_a_minute(house):
    assert has_room(house, 5 * MEGABYTE)
    foreign(house, 1, 9 * MEGABYTE)
    os.utime(house.root(LIMITED) / "new", (NOON * 2, NOON * 2))
    house.monotonic += 61
    assert not has_room(house, 5 * MEGABYTE)


def test_deliveries_that_a_crash_kept_from_the_file_are_counted(house, tmp_path):
    assert has_room(house, 1)
    foreign(house, 1, 9 * MEGABYTE)
    os.utime(house.root(LIMITED) / "new", (NOON * 2, NOON * 2))
    assert not has_room(MaildirHouse(tmp_path), 5 * MEGABYTE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage\n",
        "5S\n1 1\n",
        f"{10 * MEGABYTE}S\nx y\n",
        f"{10 * MEGABYTE}S\n-5 -1\n",
        f"{10 * MEGABYTE}S\n" + "1 1\n" * 2000,
        f"{10 * MEGABYTE}S\n1 1\n1",
    ],
)
def test_a_file_that_cannot_be_trusted_is_counted_anew(house, text):
    foreign(house, 1, 9 * MEGABYTE)
    size_file(house).write_text(text)
    assert not has_room(house, 2 * MEGABYTE)
    assert size_file(house).read_text() == f"{10 * MEGABYTE}S\n{9 * MEGABYTE} 1\n"


@pytest.mark.parametrize("limit", [f"{10 * MEGABYTE}S", f"{10 * MEGABYTE}S,1000C", f"1000C,{10 * MEGABYTE}S"])
def test_the_file_of_another_program_is_believed(house, limit):
    house.tree.ready(LIMITED.address, "INBOX", "new")
    size_file(house).write_text(f"{limit}\n{9 * MEGABYTE} 3\n  -1000000   -1\n")
    later = NOON * 2
    os.utime(size_file(house), (later, later))
    usage = MaildirSize(house.disk, str(house.root(LIMITED)), 10 * MEGABYTE).usage()
    assert usage == (8 * MEGABYTE, 2)


def test_a_long_file_is_written_anew(house, monkeypatch):
    monkeypatch.setattr(maildirsize, "FILE_OCTETS", 40)
    for _ in range(10):
        assert hold(house, 1000)
        house.quota.release(LIMITED, 1000, used=1000)
    assert size_file(house).stat().st_size > 40
    house.monotonic += 61
    assert has_room(house, 1)
    assert size_file(house).read_text() == f"{10 * MEGABYTE}S\n0 0\n"


@pytest.mark.row(51)
def test_a_link_in_place_of_the_file_is_not_followed(house, tmp_path):
    """Row 51, symlink swap: the usage is not written into somebody else's file."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    house.tree.ready(LIMITED.address, "INBOX", "new")
    size_file(house).symlink_to(victim)
    house.quota.release(LIMITED, 1000, used=1000)
    assert has_room(house, 1)
    assert victim.read_text() == "precious"
    assert not size_file(house).is_symlink()


@pytest.mark.row(52)
def test_on_a_full_disk_the_quota_is_still_known(house):
    """Row 52: that the file cannot be written is logged, and is no reason to refuse mail."""

    def full(path):
        raise OSError(errno.ENOSPC, "No space left")

    foreign(house, 1, 9 * MEGABYTE)
    house.disk.create = full
    assert hold(house, 1000)
    assert not hold(house, 2 * MEGABYTE)


def test_a_disk_error_while_noting_is_repaired_by_the_next_look(house, monkeypatch):
    assert hold(house, 1000)

    def fail(self, octets, messages):
        raise OSError("full")

    monkeypatch.setattr(MaildirSize, "add", fail)
    foreign(house, 1, 9 * MEGABYTE)
    house.quota.release(LIMITED, 1000, used=1000)
    monkeypatch.undo()
    os.utime(house.root(LIMITED) / "new", (NOON * 2, NOON * 2))
    assert not has_room(house, 2 * MEGABYTE)


def test_mail_that_arrives_during_a_count_makes_the_file_look_old(house, monkeypatch):
    foreign(house, 1, MEGABYTE)
    scan = maildirsize.scan

    def arriving(folder):
        found = scan(folder)
        foreign(house, 2, 8 * MEGABYTE)
        os.utime(house.root(LIMITED) / "new", (NOON * 2, NOON * 2))
        return found

    monkeypatch.setattr(maildirsize, "scan", arriving)
    assert has_room(house, 5 * MEGABYTE)
    monkeypatch.undo()
    house.monotonic += 61
    assert not has_room(house, 5 * MEGABYTE)


def look_for_room(house, octets, account=LIMITED):
    look = QuotaLook(house.tree, house.disk)
    assert verifyObject(IQuota, look)
    room = result_of(look.has_room(account, octets))
    assert result_of(look.hold(account, octets)) == room
    look.release(account, octets, used=0)
    return room


def test_a_dry_run_counts_and_writes_nothing(house):
    foreign(house, 1, 6 * MEGABYTE)
    assert look_for_room(house, 4 * MEGABYTE)
    assert not look_for_room(house, 4 * MEGABYTE + 1)
    assert look_for_room(house, 10**18, FREE)
    assert not size_file(house).exists()
    assert house.names_in("tmp", LIMITED) == []


def test_for_a_dry_run_a_missing_maildir_is_empty_and_stays_missing(house):
    assert look_for_room(house, 10 * MEGABYTE)
    assert not look_for_room(house, 10 * MEGABYTE + 1)
    assert not house.root(LIMITED).parent.exists()


def test_a_dry_run_believes_the_file_and_follows_no_link(house, tmp_path):
    house.tree.ready(LIMITED.address, "INBOX", "new")
    size_file(house).write_text(f"{10 * MEGABYTE}S\n{9 * MEGABYTE} 3\n")
    os.utime(size_file(house), (NOON * 2, NOON * 2))
    assert not look_for_room(house, 2 * MEGABYTE)
    house.root(LIMITED).rename(tmp_path / "elsewhere")
    house.root(LIMITED).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        look_for_room(house, 1)
