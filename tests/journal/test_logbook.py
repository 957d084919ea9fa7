import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_scenes import BOB, BOB_X, NOON, SALES, accepted, delivered, message, session
from twisted.logger import LogLevel, formatEvent, textFileLogObserver

from mailsys.interfaces import JournalEvent, Peer
from mailsys.journal import events
from mailsys.journal.logbook import Logbook
from mailsys.journal.printable import printable
from mailsys.message import reply as replies
from mailsys.message.address import parse_address


def lines(told):
    seen = []
    Logbook(seen.append).tell(told)
    return [formatEvent(event) for event in seen]


def test_a_message_and_its_copies_are_one_line():
    told = [
        accepted(to=(BOB_X, SALES)),
        delivered(recipient=BOB_X),
        delivered(recipient=SALES, account=parse_address("jim@example.org"), folder="Junk"),
    ]
    assert lines(told) == [
        "4k2m9x7qa.1 accepted 10 kB from <ann@example.net> to <bob+x@example.org>, <sales@example.org>; "
        "client mail.example.net [192.0.2.7] over TLSv1.3; "
        "delivered to bob@example.org, INBOX; delivered to jim@example.org, Junk"
    ]


def test_messages_that_come_together_do_not_mix():
    first, second = message("4k2m9x7qa.1"), message("4k2m9x7qb.1")
    told = lines([first[0], second[0], first[1], second[1]])
    assert [line.split()[0] for line in told] == ["4k2m9x7qa.1", "4k2m9x7qb.1"]
    assert all(line.count("delivered") == 1 for line in told)


def test_a_copy_that_comes_later_has_a_line_of_its_own():
    assert lines([delivered()]) == ["4k2m9x7qa.1 delivered to bob@example.org, INBOX"]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            events.refused(
                "4k2m9x7qa.1",
                session(),
                "RCPT",
                replies.NO_SUCH_USER,
                NOON,
                sender="ann@example.net",
                recipient="rob@example.org",
            ),
            "4k2m9x7qa.1 refused RCPT from <ann@example.net> to <rob@example.org>: "
            "550 5.1.1 No such user here; client mail.example.net [192.0.2.7] over TLSv1.3",
        ),
        (
            events.refused("4k2m9x7qa", session(tls=""), "SESSION", replies.TOO_MANY_ERRORS, NOON),
            "4k2m9x7qa ended by us: 421 4.7.0 Too many errors; client mail.example.net [192.0.2.7]",
        ),
        (
            events.login(session(greeting="", tls=""), "bob@example.org", False, NOON),
            "4k2m9x7qa login failed as bob@example.org; client [192.0.2.7]",
        ),
        (
            events.mailbox_read(
                session(peer=Peer("", 0, "pop3"), login=BOB, greeting="", tls=""), 3, 1, NOON
            ),
            "4k2m9x7qa bob@example.org fetched 3, deleted 1; client a local socket",
        ),
        (
            events.deferred("4k2m9x7qa.1", BOB, 1, "452 4.2.2 Mailbox is full", NOON),
            "4k2m9x7qa.1 deferred for <bob@example.org>: 452 4.2.2 Mailbox is full",
        ),
        (
            events.failed("4k2m9x7qa.1", BOB, "550 5.1.1 No such user here", NOON),
            "4k2m9x7qa.1 failed for <bob@example.org>: 550 5.1.1 No such user here",
        ),
    ],
)
def test_what_a_running_server_shows(event, line):
    assert lines([event]) == [line]


def test_lines_carry_the_time_of_the_event():
    seen = []
    Logbook(seen.append).tell(message())
    assert [(event["log_time"], event["log_level"]) for event in seen] == [(NOON, LogLevel.info)]


def test_an_event_that_cannot_be_told_does_not_hide_the_others():
    seen = []
    Logbook(seen.append).tell([JournalEvent("x", "x", NOON, None), *message()])
    assert len(seen) == 2
    assert seen[0]["log_level"] is LogLevel.critical
    assert "accepted" in formatEvent(seen[1])


hostile = st.text(alphabet=st.characters() | st.sampled_from("\r\n\x1b\u202e\u2028{}%"), max_size=40)


@pytest.mark.row(63)
@given(greeting=hostile, name=hostile, subject=hostile, folder=hostile, recipient=hostile)
def test_one_event_is_one_line_whatever_strangers_say(greeting, name, subject, folder, recipient):
    """Row 63: HELO, user, subject and mailbox cannot forge or break a line of the log."""
    told = [
        accepted("a.1", of=session(greeting=greeting), subject=subject),
        delivered("b.1", folder=folder),
        events.login(session("c", greeting=greeting), name, False, NOON),
        events.refused(
            "d.1", session(), "RCPT", replies.NO_SUCH_USER, NOON, sender=name, recipient=recipient
        ),
    ]
    written = io.StringIO()
    Logbook(textFileLogObserver(written)).tell(told)
    text = written.getvalue()
    assert len(text.splitlines()) == len(told)
    assert all(printable(character) == character for character in text if character != "\n")
