"""Bounces, delay and success notices, as programs and people read them (RFC 3461 to 3464, 6522)."""

import re
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from notice_parts import (
    ALL,
    ANN,
    BEGAN,
    BOB,
    BODY,
    LIFETIME,
    MX,
    NOW,
    Read,
    became,
    composed,
    failed,
    message,
    notices,
    read,
    result_of,
)

from mailsys.interfaces import Progress, QueuedRecipient, RecipientState
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Notify, Return
from mailsys.message.outcome import Step
from mailsys.notices.returned import HEADER_OCTETS

POSTMASTER = Address("postmaster", "home.test")
NO_USER = "550 5.1.1 No such user here"
WAITING, FAILED, DELIVERED = RecipientState.WAITING, RecipientState.FAILED, RecipientState.DELIVERED


def seconds(date):
    return parsedate_to_datetime(date).timestamp()


def test_a_notice_is_signed_as_mail_of_our_own():
    class Signer:
        async def lines(self, content):
            self.signed = b"".join(content.pieces())
            return [b"DKIM-Signature: v=1\r\n"]

    signer = Signer()
    [notice] = result_of(notices(signer=signer).compose(message(), [failed(NO_USER)]))
    assert b"".join(notice.content.pieces()) == b"DKIM-Signature: v=1\r\n" + signer.signed
    assert signer.signed.startswith(b"From: ")


def test_a_bounce_is_a_message_to_the_sender():
    notice = read(message(), failed(NO_USER))
    head = notice.message
    assert notice.envelope.reverse_path is None
    assert notice.envelope.recipients == (ANN,)
    assert head["To"].addresses[0].addr_spec == "ann@home.test"
    assert head["From"].addresses[0].addr_spec == "postmaster@home.test"
    assert "MAILER-DAEMON" in head["From"].addresses[0].display_name
    assert head["Subject"] == "Not delivered to bob@far.test"
    assert head["Auto-Submitted"] == "auto-replied"
    assert head["In-Reply-To"] == "<2@home.test>"
    assert head["References"] == "<1@far.test> <2@home.test>"
    assert head["Message-ID"] == f"<{notice.envelope.id}@mx.home.test>"
    assert head.get_content_type() == "multipart/report"
    assert head.get_param("report-type") == "delivery-status"
    assert [part.get_content_type() for part in notice.parts] == [
        "text/plain", "message/delivery-status", "text/rfc822-headers"
    ]  # fmt: skip


def test_the_top_says_what_happened_and_what_to_do():
    notice = read(message(), failed(NO_USER))
    assert notice.sentence == (
        "Your message could not be delivered to bob@far.test: there is no such mailbox. Check how the address"
        " is written, or ask the recipient for it by phone, and send it again."
    )
    for words in (MX, "No such user here", '"Lunch"', "m.1"):
        assert words in " ".join(notice.text.split())


def test_of_what_was_forwarded_the_sender_knows_the_alias():
    """And is not told to look at an address that another has written."""
    alias = Address("sales", "home.test")
    notice = read(message(forwarded={BOB: alias}), failed(NO_USER))
    assert notice.message["Subject"] == "Not delivered to sales@home.test"
    assert notice.sentence == (
        "Your message could not be delivered to sales@home.test, which forwards to bob@far.test: there is no"
        " such mailbox. The forwarding leads astray: tell the people behind the address by other means."
    )
    (fields,) = notice.recipients
    assert fields["Original-Recipient"] == "rfc822; sales@home.test"
    assert fields["Final-Recipient"] == "rfc822; bob@far.test"


@pytest.mark.row(32)
def test_of_what_was_forwarded_no_stranger_is_told():
    """Row 32: whoever forged the sender would make us write to a third."""
    alias = Address("sales", "home.test")
    assert composed(message(forwarded={BOB: alias}, is_vouched_for=False), failed(NO_USER)) == []


