"""``mailsys trace`` as a person types it."""

import json

import pytest

from mailsys.control import main
from mailsys.interfaces import MailboxAction, Peer, Session
from mailsys.journal import FILE_NAME, events
from mailsys.journal.database import JournalDatabase
from mailsys.message import reply as replies
from mailsys.message.address import parse_address
from mailsys.message.envelope import Envelope

AT = 1_795_435_445.0
ANN, BOB = parse_address("ann@example.net"), parse_address("bob@example.org")


def message(number, subject="Lunch"):
    id_ = f"4k2m9x7q{number}.1"
    facts = events.reception(
        Session(id_[:9], Peer("192.0.2.7", 4, "smtp")),
        via={},
        checked=[],
        judgement="accept",
        reply=replies.OK,
        message_id=f"<{number}@example.net>",
        subject=subject,
    )
    copy = MailboxAction(BOB, BOB, "INBOX", f"file{number}", b"")
    return [
        events.received(Envelope(id_, ANN, (BOB,)), 10_240, facts, AT + number),
        events.delivered(id_, copy, AT + number),
    ]


@pytest.fixture
def host(tmp_path):
    (tmp_path / "mailsys.toml").write_text('hostname = "mail.example.org"\ndata = "data"\n')
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def journal(host):
    database = JournalDatabase(str(host / "data" / FILE_NAME))
    yield database
    database.close()


@pytest.fixture
def trace(host, capsys):
    def trace(*arguments):
        status = main(["--config", str(host / "mailsys.toml"), "trace", *arguments])
        return status, *capsys.readouterr()

    return trace


def test_one_message(journal, trace):
    journal.write(message(1))
    status, out, err = trace("4k2m9x7q1.1")
    assert (status, err) == (0, "")
    assert out.startswith("Message 4k2m9x7q1.1, 10 kB, 2")
    assert "Delivered to bob@example.org, folder INBOX.\n" in out
    assert out.endswith(
        "  It is no longer in the mailbox: it was deleted, or moved away by another program.\n"
    )


def test_several_are_told_with_the_newest_last(journal, trace):
    for number in range(3):
        journal.write(message(number))
    _, out, _ = trace("bob@example.org", "--whole")
    paragraphs = out.split("\n\n")
    assert [text.split(",")[0] for text in paragraphs] == [f"Message 4k2m9x7q{n}.1" for n in range(3)]


def test_a_limit_says_that_there_are_more(journal, trace):
    for number in range(3):
        journal.write(message(number))
    _, out, err = trace("bob@example.org", "--limit", "2")
    assert out.count("4k2m9x7q") == 2
    assert "4k2m9x7q2.1" in out
    assert "--limit 10 shows more" in err
    assert trace("bob@example.org", "--limit", "3")[2].count("\n") == 1


def test_json_has_the_events_themselves(journal, trace):
    journal.write(message(1))
    _, out, _ = trace("<1@example.net>", "--json")
    (story,) = json.loads(out)
    assert story["id"] == "4k2m9x7q1.1"
    assert {event["event"] for event in story["events"]} == {"received", "delivered"}
    assert story["events"][0]["time"] == "2026-11-23T12:04:06.000+00:00"


@pytest.mark.row(63)
def test_what_strangers_wrote_does_no_harm_to_a_terminal(journal, trace):
    """Row 63: ESC, line ends and marks of direction are escaped, and the JSON stays valid."""
    journal.write(message(1, subject="\x1b[2J\r\nMessage forged\u202e"))
    _, out, _ = trace("ann@example.net")
    assert r'Subject "\x1b[2J\r\nMessage forged\u202e"' in out
    assert "\x1b" not in out
    _, out, _ = trace("ann@example.net", "--json")
    assert out.isascii()
    assert json.loads(out)


def test_nothing_found_says_what_was_sought_and_what_to_ask_instead(journal, trace):
    journal.write(message(1))
    status, out, err = trace("eve@example.org\x1b")
    assert (status, out) == (1, "")
    assert err.startswith(
        'mailsys: The journal knows nothing of "eve@example.org\\x1b". It reaches back to 23 Nov'
    )
    assert "Ask instead by the domain alone (example.org\\x1b), the other side's address or" in err
    status, out, _ = trace("eve@example.org", "--json")
    assert (status, json.loads(out)) == (1, [])


def test_before_the_first_start_it_says_so(trace):
    status, out, err = trace("bob@example.org")
    assert (status, out) == (1, "")
    assert "There is no journal yet" in err


def test_a_damaged_journal_is_one_sentence(host, trace):
    (host / "data" / FILE_NAME).write_bytes(b"no database" * 100)
    status, _, err = trace("bob@example.org")
    assert status == 1
    assert "cannot be read" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_a_wrong_limit_is_wrong_usage(trace, number):
    with pytest.raises(SystemExit) as ended:
        trace("x", "--limit", number)
    assert ended.value.code == 2
