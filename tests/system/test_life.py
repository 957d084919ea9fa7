"""A day's life in short: mail, logins, broken connections and restarts leave nothing behind."""

import asyncio
import signal

import pytest

from bench.life.__main__ import new_host
from bench.life.census import Census, leaks, slope
from bench.life.day import Day, Plan

MEMORY_KB = 16 * 1024


@pytest.fixture
def host(tmp_path):
    host = new_host(tmp_path / "host", people=4)
    host.start()
    try:
        host.wait_until_ready()
        yield host
    finally:
        host.stop()


def test_nothing_is_left_of_a_day(host):
    """The same as ``python -m bench.life``, which takes minutes, and sees slower leaks."""
    plan = Plan(messages=900, rounds=3, sessions=10, octets=2000, restarts={1: signal.SIGKILL})
    told = []
    day = Day(host, plan, told.append)
    asyncio.run(day.live())
    assert len(told) == 3
    assert len(day.ledger.promised) >= 900
    assert day.ledger.broken > 0
    assert (day.ledger.lost, day.ledger.doubled) == (0, 0)
    assert leaks(day.censuses[1:], MEMORY_KB, 0.0) == []


def census(messages, pss_kb, **more):
    counts = {"descriptors": 20, "threads": 5, "segments": 1, "spooled": 0, "in_tmp": 0, "in_mailboxes": 0}
    return Census(messages, pss_kb, pss_kb, **{**counts, **more})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"descriptors": 22}, "descriptors grew from 20 to 22"),
        ({"threads": 31}, "threads grew from 5 to 31"),
        ({"in_tmp": 1}, "1 files are left: in_tmp"),
        ({"spooled": 3}, "3 files are left: spooled"),
        ({"segments": 4}, "4 segments of the log are left"),
    ],
)
def test_the_census_would_notice(more, words):
    steady = [census(number * 1000, 50_000) for number in range(5)]
    assert leaks(steady, 1000, 10.0) == []
    assert leaks([*steady, census(5000, 50_000, **more)], 1000, 10.0) == [words]


def test_the_slope_is_of_a_thousand_messages():
    growing = [census(number * 1000, 50_000 + number * 300) for number in range(6)]
    assert slope(growing) == pytest.approx(300)
    assert leaks(growing, 1000, 10.0) == ["memory grew from 50000 to 51500 KiB"]