def test_the_fields_of_rfc_3464():
    about = message(wishes=(ALL, "rfc822;Bob@Far.Test"), notice_id="envelope 7")
    notice = read(about, failed(NO_USER))
    assert notice.about_message["Original-Envelope-Id"] == "envelope 7"
    assert notice.about_message["Reporting-MTA"] == "dns; mx.home.test"
    assert seconds(notice.about_message["Arrival-Date"]) == BEGAN
    [recipient] = notice.recipients
    assert seconds(recipient["Last-Attempt-Date"]) == NOW
    assert dict(recipient.items()) | {"Last-Attempt-Date": ""} == {
        "Original-Recipient": "rfc822; Bob@Far.Test",
        "Final-Recipient": "rfc822; bob@far.test",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; mx.far.test",
        "Diagnostic-Code": f"smtp; {NO_USER}",
        "Last-Attempt-Date": "",
    }


def test_a_delay_says_until_when():
    said = "451 4.4.1 No connection: mx.far.test [192.0.2.9]:25: connection refused"
    notice = read(message(), became(WAITING, said, Step.CONNECT, remote=""))
    [recipient] = notice.recipients
    assert notice.message["Subject"] == "Still waiting for bob@far.test"
    assert "no host of far.test could be reached" in notice.sentence
    assert "nothing for you to do" in notice.sentence
    assert (recipient["Action"], recipient["Status"]) == ("delayed", "4.4.1")
    assert seconds(recipient["Will-Retry-Until"]) == BEGAN + LIFETIME
    # Nobody said it over SMTP.
    assert recipient["Diagnostic-Code"].startswith("x-mailsys; ")
    assert recipient["Remote-MTA"] is None


def test_what_was_to_leave_later_is_late_from_then_on():
    """The letter and the part for programs say when that was."""
    about = replace(message(), not_before=BEGAN + 3 * 3600)
    notice = read(about, became(WAITING, "451 4.2.0 later"))
    assert notice.about_message["Future-Release-Request"] == "until; 2026-11-25T10:00:00Z"
    assert seconds(notice.about_message["Arrival-Date"]) == BEGAN
    assert seconds(notice.recipients[0]["Will-Retry-Until"]) == BEGAN + 3 * 3600 + LIFETIME
    words = " ".join(notice.text.split())
    assert "handed in on Wed, 25 Nov 2026 07:00:00 +0000, to leave on Wed, 25 Nov 2026 10:00:00" in words
    last = "given up after 20 attempts in 5d; the last came to: 451 4.4.1 No connection: refused"
    ended = Progress(QueuedRecipient(BOB, 20), FAILED, about.released + LIFETIME, reason=last)
    assert "within 5 days" in read(about, ended).sentence
    assert read(message(), ended).about_message["Future-Release-Request"] is None


def test_the_schedule_was_over():
    last = "given up after 20 attempts in 5d; the last came to: 451 4.4.1 No connection: refused"
    ended = failed("451 4.4.1 No connection", Step.CONNECT, remote="", reason=last, at=BEGAN + LIFETIME)
    notice = read(message(), ended)
    assert "could not be delivered to bob@far.test within 5 days" in notice.sentence
    assert notice.recipients[0]["Status"] == "4.4.7"
    assert notice.recipients[0]["Action"] == "failed"
    # The same for those who had no attempt of their own at the end.
    alone = Progress(QueuedRecipient(BOB, 20), FAILED, BEGAN + LIFETIME, reason=last)
    again = read(message(), alone)
    assert again.sentence == notice.sentence
    assert again.recipients[0]["Status"] == "4.4.7"


def test_success_is_told_to_who_asked():
    ok = became(DELIVERED, "250 2.0.0 queued as ABC", Step.MESSAGE)
    assert composed(message(), ok) == []
    notice = read(message(wishes=(ALL, "")), ok)
    assert notice.recipients[0]["Action"] == "relayed"
    assert "which does not tell whether it arrives" in notice.sentence
    here = read(message(wishes=(ALL, "")), became(DELIVERED, "250 2.0.0 OK", Step.MESSAGE, remote=""))
    assert here.recipients[0]["Action"] == "delivered"
    assert here.recipients[0]["Status"] == "2.0.0"


