"""File names: ours are unique, everybody's can be read."""

import threading
import time

import pytest

from mailsys.store.maildir.names import NameSource, arrival, base_name, host_part, sizes_in

OURS = "1795447721.M995919P12244Q17.mail.example.org,S=2048,W=2049"


def test_our_names_read_as_written():
    name = NameSource(lambda: 1795447721.995919, 12244, "mail.example.org", 16).next(2048, 2049)
    assert name == OURS
    assert sizes_in(name) == (2048, 2049)


def test_the_name_of_what_may_be_written_again_is_the_same_for_every_process():
    """Only the host is in it, of all that the process knows."""
    names = [NameSource(time.time, pid, "h", pid).of(1795447721.5, "0f" * 16, 7, 8) for pid in (1, 2)]
    assert names == ["1795447721.M500000R0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f.h,S=7,W=8"] * 2
    assert sizes_in(names[0]) == (7, 8)
    assert arrival(OURS)[:3] > arrival(names[0])[:3] == (0, 1795447721, 500_000)


def test_without_a_wire_size_none_is_written():
    assert sizes_in(NameSource(time.time, 1, "h", 0).next(7, None)) == (7, None)


@pytest.mark.row(50)
def test_names_are_unique_while_the_clock_stands_and_threads_race():
    """Row 50, own names: each exists once, even when no time passes."""
    source = NameSource(lambda: 1e9, 1, "host", 0)
    names = []

    def take():
        names.extend([source.next(1, 1) for _ in range(2000)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == len(names) == 8000


@pytest.mark.row(50)
@pytest.mark.parametrize(
    ("host", "part"),
    [
        ("mail.example.org", "mail.example.org"),
        ("a/b", r"a\057b"),
        ("a:b", r"a\072b"),
        ("a,S=9", r"a\054S\0759"),
        ("../../x", r"..\057..\057x"),
        ("a\nb", r"a\012b"),
        ("", "localhost"),
    ],
)
def test_a_host_name_cannot_change_what_the_name_says(host, part):
    """Row 50, host names: slash, colon and comma are written as the Maildir text has it."""
    assert host_part(host) == part
    name = NameSource(lambda: 1.0, 1, host, 0).next(5, 6)
    assert sizes_in(name + ":2,S") == (5, 6)
    assert base_name(name) == name
    assert "/" not in name


@pytest.mark.row(50)
def test_a_long_host_name_leaves_room_for_the_rest():
    """Row 50, host names: the file name stays below what a file system takes."""
    source = NameSource(lambda: 2.0**33, 2**22, "ü" * 1000, 2**64)
    assert len(source.next(2**62, 2**62) + ":2,DFPRSTabcdefghijklmnopqrstuvwxyz") <= 255


@pytest.mark.row(50)
@pytest.mark.parametrize(
    ("name", "base", "sizes"),
    [
        (OURS, OURS, (2048, 2049)),
        (OURS + ":2,", OURS, (2048, 2049)),
        (OURS + ":2,SFS", OURS, (2048, 2049)),
        (OURS + ":2,SS:2,F", OURS, (2048, 2049)),
        (OURS + ";2,S", OURS + ";2,S", (2048, 2049)),
        (OURS + ":1,x", OURS, (2048, 2049)),
        ("1.2.host", "1.2.host", (None, None)),
        ("1.2.host,S=5:2,S", "1.2.host,S=5", (5, None)),
        ("1.2.host,W=5", "1.2.host,W=5", (None, 5)),
        ("1.2.host,W=6,S=5,U=9", "1.2.host,W=6,S=5,U=9", (5, 6)),
        ("1.2.host,S=x,W=-1", "1.2.host,S=x,W=-1", (None, None)),
        ("1.2.host,S=" + "9" * 5000, "1.2.host,S=" + "9" * 5000, (None, None)),
        (":2,S", "", (None, None)),
        ("x:2,S,S=5,W=5", "x", (None, None)),
    ],
)
def test_foreign_names(name, base, sizes):
    """Row 50, foreign names: without sizes, with flags twice, with another separator, with nonsense."""
    assert base_name(name) == base
    assert sizes_in(base) == sizes


@pytest.mark.row(50)
@pytest.mark.parametrize("part", [",S=1", ":2,", "A", "M1", "0", "._", "1."])
def test_a_long_name_is_read_at_once(part):
    """Row 50, long names: no pattern runs away."""
    name = "1." + part * 10_000
    started = time.monotonic()
    base_name(name), sizes_in(name), arrival(name)
    assert time.monotonic() - started < 0.1


def test_names_sort_by_their_time():
    names = [
        "999999999.P1.old",
        "1000000000.P1Q2.host",
        "1000000000.Vfe01I2M5.host",
        "1000000000.M7P1Q1.host",
        "1000000000.M40P1Q1.host",
        "1000000001.M1.host",
        "no time at all",
    ]
    assert sorted(reversed(names), key=arrival) == names
