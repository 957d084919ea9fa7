"""One line on a story, its order, and times that no clock would show."""

import math
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_scenes import ANN, BOB, BOB_X, NOON, SALES, accepted, delivered, message, session
from test_story import OTHERS, kinds, names, plain_values, refused

from mailsys.interfaces import Attempt, JournalEvent, QueueAction
from mailsys.journal import events, queue_events
from mailsys.journal.meaning import meaning_of
from mailsys.journal.moments import moment_of
from mailsys.journal.story import in_order, tell
from mailsys.journal.summary import summarise
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Delivered, Step

ID = "4k2m9x7qa.1"
EVE = Address("eve", "far.example")


def outcome(*events_):
    return summarise(events_).outcome


def test_what_became_of_a_message():
    assert outcome(*message()) == "delivered"
    assert outcome(accepted()) == "waiting"
    assert outcome(accepted(judgement="junk"), delivered()) == "delivered as junk"
    both = accepted(to=(BOB_X, SALES))
    assert outcome(both, delivered(recipient=BOB_X)) == "1 delivered, 1 waiting"
    broken = events.failed(ID, SALES, "550 5.1.1 No", NOON + 2)
    assert outcome(both, delivered(recipient=BOB_X), broken) == "1 delivered, 1 failed"
    late = events.deferred(ID, BOB, 1, "452 4.2.2 Mailbox is full", NOON + 1)
    assert outcome(accepted(), late) == "waiting"
    assert outcome(accepted(), late, delivered(at=NOON + 9)) == "delivered"


def test_what_became_of_a_message_that_is_forwarded():
    """Who stands behind an alias is waited for, and not the alias."""
    to = Envelope(ID, None, (ANN, EVE), forwarded={ANN: SALES, EVE: SALES})
    story = [
        accepted(to=(BOB, SALES)),
        delivered(),
        queue_events.queued(ID, QueueAction(to, NOON, b"", 1), NOON),
    ]
    assert outcome(*story) == "1 delivered, 2 waiting"
    assert summarise(story).recipients == "bob@example.org +1"
    gone = Attempt(Delivered("mx"), Step.MESSAGE, "mx", forwarded_for=SALES, sent_as=BOB)
    story += [queue_events.sent(ID, one, 1, gone, NOON + 1) for one in (ANN, EVE)]
    assert outcome(*story) == "delivered"


def test_what_became_of_what_was_no_message():
    assert outcome(refused("RCPT", replies.NO_SUCH_USER)) == "refused: 550 5.1.1 No such user here"
    assert outcome(refused("DATA", "")) == "broke off"
    assert outcome(refused("SESSION", replies.TOO_MANY_ERRORS)) == "ended by us: 421 4.7.0 Too many errors"
    assert outcome(events.login(session(), "bob", False, NOON)) == 'login failed as "bob"'
    assert outcome(events.mailbox_read(session(), 3, 1, NOON)) == "3 fetched, 1 deleted"
    assert outcome(JournalEvent(ID, "signed", NOON, {"event": "signed"})) == "signed"


def test_who_and_what():
    summary = summarise(
        [*message(), refused("RCPT", replies.NO_SUCH_USER, NOON - 1, recipient="x@example.org")]
    )
    assert (summary.sender, summary.recipients, summary.subject) == (
        "ann@example.net",
        "bob@example.org",
        "Lunch",
    )
    assert summary.at == NOON - 1
    assert summarise([accepted(to=(BOB, SALES, BOB_X))]).recipients == "bob@example.org +2"
    assert summarise([accepted(sender=None)]).sender == "a notice"
    assert summarise([refused("CONNECT", replies.BUSY)]).sender == "[192.0.2.7]"


@given(st.lists(st.tuples(kinds, st.dictionaries(names, plain_values)), min_size=1, max_size=4))
def test_whatever_the_facts_are_there_is_a_summary(stories):
    made = [JournalEvent(ID, "key", NOON, {**facts, "event": kind}) for kind, facts in stories]
    assert summarise(made).id == ID


@pytest.mark.row(54)
def test_a_story_keeps_its_order_when_the_clock_was_set_back_within_it():
    """Row 54: what can only come later stands later; the times are those that were written."""
    told = tell([delivered(at=NOON - 86_400), accepted(at=NOON)], UTC).splitlines()
    assert "Handed in by" in told[1]
    assert told[-1] == "  22 Nov 2026 12:04:05  Delivered to bob@example.org, folder INBOX."
    assert in_order([delivered(at=NOON - 9), accepted(at=NOON)])[0].facts["event"] == "received"


@pytest.mark.row(54)
@pytest.mark.parametrize(
    "at", [0.0, -1.0, 2.0**31, 2.0**32, 253_402_300_799.0, 1e30, -1e30, math.inf, math.nan]
)
def test_any_number_is_a_time(at):
    """Row 54: the year 2038, and what no calendar has."""
    told = tell([JournalEvent(ID, "received", at, accepted().facts)], UTC)
    assert told.startswith("Message 4k2m9x7qa.1, 10 kB, ")
    assert moment_of(at).year <= 9999
    assert summarise([JournalEvent(ID, "x", at, {})])


def test_a_count_is_told_in_the_story_of_the_last_that_was_kept():
    first = refused("RCPT", replies.NO_SUCH_USER, sender="a@b.example", recipient="x@example.org")
    facts = {"event": "repeated", "peer": "192.0.2.7", "count": 4312, "until": NOON + 60}
    told = tell([first, JournalEvent(ID, "repeated", NOON, facts)], UTC).splitlines()
    assert told[0].startswith("Message 4k2m9x7qa.1, not accepted")
    assert told[-1] == (
        "  12:04:05  And 4,312 more like this within the hour from [192.0.2.7], the last at 12:05:05."
    )
    assert outcome(first, JournalEvent(ID, "repeated", NOON, facts)).endswith("No such user here (+4312)")


@pytest.mark.parametrize(
    ("reply", "command", "meaning"),
    [
        (
            "452 4.2.2 Mailbox is full",
            "RCPT",
            "the mailbox is full; their server keeps the message and tries again",
        ),
        ("550 5.1.1 No such user here", "", "there is no such address here"),
        ("250 2.0.0 OK", "DATA", ""),
        ("421 4.7.0 Too many errors", "SESSION", ""),
        ("550 no enhanced code", "MAIL", "their server does not try again"),
        ("-ERR no", "SESSION", ""),
        ("", "DATA", ""),
        ("5", "DATA", ""),
    ],
)
def test_what_a_reply_means(reply, command, meaning):
    assert meaning_of(reply, command).startswith(meaning)
    assert bool(meaning_of(reply, command)) == bool(meaning)


def test_every_reply_of_ours_about_mail_has_a_meaning():
    for name, reply in vars(replies).items():
        if isinstance(reply, replies.Reply) and not reply.is_positive:
            assert meaning_of(str(reply), "RCPT"), name


def test_the_scenes_are_all_kinds():
    assert {event.facts["event"] for event in (*message(), *OTHERS)} >= {"refused", "login", "mailbox read"}