def test_success_is_left_to_the_next_host_that_tells_it():
    ok = became(DELIVERED, "250 2.0.0 OK", Step.MESSAGE, hands_on_notices=True)
    assert composed(message(wishes=(ALL, "")), ok) == []


@pytest.mark.row(33)
@pytest.mark.parametrize(
    ("notify", "told"),
    [
        ((), {FAILED, WAITING}),
        ((Notify.NEVER,), set()),
        ((Notify.FAILURE,), {FAILED}),
        ((Notify.DELAY,), {WAITING}),
        ((Notify.SUCCESS,), {DELIVERED}),
        ((Notify.SUCCESS, Notify.FAILURE, Notify.DELAY), {FAILED, WAITING, DELIVERED}),
    ],
)
def test_only_what_was_wished_for(notify, told):
    about = message(wishes=(frozenset(notify), ""))
    for state, said in ((FAILED, NO_USER), (WAITING, "451 4.2.0 later"), (DELIVERED, "250 2.0.0 OK")):
        assert bool(composed(about, became(state, said))) == (state in told)


@pytest.mark.row(31)
def test_a_notice_that_fails_is_told_to_the_postmaster_only():
    notice = read(message(sender=None, wishes=(ALL, "")), failed(NO_USER))
    assert notice.envelope.recipients == (POSTMASTER,)
    assert notice.sentence.startswith("A message without a sender, such as a notice, could not be delivered")
    assert composed(message(sender=None), became(WAITING, "451 4.2.0 later")) == []
    assert composed(message(sender=None), became(DELIVERED, "250 2.0.0 OK")) == []


@pytest.mark.row(31)
def test_a_notice_to_the_postmaster_leads_to_no_other():
    assert composed(message(POSTMASTER, sender=None), failed(NO_USER, address=POSTMASTER)) == []


@pytest.mark.row(32)
@pytest.mark.parametrize("sender", [ANN, None, Address("forged", "victim.test")], ids=str)
def test_nobody_is_told_whom_a_stranger_named(sender):
    """No backscatter: an address for which nobody vouches gets nothing from us, whatever happens."""
    about = message(sender=sender, wishes=(ALL, ""), is_vouched_for=False)
    for state, said in ((FAILED, NO_USER), (WAITING, "451 4.2.0 later"), (DELIVERED, "250 2.0.0 OK")):
        assert composed(about, became(state, said)) == []


def test_each_kind_of_news_is_a_notice_of_its_own():
    eve, fay = Address("eve", "far.test"), Address("fay", "far.test")
    about = message(BOB, eve, fay, wishes=(ALL, ""))
    several = composed(
        about,
        failed(NO_USER),
        failed("552 5.2.2 mailbox full", address=eve),
        became(DELIVERED, "250 2.0.0 OK", Step.MESSAGE, address=fay),
    )
    bounce, success = map(Read, several)
    assert len({one.envelope.id for one in several}) == 2
    assert [one["Status"] for one in bounce.recipients] == ["5.1.1", "5.2.2"]
    assert bounce.message["Subject"] == "Not delivered to bob@far.test and 1 more"
    assert "the reasons differ and stand below" in bounce.sentence
    assert "there is no such mailbox" in bounce.text
    assert "the mailbox is full" in bounce.text
    assert [one["Final-Recipient"] for one in success.recipients] == ["rfc822; fay@far.test"]


@pytest.mark.row(33)
def test_of_a_large_message_only_the_header_comes_back():
    header = BODY.partition(b"\r\n\r\n")[0]
    large = MemoryContent((header, b"\r\n\r\n", *[b"x" * 998 + b"\r\n"] * 10_000))
    for wanted in (None, Return.HEADERS, Return.FULL):
        about = message(notice_return=wanted)
        object.__setattr__(about, "content", large)
        notice = read(about, failed(NO_USER))
        assert notice.parts[2].get_content_type() == "text/rfc822-headers"
        assert len(notice.octets) < 10_000


