"""Large folders: what a session costs, and that none of its commands keeps others waiting."""

import gc
import time
import tracemalloc
from itertools import pairwise

import pytest
from imap_house import House
from test_imap_session import Client
from twisted.internet.task import deferLater

from mailsys.read.imap import dialogue

IDLE_OCTETS = 200_000
STRETCH_SECONDS = 0.05


@pytest.fixture(scope="module")
def large():
    house = House([])
    house.put(*[b"Subject: %d\r\n\r\n" % number for number in range(10_000)], flags=("\\Seen",))
    return house


def test_an_idle_session_is_small(large):
    Client(large).say("b IDLE")  # what is made once
    gc.collect()
    tracemalloc.start()
    client = Client(large)
    client.say("b FETCH 1:* FLAGS")
    client.say("c IDLE")
    gc.collect()
    octets, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert octets < IDLE_OCTETS
    assert len(client.say("DONE")) == 1


@pytest.mark.row(48)
@pytest.mark.parametrize(
    "command",
    [
        "SELECT INBOX",
        "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)",
        "UID FETCH 1:* (ENVELOPE)",
        "UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])",
        "STORE 1:* +FLAGS (\\Flagged)",
        "STORE 1:* -FLAGS.SILENT (\\Flagged)",
        "NOOP",
    ],
)
def test_others_have_their_turn(large, command, monkeypatch):
    """Row 48: between two turns of the reactor less than 50 ms of work, in processor time."""
    client = Client(large)
    client.say("x FETCH 1:* ENVELOPE")  # so that what the store makes once is made
    turns = []

    def noted(clock, seconds):
        turns.append(time.thread_time())
        return deferLater(clock, seconds)

    monkeypatch.setattr(dialogue, "deferLater", noted)
    best = float("inf")
    for _ in range(3):
        turns[:] = [time.thread_time()]
        client.say(f"b {command}")
        turns.append(time.thread_time())
        best = min(best, max(after - before for before, after in pairwise(turns)))
    assert best < STRETCH_SECONDS
