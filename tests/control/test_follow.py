"""``mailsys trace --follow``: what happens from now on."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from test_trace import AT, host, journal, message  # noqa: F401 - fixtures

from mailsys.control.follow import LOOK_BACK_SECONDS, Follower
from mailsys.interfaces import JournalEvent
from mailsys.journal import FILE_NAME
from mailsys.journal.reader import JournalReader
from mailsys.journal.wanted import Wanted


class Clock:
    now = AT

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def reader(host, journal):  # noqa: F811
    journal.write(message(0))
    with JournalReader(str(host / "data" / FILE_NAME)) as reader:
        yield reader


def ids(stories):
    return [events[0].id for events in stories]


def test_each_event_is_told_once(reader, journal, clock):  # noqa: F811
    follower = Follower(Wanted(), clock)
    follower.begin(reader)
    assert follower.new(reader) == []
    journal.write(message(1))
    (story,) = follower.new(reader)
    assert {event.facts["event"] for event in story} == {"received", "delivered"}
    assert follower.new(reader) == []
    journal.write([JournalEvent(story[0].id, "late", AT + 5, {"event": "failed"})])
    (story,) = follower.new(reader)
    assert [event.key for event in story] == ["late"]


def test_only_what_is_wanted(reader, journal, clock):  # noqa: F811
    follower = Follower(Wanted("ann@example.net", subject="dinner"), clock)
    follower.begin(reader)
    journal.write(message(1, subject="Lunch"))
    journal.write(message(2, subject="Dinner at 8"))
    assert ids(follower.new(reader)) == ["4k2m9x7q2.1"]


@pytest.mark.row(54)
def test_it_goes_on_when_the_clock_is_set_back(reader, journal, clock):  # noqa: F811
    """Row 54: what happens after a jump is told, too, and nothing twice."""
    follower = Follower(Wanted(), clock)
    follower.begin(reader)
    clock.now = AT - 86_400
    journal.write([JournalEvent("4k2m9x7q8.1", "x", clock.now + 1, {"event": "received"})])
    assert ids(follower.new(reader)) == ["4k2m9x7q8.1"]
    assert follower.new(reader) == []


def test_what_is_remembered_is_bounded(reader, journal, clock):  # noqa: F811
    follower = Follower(Wanted(), clock)
    follower.begin(reader)
    for number in range(50):
        clock.now += 1
        journal.write([JournalEvent(f"4k2m9z{number:03d}.1", "x", clock.now, {"event": "received"})])
        follower.new(reader)
    assert len(follower._seen) <= LOOK_BACK_SECONDS + 2


def test_a_person_watches_and_ends_it_with_ctrl_c(host, journal):  # noqa: F811
    journal.write(message(0))
    command = [
        sys.executable,
        "-m",
        "mailsys",
        "--config",
        str(host / "mailsys.toml"),
        "trace",
        "--follow",
        "--json",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        now, end = time.time(), time.monotonic() + 20
        os.set_blocking(process.stdout.fileno(), False)
        line, number = "", 0
        while not line:
            assert time.monotonic() < end
            journal.write([JournalEvent(f"4k2m9z{number:03d}.1", "x", now + number, {"event": "received"})])
            number += 1
            time.sleep(0.2)
            line = process.stdout.readline()
        assert json.loads(line)["events"][0]["event"] == "received"
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
