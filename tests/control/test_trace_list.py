"""``mailsys trace``: many stories, what is beside them, and colours."""

import io
import sys

import pytest
from test_trace import AT, BOB, host, journal, message, trace  # noqa: F401 - fixtures

from mailsys.control import main
from mailsys.control.colour import is_coloured, paint
from mailsys.interfaces import Peer, Session
from mailsys.journal import events
from mailsys.journal.printable import printable
from mailsys.message import reply as replies


def visit(number, **done):
    session = Session(f"4k2m9y0q{number}", Peer("198.51.100.9", 1, "pop3"), protocol="POP3", login=BOB)
    return events.mailbox_read(session, 1, 1, AT + 100 + number, **done)


def refusal(recipient):
    session = Session("4k2m9z0q1", Peer("192.0.2.7", 4, "smtp"), greeting="mail.example.net")
    return events.refused(
        "4k2m9z0q1.1",
        session,
        "RCPT",
        replies.NO_SUCH_USER,
        AT,
        sender="ann@example.net",
        recipient=recipient,
    )


def test_a_list_has_a_line_for_each_and_says_how_to_ask_for_one(journal, trace):  # noqa: F811
    for number in range(3):
        journal.write(message(number, subject=f"Lunch {number}"))
    status, out, err = trace("bob@example.org")
    assert status == 0
    day, *lines = out.splitlines()
    assert day.startswith("23 Nov 2026")
    assert [line.split()[1] for line in lines] == [f"4k2m9x7q{n}.1" for n in range(3)]
    assert lines[0].endswith('ann@example.net  -> bob@example.org  "Lunch 0"  delivered')
    assert err == "One of them whole: mailsys trace 4k2m9x7q2.1\n"


def test_subject_and_time_narrow_it_to_one(journal, trace):  # noqa: F811
    for number in range(3):
        journal.write(message(number, subject=f"Lunch {number}"))
    for words in (["ann@example.net", "--subject", "LUNCH 1"], ["lunch 1"], ["lunch", "1"]):
        _, out, err = trace(*words)
        assert out.startswith("Message 4k2m9x7q1.1, ")
        assert err == ""
    assert trace("--client", "192.0.2.0/24", "--until", "2026-11-22")[0] == 1
    assert trace("--client", "192.0.2.0/24", "--since", "2026-11-22")[1].count("4k2m9x7q") == 3


def test_one_connection_is_one(journal, trace):  # noqa: F811
    journal.write([*message(1), visit(1)])
    _, _, err = trace("bob@example.org")
    assert err == "Besides, 1 connection without a message: --connections shows it.\n"


def test_connections_do_not_push_out_the_mail(journal, trace):  # noqa: F811
    journal.write(message(1))
    journal.write([visit(number) for number in range(9)])
    _, out, err = trace("bob@example.org")
    assert out.startswith("Message 4k2m9x7q1.1, ")
    assert err == "Besides, 9 connections without a message: --connections shows them.\n"
    _, out, err = trace("bob@example.org", "--connections")
    assert out.count("1 fetched, 1 deleted") == 9
    assert trace("4k2m9y")[1].count("1 fetched, 1 deleted") == 9


def test_what_its_owner_did_with_a_copy(journal, trace):  # noqa: F811
    journal.write([*message(1), visit(1, fetched=["file1"], removed=["file1"]), visit(2, fetched=["other"])])
    lines = trace("4k2m9x7q1.1")[1].splitlines()
    assert lines[-2].startswith(
        "  Fetched and deleted over POP3 by bob@example.org from [198.51.100.9], 23 Nov"
    )
    assert lines[-1].startswith("  It is no longer in the mailbox")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("new/file1", "It lies in INBOX now, where no program has opened it yet."),
        ("cur/file1:2,", "It lies in INBOX now, not marked as read."),
        ("cur/file1:2,RS", "It lies in INBOX now, marked as read and answered."),
        (".Work.Plans/cur/file1:2,S", "It lies in Work/Plans now, marked as read."),
    ],
)
def test_where_a_copy_is_now(host, journal, trace, place, words):  # noqa: F811
    journal.write(message(1))
    root = host / "data" / "mail" / "example.org" / "bob"
    for folder in (root, root / ".Work.Plans", root / ".none"):
        for subdirectory in ("new", "cur", "tmp"):
            if folder.name != ".none":
                (folder / subdirectory).mkdir(parents=True, exist_ok=True)
    (root / ".none").mkdir()
    (root / place).write_bytes(b"x")
    assert trace("4k2m9x7q1.1")[1].splitlines()[-1] == f"  {words}"


