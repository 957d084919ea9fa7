"""Messages that go in circles."""

import pytest

from mailsys.interfaces import ACCEPT, Disposition, Peer, Session
from mailsys.judge.hop_count import HOPS, HopCount
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.trace_fields import delivered_to_field, original_to_field

SESSION = Session("s1", Peer("192.0.2.1", 40000, "smtp"))
HOP = b"Received: from a.example by b.example;\r\n Mon, 23 Nov 2026 15:26:00 +0000\r\n"


def judge(message, *recipients):
    envelope = Envelope("m1", None, tuple(map(parse_address, recipients or ["jane@example.org"])))
    coroutine = HopCount().message(SESSION, envelope, MemoryContent([message]))
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    return ended.value.value


def refused(verdict):
    """Is it refused as a loop?"""
    if verdict is ACCEPT:
        return False
    assert verdict.disposition is Disposition.REJECT
    assert (verdict.reply.code, verdict.reply.enhanced) == (554, "5.4.6")
    assert "loop" in verdict.reason
    return True


@pytest.mark.row(31)
def test_hops_are_counted():
    """Row 31: 51 Received fields are too many."""
    assert not refused(judge(b"\r\n"))
    assert not refused(judge(HOP * HOPS + b"\r\n" + HOP))
    assert refused(judge(HOP * (HOPS + 1) + b"\r\n"))
    assert refused(judge(b"A: b\n" + HOP.replace(b"Received", b"RECEIVED ") * (HOPS + 1)))
    assert refused(judge(HOP * 100_000))


def test_the_word_elsewhere_is_no_hop():
    assert not refused(judge(b"A: received\r\n received:\r\nReceived-SPF: x\r\n" * HOPS + b"\r\n"))


@pytest.mark.row(31)
@pytest.mark.parametrize(
    "line",
    [
        b"Delivered-To: jane@example.org\r\n",
        b"delivered-to:<JANE@example.ORG>\r\n",
        b"Delivered-To: other@example.org\r\nX: y\r\nDelivered-To:\r\n jane@example.org\r\n",
        delivered_to_field(parse_address("jane@example.org"), smtputf8=False),
        original_to_field(parse_address("jane@example.org"), smtputf8=False),
    ],
)
def test_delivered_to_the_same_recipient_before(line):
    """Row 31: our own Delivered-To or X-Original-To for a recipient is there already."""
    assert refused(judge(line + b"From: a@b\r\n\r\n"))
    assert refused(judge(line + b"\r\n", "joe@example.org", "Jane@example.org"))
    assert not refused(judge(line + b"\r\n", "joe@example.org"))
    assert not refused(judge(b"From: a@b\r\n\r\n" + line))


def test_beyond_ascii():
    line = delivered_to_field(parse_address("jürgen@bücher.example"), smtputf8=True)
    assert refused(judge(line + b"\r\n", "JÜRGEN@xn--bcher-kva.example"))


@pytest.mark.parametrize("value", [b"", b"jane", b"\xff", b"<>", b"jane@example.org.", b"(" * 10_000])
def test_a_delivered_to_without_sense_is_no_loop(value):
    assert not refused(judge(b"Delivered-To: " + value + b"\r\n\r\n"))
