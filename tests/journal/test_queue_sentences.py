"""The story of a message in the queue, as it is told."""

from dataclasses import replace

import pytest

from mailsys.interfaces import Attempt, QueueAction
from mailsys.journal import queue_events as events
from mailsys.journal.phrases import secrecy_of
from mailsys.journal.sentences import sentences
from mailsys.message.address import Address
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Delivered, Step
from mailsys.message.reply import Reply

BOB, EVE = Address("bob", "far.test"), Address("eve", "home.test")
SALES = Address("sales", "ours.test")
TO_BOB = Envelope("m.1", None, (BOB,))
MX = "mx.far.test [192.0.2.1]:25"
LATER = Reply(451, "4.7.1", "come back later")


def told(event):
    (sentence,) = sentences(event.facts, lambda at: f"time {at:.0f}")
    return sentence


def test_it_waits():
    action = QueueAction(Envelope("m.1", None, (BOB, EVE)), 1.0, b"", 10)
    assert (
        told(events.queued("m.1", action, 1.0)) == "Waits in the queue for <bob@far.test>, <eve@home.test>."
    )
    held = told(events.queued("m.1", replace(action, held="over the limit", free=(EVE,)), 1.0))
    assert held == (
        "Held in the queue for <bob@far.test> until somebody releases it: over the limit."
        "  Waits in the queue for <eve@home.test>."
    )
    later = told(events.queued("m.1", replace(action, not_before=99.0), 1.0))
    assert later.endswith("<eve@home.test> until time 99, as its sender wants.")


def test_it_was_taken():
    attempt = Attempt(Delivered(MX), Step.MESSAGE, MX, "TLSv1.3 TLS_AES_256_GCM_SHA384", "250 thanks")
    sentence = told(events.sent("m.1", BOB, 2, attempt, 1.0))
    for words in ("bob@far.test", MX, "TLS 1.3", "250 thanks", "attempt 2"):
        assert words in sentence


def test_it_was_forwarded():
    """To whom, for whom, and under what name: what an operator needs when it comes back."""
    waits = told(
        events.queued("m.1", QueueAction(replace(TO_BOB, forwarded={BOB: SALES}), 1.0, b"", 10), 1.0)
    )
    assert waits == "Waits in the queue for <bob@far.test>, forwarded for <sales@ours.test>."
    sender = Address("SRS0=x=y=far.test=ann", "ours.test")
    attempt = Attempt(Delivered(MX), Step.MESSAGE, MX, forwarded_for=SALES, sent_as=sender)
    sentence = told(events.sent("m.1", BOB, 1, attempt, 1.0))
    assert sentence == (
        "Forwarded to <bob@far.test> for <sales@ours.test>, as from <SRS0=x=y=far.test=ann@ours.test>,"
        f" at {MX}."
    )


def test_it_was_put_off():
    attempt = Attempt(Deferred(LATER), Step.RCPT, MX, "", "451 4.7.1 come back later")
    sentence = told(events.put_off("m.1", BOB, 1, attempt, str(LATER), 901.0, 1.0))
    for words in ("Attempt 1", "bob@far.test", MX, "come back later", "time 901"):
        assert words in sentence


def test_a_doubt_is_told():
    attempt = Attempt(Deferred(LATER), Step.MESSAGE, MX, is_uncertain=True)
    sentence = told(events.put_off("m.1", BOB, 1, attempt, str(LATER), 901.0, 1.0))
    assert "may have taken it" in sentence


def test_it_failed_or_is_held():
    assert "Will not reach <bob@far.test>" in told(events.given_up("m.1", BOB, 9, None, "550 5.1.1 no", 1.0))
    assert "until somebody releases it" in told(events.held("m.1", BOB, "broke", 1.0))
    assert "remove" in told(events.ordered("m.1", BOB, "remove", 1.0))


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        ("TLSv1.3 TLS_AES_256_GCM_SHA384", "encrypted with TLS 1.3"),
        ("TLSv1.2 X, verified", "encrypted with TLS 1.2 (verified)"),
        (
            "TLSv1.3 X, not verified: the certificate has expired",
            "encrypted with TLS 1.3 (not verified: the certificate has expired)",
        ),
        ("none: the handshake failed: no cipher", "not encrypted (the handshake failed: no cipher)"),
    ],
)
def test_how_it_was_protected(tls, words):
    assert secrecy_of(tls) == words


def test_what_was_found_of_ours_is_told():
    attempt = Attempt(Deferred(LATER), Step.RCPT, MX, "", "550 5.7.26 no")
    found = ("The record is missing.  Publish: a b c", "And another.")
    for event in (
        events.given_up("m.1", BOB, 1, attempt, "550 5.7.26 no", 1.0, found),
        events.put_off("m.1", BOB, 1, attempt, "450 4.7.26 no", 9.0, 1.0, found),
    ):
        assert told(event).endswith("  Looked up then: The record is missing.  Publish: a b c And another.")
