import sqlite3

import pytest
from journal_scenes import ANN, BOB_X, NOON, accepted, delivered, message, session

from mailsys.journal import events
from mailsys.journal.database import JournalDatabase
from mailsys.journal.ids import SessionIds
from mailsys.journal.reader import JournalReader, newest_session
from mailsys.journal.wanted import Wanted
from mailsys.message import reply as replies
from mailsys.message.address import parse_address

MUELLER = parse_address("müller@bücher.example")


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "the journal?#.sqlite3")


@pytest.fixture
def database(path):
    database = JournalDatabase(path)
    database.write(
        [
            *message("4k2m9x7qa.1"),
            accepted("4k2m9x7qa.10", message_id="<ten@example.net>"),
            accepted("4k2m9x7qb.1", sender=MUELLER, to=[BOB_X], message_id="<Dinner@Example.NET>"),
            delivered("4k2m9x7qb.1", recipient=BOB_X),
            events.login(session("4k2m9x7qc"), "eve@example.org", False, NOON + 9),
            events.refused(
                "4k2m9x7qc.1", session(), "RCPT", replies.NO_SUCH_USER, NOON, recipient="rob@example.org"
            ),
        ]
    )
    yield database
    database.close()


@pytest.fixture
def reader(database, path):
    with JournalReader(path) as reader:
        yield reader


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("4k2m9x7qa.1", ["4k2m9x7qa.1"]),
        ("4K2M9X7QA.L", ["4k2m9x7qa.1"]),
        ("4k2m9x7qa", ["4k2m9x7qa.1", "4k2m9x7qa.10"]),
        ("4k2m9x7qc", ["4k2m9x7qc", "4k2m9x7qc.1"]),
        ("4k2m9", ["4k2m9x7qa.1", "4k2m9x7qa.10", "4k2m9x7qb.1", "4k2m9x7qc", "4k2m9x7qc.1"]),
        ("4k2", []),
        ("<lunch@example.net>", ["4k2m9x7qa.1"]),
        ("dinner@example.net", ["4k2m9x7qb.1"]),
        ("bob@example.org", ["4k2m9x7qa.1", "4k2m9x7qa.10", "4k2m9x7qb.1"]),
        ("BOB+X@EXAMPLE.ORG", ["4k2m9x7qb.1"]),
        ("müller@bücher.example", ["4k2m9x7qb.1"]),
        ("MÜLLER@xn--bcher-kva.example", ["4k2m9x7qb.1"]),
        ("eve@example.org", ["4k2m9x7qc"]),
        ("rob@example.org", ["4k2m9x7qc.1"]),
        ("nobody@example.org", []),
        ("%", []),
        ("' OR 1=1 --", []),
        ("\ud800\x00", []),
    ],
)
def test_what_people_have_at_hand_finds_the_story(reader, wanted, found):
    assert reader.find(Wanted(wanted), 100) == found


def test_of_many_the_newest_are_found(reader):
    assert reader.find(Wanted("bob@example.org"), 2) == ["4k2m9x7qa.10", "4k2m9x7qb.1"]


def test_events_come_in_order_with_their_facts(reader):
    told = reader.events("4k2m9x7qa.1")
    assert sorted(event.facts["event"] for event in told) == ["delivered", "received"]
    assert reader.events("4k2m9x7qa.2") == []


def test_it_sees_what_is_written_meanwhile_and_writes_nothing(reader, database, path):
    database.write(message("4k2m9x7qz.1"))
    assert reader.find(Wanted("4k2m9x7qz.1"), 1) == ["4k2m9x7qz.1"]
    with pytest.raises(sqlite3.OperationalError):
        reader._connection.execute("DELETE FROM events")


def test_ids_go_on_after_the_newest_of_the_journal(database, path):
    start = newest_session(path)
    assert start == "4k2m9x7qc"
    assert SessionIds(lambda: 0.0, start).next() > start


def test_without_a_readable_journal_ids_start_from_the_clock(path, tmp_path):
    assert newest_session(path) == ""
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"no database" * 100)
    assert newest_session(str(damaged)) == ""
    empty = tmp_path / "empty"
    JournalDatabase(str(empty)).write([])
    assert newest_session(str(empty)) == ""


def test_the_sender_may_be_found_under_an_alias_of_case(reader):
    assert reader.find(Wanted(str(ANN).upper()), 9) == ["4k2m9x7qa.1", "4k2m9x7qa.10"]
