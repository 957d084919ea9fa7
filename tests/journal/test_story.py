from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_scenes import BOB, BOB_X, NOON, SALES, accepted, delivered, message, session

from mailsys.interfaces import JournalEvent, Peer
from mailsys.journal import events
from mailsys.journal.phrases import paths, size_in_words
from mailsys.journal.printable import printable
from mailsys.journal.story import tell
from mailsys.message import reply as replies
from mailsys.message.address import parse_address

ID = "4k2m9x7qa.1"


def refused(command, reply, at=NOON, id_=ID, of=None, **more):
    return events.refused(id_, of or session(), command, reply, at, **more)


def told(*events_):
    return tell(events_, UTC).splitlines()


def test_a_message_that_went_well():
    assert told(*message()) == [
        "Message 4k2m9x7qa.1, 10 kB, 23 Nov 2026 12:04:05 UTC",
        "  12:04:05  Handed in by mail.example.net [192.0.2.7], encrypted with TLS 1.3 (ESMTPS).",
        '  12:04:05  From <ann@example.net> to <bob@example.org>. Subject "Lunch".'
        " Message-ID <lunch@example.net>",
        "  12:04:05  Checked: one From mailbox; 2 hops.",
        '  12:04:05  Accepted; the client was told "250 2.0.0 OK".',
        "  12:04:05  Delivered to bob@example.org, folder INBOX.",
    ]


def test_every_copy_and_the_way_to_it():
    story = told(
        refused(
            "RCPT", replies.NO_SUCH_USER, NOON - 1, sender="ann@example.net", recipient="rob@example.org"
        ),
        accepted(
            to=(BOB_X, SALES),
            via={
                BOB_X: ["bob+x@example.org is bob@example.org with a tag"],
                SALES: ["sales@example.org is an alias of jim@example.org"],
            },
        ),
        delivered(recipient=SALES, account=parse_address("jim@example.org"), folder="Junk"),
        delivered(recipient=BOB_X),
    )
    assert story[2:5] == [
        "  12:04:04  Refused the recipient <rob@example.org> of mail from <ann@example.net>;"
        ' the client was told "550 5.1.1 No such user here": there is no such address here;'
        " their server does not try again, and tells the sender.",
        "  12:04:05  From <ann@example.net> to <bob+x@example.org>, <sales@example.org>."
        ' Subject "Lunch". Message-ID <lunch@example.net>',
        "  12:04:05  bob+x@example.org is bob@example.org with a tag.",
    ]
    assert story[-2:] == [
        "  12:04:05  Delivered to jim@example.org, folder Junk, for <sales@example.org>.",
        "  12:04:05  Delivered to bob@example.org, folder INBOX, for <bob+x@example.org>.",
    ]


def test_a_users_own_message_says_who_was_logged_in():
    ours = session(protocol="ESMTPSA", login=BOB, peer=Peer("2001:db8::7", 1, "submission"), greeting="phone")
    assert told(accepted(of=ours))[1] == (
        "  12:04:05  Handed in by phone [2001:db8::7], encrypted with TLS 1.3 (ESMTPSA),"
        " logged in as bob@example.org."
    )


def test_a_notice_over_a_local_socket_without_anything():
    plain = session(protocol="LMTP", tls="", greeting="", peer=Peer("", 0, "lmtp"))
    story = told(accepted(of=plain, sender=None, subject="", message_id="", judgement="junk", size=1))
    assert story[0].startswith("Message 4k2m9x7qa.1, 1 byte, ")
    assert story[1] == "  12:04:05  Handed in by a local socket (LMTP)."
    assert story[2] == "  12:04:05  From <> to <bob@example.org>."
    assert "Accepted as junk;" in story[4]


def test_a_message_whose_copies_are_not_told_yet():
    assert told(accepted())[-1] == "  12:04:05  What became of its copies is not written yet."


def test_a_message_whose_arrival_is_forgotten_was_not_refused():
    assert told(delivered())[0] == "Message 4k2m9x7qa.1, 23 Nov 2026 12:04:05 UTC"


def test_attempts_over_days_carry_their_date():
    story = told(
        accepted(),
        events.deferred(ID, BOB, 1, "452 4.2.2 Mailbox is full", NOON + 60),
        events.failed(ID, BOB, "550 5.1.1 No such user here", NOON + 2 * 86_400),
    )
    assert story[-2:] == [
        '  12:05:05  Attempt 1 for <bob@example.org> failed for now: "452 4.2.2 Mailbox is full"'
        " (the mailbox is full).",
        '  25 Nov 2026 12:04:05  Will not reach <bob@example.org>: "550 5.1.1 No such user here"'
        " (there is no such address here).",
    ]


