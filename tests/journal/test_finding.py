"""Finding stories by what people have at hand on the telephone, in any combination."""

import sqlite3

import pytest
from journal_scenes import NOON, accepted, delivered, session

from mailsys.interfaces import Peer
from mailsys.journal import events
from mailsys.journal.database import JournalDatabase
from mailsys.journal.reader import JournalReader, TooOld
from mailsys.journal.wanted import Wanted
from mailsys.message import reply as replies
from mailsys.message.address import parse_address

ADA, EVE = parse_address("ada@example.org"), parse_address("eve@elsewhere.example")
HOUR = 3600


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "journal.sqlite3")


@pytest.fixture
def reader(path):
    from_six = session("4k2m9x7qc", peer=Peer("2001:db8::7", 1, "smtp"))
    database = JournalDatabase(path)
    database.write(
        [
            accepted("4k2m9x7qa.1", NOON, subject="Your invoice of May", message_id="<a@example.net>"),
            delivered("4k2m9x7qa.1", NOON),
            accepted("4k2m9x7qb.1", NOON + HOUR, to=[ADA], subject="Größe & CAFÉ: the Invoice"),
            accepted(
                "4k2m9x7qc.1", NOON + 2 * HOUR, sender=EVE, to=[ADA], of=from_six, subject="日本語の件名"
            ),
            events.login(session("4k2m9x7qd"), "ada@example.org", True, NOON),
            events.refused(
                "4k2m9x7qe.1", session(), "RCPT", replies.NO_SUCH_USER, NOON, recipient="x@our.example"
            ),
        ]
    )
    database.close()
    with JournalReader(path) as reader:
        yield reader


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(subject="invoice"), "ab"),
        (Wanted(subject="INVOICE may"), "a"),
        (Wanted(subject="may invoice nothing"), ""),
        (Wanted(subject="grosse cafe"), "b"),
        (Wanted(subject="GRÖSSE Cafe\u0301"), "b"),
        (Wanted(subject="voice"), "ab"),
        (Wanted(subject="日本"), "c"),
        (Wanted(subject="=?utf-8?q?caf=C3=A9?="), "b"),
        (Wanted("ada@example.org"), "bcd"),
        (Wanted("Ada Lovelace <Ada@Example.ORG>"), "bcd"),
        (Wanted('"Lovelace, Ada" <ada@example.org>'), "bcd"),
        (Wanted("ada@example.org", subject="invoice"), "b"),
        (Wanted("ada@example.org", subject="invoice", since=NOON + HOUR), "b"),
        (Wanted("ada@example.org", since=NOON + 2 * HOUR), "c"),
        (Wanted(since=NOON + 1, until=NOON + 2 * HOUR), "b"),
        (Wanted(until=NOON), ""),
        (Wanted("elsewhere.example"), "c"),
        (Wanted("@Elsewhere.Example."), "c"),
        (Wanted("sewhere.example"), ""),
        (Wanted("our.example"), "e"),
        (Wanted("example.org"), "abcd"),
        (Wanted(client="192.0.2.7"), "abde"),
        (Wanted(client="[192.0.2.7]"), "abde"),
        (Wanted(client="192.0.2.0/24", subject="invoice"), "ab"),
        (Wanted(client="2001:db8::/32"), "c"),
        (Wanted(client="2001:0db8:0:0:0:0:0:7"), "c"),
        (Wanted(client="198.51.100.1"), ""),
        (Wanted("<a@example.net>"), "a"),
        (Wanted("4k2m9x7qa", subject="cafe"), ""),
        (Wanted("%"), ""),
        (Wanted(subject="%"), ""),
        (Wanted(subject="' OR 1=1 --"), ""),
        (Wanted(subject="x " * 5000), ""),
        (Wanted("\ud800\x00<", "\ud800\x00", "", 0.0), ""),
    ],
    ids=str,
)
def test_it_finds(reader, wanted, found):
    assert [id_[8] for id_ in reader.find(wanted, 100)] == list(found)


def test_messages_and_connections_apart(reader):
    ada = Wanted("ada@example.org")
    assert reader.find(ada, 9, of_messages=True) == ["4k2m9x7qb.1", "4k2m9x7qc.1"]
    assert reader.find(ada, 9, of_messages=False) == ["4k2m9x7qd"]
    assert reader.find(Wanted("4k2m9x7qa.1"), 9, of_messages=False) == []


def test_what_is_no_network_is_told(reader):
    with pytest.raises(ValueError, match="elsewhere"):
        reader.find(Wanted(client="elsewhere"), 9)


def test_every_search_by_name_uses_an_index(reader):
    for wanted in (Wanted("ada@example.org"), Wanted("ada@example.org", subject="x"), Wanted("4k2m9")):
        (condition, values), *_ = reader._conditions(wanted)
        statement = f"EXPLAIN QUERY PLAN SELECT DISTINCT id FROM events WHERE {condition} ORDER BY id DESC"  # noqa: S608
        steps = [row[3] for row in reader._connection.execute(statement, values)]
        assert any(step.startswith("SEARCH") for step in steps)
        assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step]


def test_a_journal_of_an_older_version_can_still_be_asked_by_name(path, reader):
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE clues; DROP TABLE unindexed; PRAGMA user_version = 0")
    connection.close()
    assert [id_[8] for id_ in reader.find(Wanted("ada@example.org"), 9)] == list("bcd")
    assert not reader.is_indexed()
    for wanted in (Wanted(subject="invoice"), Wanted(client="192.0.2.7")):
        with pytest.raises(TooOld, match="once the server was started"):
            reader.find(wanted, 9)


@pytest.mark.row(54)
def test_order_and_finding_stay_sane_when_the_clock_was_set_back(path):
    """Row 54: ids go on rising, so the list keeps the order of arrival, and times find what they say."""
    database = JournalDatabase(path)
    database.write([accepted("4k2m9x7qa.1", NOON), accepted("4k2m9x7qb.1", NOON - 24 * HOUR)])
    database.close()
    with JournalReader(path) as reader:
        assert [id_[8] for id_ in reader.find(Wanted("ann@example.net"), 9)] == ["a", "b"]
        assert [id_[8] for id_ in reader.find(Wanted("ann@example.net", since=NOON - HOUR), 9)] == ["a"]
        assert [id_[8] for id_ in reader.find(Wanted("ann@example.net", until=NOON - HOUR), 9)] == ["b"]