@pytest.mark.row(33)
def test_a_header_of_megabytes_is_cut():
    body = b"Subject: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200_000)) + b"\r\nbody\r\n"
    notice = read(message(body=body), failed(NO_USER))
    returned = notice.parts[2].get_payload()
    assert len(returned) <= HEADER_OCTETS + 100
    assert all(re.fullmatch(r"(Subject|X-\d+): \w", line) for line in returned.splitlines() if line)


@pytest.mark.row(33)
@pytest.mark.parametrize("octets", [b"Gr\xfc\xdfe", "Grüße".encode(), b"\xff\x00\x80\r bare"], ids=repr)
def test_octets_beyond_ascii_in_the_header(octets):
    notice = read(message(body=b"Subject: " + octets + b"\r\nX: y\r\n\r\nbody\r\n"), failed(NO_USER))
    assert notice.octets.isascii()
    assert b"\0" not in notice.octets
    assert notice.parts[2]["Content-Transfer-Encoding"] == "quoted-printable"
    decoded = notice.parts[2].get_payload(decode=True)
    assert decoded.startswith(b"Subject: ")
    assert octets.split(b"\0")[0] in decoded


def test_the_whole_message_comes_back_when_it_is_asked_for():
    body = BODY + "Grüße\r\n".encode()
    notice = read(message(body=body, notice_return=Return.FULL), failed(NO_USER))
    assert notice.parts[2].get_content_type() == "message/rfc822"
    assert body in notice.octets
    assert notice.envelope.body.value == "8BITMIME"
    # Of a delay, nobody wants it back (RFC 3461 4.3).
    delay = read(message(body=body, notice_return=Return.FULL), became(WAITING, "451 4.2.0 later"))
    assert delay.parts[2].get_content_type() == "text/rfc822-headers"


def test_an_address_beyond_ascii():
    zoe = Address("zoë", "far.test")
    notice = read(message(zoe, smtputf8=True), failed(NO_USER, address=zoe))
    assert notice.recipients[0]["Final-Recipient"] == r"utf-8; zo\x{EB}@far.test"
    assert notice.octets.isascii()
    assert notice.message["Subject"] == "Not delivered to zoë@far.test"
    assert "zoë@far.test" in notice.sentence


def test_a_sender_beyond_ascii():
    """RFC 6533: then it can go over SMTPUTF8 only, and is written for it."""
    [notice] = composed(message(sender=Address("zoë", "home.test"), smtputf8=True), failed(NO_USER))
    octets = b"".join(notice.content.pieces())
    assert notice.envelope.smtputf8
    assert b"report-type=global-delivery-status" in octets
    assert b"message/global-delivery-status" in octets
    assert "To: <zoë@home.test>".encode() in octets


@pytest.mark.row(33)
def test_what_strangers_say_stays_in_its_place():
    """Neither a remote's words nor a sender's parameters or subject make a header line of their own."""
    evil = "550 5.7.1 no\r\nBcc: evil@far.test\r\n\r\n--=_notice1.1\r\n\x1b[2J" + "x" * 5000
    about = message(
        body=b"Subject: =?utf-8?Q?a=0D=0ABcc:_evil@far.test?=\r\nMessage-ID: <a b\r\n c>\r\n\r\nx\r\n",
        wishes=(ALL, "rfc822;bob\r\nBcc: x@y"),
        notice_id="id\r\nBcc: x@y",
    )
    attempt = became(FAILED, NO_USER)
    object.__setattr__(attempt.attempt, "said", evil)
    notice = read(about, attempt)
    assert len(notice.parts) == 3
    for part in (notice.message, notice.about_message, *notice.recipients):
        assert part["Bcc"] is None
    assert b"\x1b" not in notice.octets
    assert notice.message["In-Reply-To"] is None
    assert len(notice.octets) < 6000


def test_a_lost_content_is_told_all_the_same():
    lost = Progress(QueuedRecipient(BOB, 1), FAILED, NOW, reason="its content is not on the disk any more")
    notice = read(message(body=b""), lost)
    assert "its content was lost on this mail host" in notice.sentence
    assert [part.get_content_type() for part in notice.parts] == ["text/plain", "message/delivery-status"]
    assert notice.recipients[0]["Status"] == "5.0.0"
