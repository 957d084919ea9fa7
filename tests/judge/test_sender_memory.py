"""What is remembered of senders: who has written before, and who came again."""

import os
import sqlite3

import pytest
from judge_house import NOW
from twisted.internet.task import Clock

from mailsys.control.at_once import at_once
from mailsys.interfaces import Finding, Peer, Session
from mailsys.judge.memory.file import SendersFile
from mailsys.judge.memory.greylist import CAME_SECONDS, PRUNE_AFTER, Greylist
from mailsys.judge.memory.history import DAY_SECONDS, GATHER_SECONDS, SenderHistory
from mailsys.judge.memory.station import SenderMemory
from mailsys.message.address import parse_address
from mailsys.threads import NoThreads

ANN, EVE = parse_address("Ann@example.com"), parse_address("eve@example.com")
JANE, JOE = parse_address("jane@our.example"), parse_address("joe@our.example")


class Now:
    seconds = NOW

    def __call__(self):
        return self.seconds


@pytest.fixture
def now():
    return Now()


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "data" / "senders.sqlite3")


@pytest.fixture
def history(path, now):
    return SenderHistory(SendersFile(path), NoThreads(), now)


def session(host="192.0.2.1", *, spf="", dkim=(), author=""):
    one = Session("s1", Peer(host, 1, "smtp"))
    one.findings["spf"] = (Finding("spf", "pass" if spf else "none", spf or "example.com"),)
    one.findings["dkim"] = tuple([Finding("dkim", "pass", domain) for domain in dkim])
    if author:
        one.findings["dmarc"] = (Finding("dmarc", "none", detail={"author": author}),)
    return one


def knows(history, *asked):
    return at_once(history.knows(*asked))


def test_who_wrote_is_known_from_the_next_day_on(history, now):
    shown = session(spf="example.com")
    assert not knows(history, shown, ANN, [JANE])
    history.note(shown, ANN, [JANE])
    assert not knows(history, shown, ANN, [JANE])
    now.seconds += DAY_SECONDS
    assert knows(history, shown, ANN, [JANE])
    assert knows(history, shown, parse_address("ann@example.com"), [JOE, parse_address("JANE@our.example")])
    assert not knows(history, shown, ANN, [JOE])
    assert not knows(history, shown, EVE, [JANE])


def test_it_must_be_shown_by_the_same(history, now):
    history.note(session(dkim=["example.com"]), ANN, [JANE])
    history.note(session("198.51.100.7"), EVE, [JANE])
    now.seconds += DAY_SECONDS
    assert knows(history, session(dkim=["x.test", "example.com"]), ANN, [JANE])
    assert knows(history, session(spf="example.com"), ANN, [JANE])
    assert not knows(history, session(spf="evil.test"), ANN, [JANE])
    assert not knows(history, session(), ANN, [JANE])
    # Where no domain shows it, the network does.
    assert knows(history, session("198.51.100.99"), EVE, [JANE])
    assert not knows(history, session("198.51.101.7"), EVE, [JANE])
    assert not knows(history, session("198.51.100.7", spf="evil.test"), EVE, [JANE])


def test_the_author_counts_as_the_sender_does(history, now):
    history.note(
        session(dkim=["list.test"], author="ann@example.com"), parse_address("b-17@list.test"), [JANE]
    )
    now.seconds += DAY_SECONDS
    later = session(dkim=["list.test"], author="ann@example.com")
    assert knows(history, later, parse_address("b-18@list.test"), [JANE])
    assert not knows(history, session(dkim=["list.test"], author="eve@example.com"), None, [JANE])
    assert not knows(history, session(dkim=["list.test"], author="no address"), None, [JANE])


def test_it_is_kept_and_can_be_read(history, path, now):
    history.note(session(spf="example.com"), ANN, [JANE])
    at_once(history.stop())
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT recipient, sender, shown_by FROM seen").fetchall() == [
            ("jane@our.example", "ann@example.com", "example.com")
        ]
    assert os.stat(path).st_mode & 0o077 == 0
    now.seconds += DAY_SECONDS
    again = SenderHistory(SendersFile(path), NoThreads(), now)
    assert knows(again, session(spf="example.com"), ANN, [JANE])


def test_what_comes_within_some_seconds_is_written_together(path, now):
    file, clock, writes = SendersFile(path), Clock(), []
    run = file.run
    file.run = lambda *arguments: writes.append(1) or run(*arguments)
    history = SenderHistory(file, NoThreads(), now, clock)
    for number in range(5):
        history.note(session(spf="example.com"), parse_address(f"u{number}@example.com"), [JANE])
    assert writes == []
    clock.advance(GATHER_SECONDS)
    assert len(writes) == 1
    history.note(session(spf="example.com"), EVE, [JANE])
    assert len(writes) == 1
    at_once(history.stop())
    assert len(writes) == 2
    assert clock.getDelayedCalls() == []
    history.note(session(spf="example.com"), ANN, [JANE])
    assert len(writes) == 3
    now.seconds += DAY_SECONDS
    assert all(knows(history, session(spf="example.com"), sender, [JANE]) for sender in (ANN, EVE))


