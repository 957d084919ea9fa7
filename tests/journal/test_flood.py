"""Strangers who are refused over and over do not fill the journal, and mail keeps its story."""

import sqlite3
import time

import pytest
from journal_scenes import NOON, accepted, delivered, session
from twisted.logger import formatEvent

from mailsys.interfaces import JournalEvent, Peer
from mailsys.journal import events
from mailsys.journal.flood import HOUR_SECONDS, Flood
from mailsys.journal.writer import Journal
from mailsys.message import reply as replies


class Clock:
    seconds = 100.0

    def __call__(self):
        return self.seconds


def refusal(number=0, peer="192.0.2.66", command="RCPT", at=NOON):
    of = session(f"4k{number:07d}", peer=Peer(peer, 1, "smtp"))
    return events.refused(of.id, of, command, replies.NO_SUCH_USER, at + number, recipient="rob@example.org")


def admitted(flood, events_):
    return [event for event in events_ if flood.admits(event)]


def test_the_first_are_kept_and_the_others_counted():
    flood = Flood(Clock(), kept_a_client=10)
    kept = admitted(flood, [refusal(n) for n in range(4322)])
    assert kept == [refusal(n) for n in range(10)]
    (count,) = flood.counts()
    assert (count.id, count.facts["count"]) == (kept[-1].id, 4312)
    assert count.facts["until"] == NOON + 4321
    assert flood.counts() == []


def test_a_count_that_grows_takes_the_place_of_the_last_one():
    flood = Flood(Clock(), kept_a_client=1)
    admitted(flood, [refusal(n) for n in range(3)])
    (first,) = flood.counts()
    admitted(flood, [refusal(9)])
    (second,) = flood.counts()
    assert (first.id, first.key) == (second.id, second.key)
    assert (first.facts["count"], second.facts["count"]) == (2, 3)


def test_each_client_and_command_has_its_own_room():
    flood = Flood(Clock(), kept_a_client=1)
    several = [refusal(n, f"192.0.2.{n}") for n in range(5)] + [refusal(9, "192.0.2.0", "MAIL")]
    assert admitted(flood, several) == several
    assert admitted(flood, several) == []


def test_an_ipv6_network_is_one_client():
    flood = Flood(Clock(), kept_a_client=1)
    rotating = [refusal(n, f"2001:db8:1:2:{n:x}::1") for n in range(1, 9)]
    assert len(admitted(flood, rotating)) == 1
    assert admitted(flood, [refusal(0, "2001:db8:1:3::1")])


def test_after_an_hour_it_begins_anew_and_the_count_is_told():
    clock = Clock()
    flood = Flood(clock, kept_a_client=1)
    admitted(flood, [refusal(n) for n in range(3)])
    clock.seconds += HOUR_SECONDS
    assert flood.admits(refusal(7))
    assert [count.facts["count"] for count in flood.counts()] == [2]


@pytest.mark.row(64)
def test_a_million_clients_cost_bounded_memory():
    """Row 64: the table does not grow with what strangers send; who comes last is counted together."""
    flood = Flood(Clock(), clients=100, kept_in_all=50)
    kept = admitted(flood, [refusal(n, f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(10_000)])
    assert len(flood._tallies) <= 101
    assert 50 <= len(kept) <= 101
    counts = flood.counts()
    assert sum(count.facts["count"] for count in counts) == 10_000 - len(kept)
    assert [count.facts["clients"] for count in counts if "clients" in count.facts] == ["many"]


def test_mail_is_never_left_out():
    flood = Flood(Clock(), kept_a_client=1, kept_in_all=1)
    admitted(flood, [refusal(n) for n in range(5)])
    mail = [accepted(), delivered(), JournalEvent("x", "x", NOON, {"event": ["odd"]})]
    assert admitted(flood, mail * 3) == mail * 3


@pytest.mark.row(64)
def test_a_flood_does_not_push_out_the_stories_of_mail(tmp_path):
    """Row 64: 100,000 refusals at once; the journal stays small, tells how many, and has all the mail."""
    path, said = str(tmp_path / "journal.sqlite3"), []
    journal = Journal(path, observer=lambda event: said.append(formatEvent(event)))
    journal.start()
    for number in range(100_000):
        journal.record(refusal(number % 9_999_999, f"192.0.2.{number % 4}"))
        if number % 1000 == 0:
            journal.record(accepted(f"m{number:06d}.1"))
    began = time.monotonic()
    journal.flush()
    assert time.monotonic() - began < 10
    journal.close()
    connection = sqlite3.connect(path)
    counted = dict(connection.execute("SELECT facts ->> 'event', count(*) FROM events GROUP BY 1").fetchall())
    told = connection.execute(
        "SELECT sum(facts ->> 'count') FROM events WHERE facts ->> 'event' = 'repeated'"
    ).fetchone()
    connection.close()
    assert counted == {"received": 100, "refused": 800, "repeated": 4}
    assert told == (99_200,)
    assert "99,200 refusals and logins of 4 clients within the hour are only counted." in said