@pytest.mark.parametrize(
    ("event", "heading", "sentence"),
    [
        (
            refused("CONNECT", replies.SHUTTING_DOWN, id_="4k2m9x7qa"),
            "SMTP connection 4k2m9x7qa, 23 Nov 2026 12:04:05 UTC",
            'Refused the connection; the client was told "421 4.3.2 This host is shutting down"'
            ": this host was busy, or about to stop.",
        ),
        (
            refused("MAIL", replies.BAD_SENDER, sender="a@@b", reasons=["two @"]),
            "Message 4k2m9x7qa.1, not accepted, 23 Nov 2026 12:04:05 UTC",
            'Refused the sender <a@@b> (two @); the client was told "501 5.1.7 Sender address is not valid"'
            ": the sender's address is written wrongly;"
            " their server does not try again, and tells the sender.",
        ),
        (
            refused("SESSION", replies.TOO_MANY_ERRORS, id_="4k2m9x7qa"),
            "SMTP connection 4k2m9x7qa, 23 Nov 2026 12:04:05 UTC",
            'Ended by us; the client was told "421 4.7.0 Too many errors".',
        ),
        (
            refused("DATA", replies.TOO_BIG, sender=""),
            "Message 4k2m9x7qa.1, not accepted, 23 Nov 2026 12:04:05 UTC",
            "Refused the message from <>; the client was told "
            '"552 5.3.4 Message is larger than this host accepts": the message is too large; '
            "their server does not try again, and tells the sender.",
        ),
        (
            refused("STARTTLS", replies.NOT_IMPLEMENTED, id_="4k2m9x7qa"),
            "SMTP connection 4k2m9x7qa, 23 Nov 2026 12:04:05 UTC",
            'Refused STARTTLS; the client was told "502 5.5.1 Command not implemented"'
            ": the client spoke out of turn.",
        ),
        (
            events.login(session(peer=Peer("192.0.2.7", 1, "pop3")), "bob", False, NOON),
            "POP3 connection 4k2m9x7qa, 23 Nov 2026 12:04:05 UTC",
            'Could not log in as "bob".',
        ),
        (
            events.login(session(peer=Peer("192.0.2.7", 1, "pop3"), login=BOB), "bob", True, NOON),
            "POP3 connection 4k2m9x7qa, 23 Nov 2026 12:04:05 UTC",
            'Logged in as "bob".',
        ),
        (
            events.mailbox_read(session(peer=Peer("192.0.2.7", 1, "pop3"), login=BOB), 3, 1, NOON),
            "POP3 connection 4k2m9x7qa, 23 Nov 2026 12:04:05 UTC",
            "Ended; 3 fetched, 1 deleted.",
        ),
    ],
)
def test_what_else_happens_to_connections(event, heading, sentence):
    story = told(event)
    assert story[0] == heading
    assert story[1].startswith("  12:04:05  Came from mail.example.net [192.0.2.7]")
    assert story[2:] == [f"  12:04:05  {sentence}"]


def test_times_are_those_of_the_reader():
    assert "13:04:05" in tell(message(), timezone(timedelta(hours=1))).splitlines()[0]


def test_an_event_of_a_later_version_is_told_as_it_is():
    story = told(*message(), JournalEvent(ID, "signed", NOON + 1, {"event": "signed", "selector": "s1"}))
    assert story[-1] == "  12:04:06  signed: selector s1."


def test_sizes_are_told_as_people_say_them():
    sizes = [0, 1, 999, 1000, 10_240, 999_499, 999_500, 1_440_000, 52_428_800, 999_600_000]
    assert [size_in_words({"size": size}) for size in sizes] == [
        "0 bytes",
        "1 byte",
        "999 bytes",
        "1 kB",
        "10 kB",
        "999 kB",
        "1.0 MB",
        "1.4 MB",
        "52.4 MB",
        "1.0 GB",
    ]
    assert size_in_words({}) == size_in_words({"size": "x"}) == size_in_words({"size": -1}) == ""


def test_a_thousand_recipients_stay_readable():
    assert paths([f"{n}@example.org" for n in range(1000)]).endswith("<9@example.org> and 990 more")
    crowd = [parse_address(f"u{n}@example.org") for n in range(100)]
    story = told(accepted(to=crowd, via={one: ["a way"] for one in crowd}))
    assert len(story) < 20
    assert "  12:04:05  90 more recipients are aliases or have tags." in story


OTHERS = (
    refused("DATA", replies.TOO_BIG, sender="", recipient="", reasons=["why"]),
    events.login(session(login=BOB), "bob", True, NOON),
    events.mailbox_read(session(), 3, 1, NOON),
    events.folders_used(session(), 3, 1, 1, NOON),
    events.deferred(ID, BOB, 1, "452 4.2.2 Mailbox is full", NOON),
)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
kinds = st.sampled_from(
    ["received", "refused", "delivered", "deferred", "failed", "login", "mailbox read", "folders used", "?"]
)
names = st.sampled_from(sorted({fact for event in (*message(), *OTHERS) for fact in event.facts}))


@pytest.mark.row(63)
@given(st.lists(st.tuples(kinds, st.dictionaries(names, plain_values)), min_size=1, max_size=4), st.text())
def test_whatever_the_facts_are_each_line_is_harmless(stories, id_):
    """Row 63: nothing in a journal breaks, forges or colours a line of the story, or stops it."""
    made = [JournalEvent(id_, "key", NOON, {**facts, "event": kind}) for kind, facts in stories]
    heading, *lines = tell(made, UTC).split("\n")
    assert heading.endswith(", 23 Nov 2026 12:04:05 UTC")
    assert all(line.startswith("  12:04:05  ") for line in lines)
    assert all(printable(line) == line for line in (heading, *lines))