def test_this_machine_shows_nothing_of_who_wrote(history, path):
    history.note(Session("s1", Peer("127.0.0.1", 1, "smtp")), ANN, [JANE])
    assert not os.path.exists(path)


def test_nothing_is_kept_where_nothing_is_wanted(history, path):
    history.keep_seconds = 0.0
    history.note(session(spf="example.com"), ANN, [JANE])
    assert not os.path.exists(path)


def test_a_file_that_cannot_be_written_or_read_hurts_nobody(tmp_path, now):
    (tmp_path / "file").write_text("no folder")
    history = SenderHistory(SendersFile(str(tmp_path / "file" / "senders")), NoThreads(), now)
    history.note(session(spf="example.com"), ANN, [JANE])
    assert not knows(history, session(spf="example.com"), ANN, [JANE])
    (tmp_path / "senders").write_bytes(b"this is no database" * 100)
    history = SenderHistory(SendersFile(str(tmp_path / "senders")), NoThreads(), now)
    history.note(session(spf="example.com"), ANN, [JANE])
    assert not knows(history, session(spf="example.com"), ANN, [JANE])


@pytest.mark.row(64)
def test_the_history_is_bounded(monkeypatch, history, path, now):
    monkeypatch.setattr("mailsys.judge.memory.history.MOST_ROWS", 50)
    monkeypatch.setattr("mailsys.judge.memory.history.PRUNE_AFTER", 10)
    for day in range(100):
        now.seconds += DAY_SECONDS
        for number in range(5):
            history.note(session(spf=f"d{day}.test"), parse_address(f"a{number}@d{day}.test"), [JANE])
    with sqlite3.connect(path) as connection:
        rows, oldest = connection.execute("SELECT COUNT(*), MIN(first) FROM seen").fetchone()
    assert rows <= 60
    assert oldest > now.seconds // DAY_SECONDS - 15


def test_what_is_old_is_forgotten(monkeypatch, history, now):
    monkeypatch.setattr("mailsys.judge.memory.history.PRUNE_AFTER", 1)
    history.note(session(spf="example.com"), ANN, [JANE])
    now.seconds += history.keep_seconds + 2 * DAY_SECONDS
    history.note(session(spf="example.com"), EVE, [JANE])
    assert not knows(history, session(spf="example.com"), ANN, [JANE])


# ---------------------------------------------------------------------- greylist


def waits(greylist, what="a", network="192.0.2.0/24"):
    return at_once(greylist.wait_seconds(network, what, 60.0))


def test_who_comes_again_in_time_opens_the_way_for_its_network(path, now):
    greylist = Greylist(SendersFile(path), NoThreads(), now)
    assert waits(greylist) == 60
    now.seconds += 20
    assert waits(greylist) == 40
    assert waits(greylist, "b") == 60
    now.seconds += 40
    assert waits(greylist) == 0
    assert waits(greylist, "b") == 0
    assert waits(greylist, "c", "198.51.100.0/24") == 60
    now.seconds += CAME_SECONDS - 10
    assert waits(greylist, "d") == 0
    now.seconds += CAME_SECONDS - 10
    assert waits(greylist, "e") == 0
    now.seconds += CAME_SECONDS
    assert waits(greylist, "f") == 60


def test_who_comes_much_too_late_is_new(path, now):
    greylist = Greylist(SendersFile(path), NoThreads(), now)
    assert waits(greylist) == 60
    now.seconds += 3 * DAY_SECONDS
    assert waits(greylist) == 60
    now.seconds -= 10 * DAY_SECONDS  # somebody has set the clock
    assert waits(greylist) == 60
    now.seconds += 60
    assert waits(greylist) == 0


@pytest.mark.row(64)
def test_the_greylist_is_bounded(path, now):
    greylist = Greylist(SendersFile(path), NoThreads(), now, most_asked=1000)
    for number in range(3000):
        now.seconds += 0.01
        assert waits(greylist, f"what{number}", f"10.{number // 256}.{number % 256}.0/24") == 60
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT COUNT(*) FROM asked_again").fetchone()[0] <= 1000 + PRUNE_AFTER
    now.seconds += 60
    assert waits(greylist, "what2999", "10.11.183.0/24") == 0
    assert waits(greylist, "what0", "10.0.0.0/24") == 60


def test_one_that_only_looks_makes_nothing(path, now):
    memory = SenderMemory(path, NoThreads(), now, only_looks=True)
    assert waits(memory.greylist) == 60
    assert not knows(memory.history, session(spf="example.com"), ANN, [JANE])
    assert not os.path.exists(os.path.dirname(path))
    other = SenderMemory(path, NoThreads(), now)
    waits(other.greylist)
    at_once(other.stop())
    now.seconds += 60
    assert waits(memory.greylist) == 0
    assert waits(memory.greylist, "b") == 60