def test_where_only_the_server_knows_nothing_is_said(host, journal, trace):  # noqa: F811
    with (host / "mailsys.toml").open("a") as file:
        file.write('[store]\nkind = "memory"\n')
    journal.write(message(1))
    assert trace("4k2m9x7q1.1")[1].splitlines()[-1].endswith("Delivered to bob@example.org, folder INBOX.")


def test_who_may_have_been_meant(host, journal, trace):  # noqa: F811
    for words in (
        ["domain", "add", "example.org"],
        ["alias", "add", "bob@example.org", "bob@elsewhere.example"],
    ):
        assert main(["--config", str(host / "mailsys.toml"), *words]) == 0
    journal.write([refusal("bop@example.org")])
    _, out, _ = trace("bop@example.org")
    assert out.endswith("  There is no bop@example.org.  Is bob@example.org meant?\n")
    assert "Is bob@example.org meant?" in trace("bobb@example.org")[2]


def test_whole_tells_each(journal, trace):  # noqa: F811
    for number in range(2):
        journal.write(message(number))
    assert trace("bob@example.org", "--whole")[1].count("Handed in by") == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Say what to look for: an id, an address, a Message-ID, --subject, --client or --since."),
        (["--client", "elsewhere"], "'elsewhere' is no IP address and no network: write 192.0.2.7 or"),
        (["--since", "soon"], '"soon" is no time: write "yesterday", "2h", "09:30", "2026-11-24" or'),
    ],
)
def test_what_it_cannot_do_says_what_would_be_right(journal, trace, words, sentence):  # noqa: F811
    journal.write(message(1))
    status, out, err = trace(*words)
    assert (status, out) == (1, "")
    assert err.startswith(f"mailsys: {sentence}")
    assert err.count("\n") == 1


@pytest.mark.row(63)
def test_a_list_of_hostile_stories_does_no_harm_to_a_terminal(journal, trace):  # noqa: F811
    """Row 63: no control character of a stranger reaches a terminal, and each story keeps to its line."""
    evil = "\x1b[2J\r\nforged\u202e\x9b"
    for number in range(3):
        journal.write(message(number, subject=evil))
    journal.write([refusal(evil)])
    for words in (["4k2m9"], ["4k2m9", "--whole"], ["4k2m9", "--connections"], [evil]):
        _, out, err = trace(*words)
        assert all(printable(line) == line for line in (out + err).split("\n"))
    assert len(trace("4k2m9")[1].splitlines()) == 5


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colours_are_for_terminals_and_for_who_wants_them(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert is_coloured(Terminal())
    assert not is_coloured(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not is_coloured(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not is_coloured(Terminal())
    assert not is_coloured() or sys.stdout.isatty()


def test_colours_change_no_word():
    story = "Message x\n  12:04:05  Refused it.\n  1 Dec 2026 12:04:05  Delivered to x.\n  12:04:05  Other."
    painted = paint(story)
    assert painted.count("\x1b[31m") == painted.count("\x1b[32m") == painted.count("\x1b[1m") == 1
    for code in ("[1m", "[31m", "[32m", "[2m", "[0m"):
        painted = painted.replace(f"\x1b{code}", "")
    assert painted == story
