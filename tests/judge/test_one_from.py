"""Exactly one author, the same to every reader."""

import time

import pytest

from mailsys.interfaces import ACCEPT, Disposition, Peer, Session
from mailsys.judge.one_from import OneFrom
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope

SESSION = Session("s1", Peer("192.0.2.1", 40000, "smtp"))
ENVELOPE = Envelope("m1", None, (parse_address("jane@example.org"),))


def judge(message):
    """The verdict: the judge waits for nothing, so its coroutine ends at once."""
    coroutine = OneFrom().message(SESSION, ENVELOPE, MemoryContent([message]))
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    return ended.value.value


@pytest.mark.parametrize(
    "field",
    [
        b"From: a@b.example",
        b"from:a@b.example",
        b"FROM : a@b.example",
        b"From: <a@b.example>",
        b"From: Jane Doe <a@b.example>",
        b'From: "Doe, Jane" <a@b.example>',
        b"From: J. Doe [x] (y) <a@b.example>",
        b"From: a@b.example (Jane Doe)",
        b"From: =?utf-8?q?J=C3=BCrgen?=\r\n =?utf-8?q?_Doe?=\r\n <a@b.example>",
        b"From: \xc3\xbc@b\xc3\xbccher.example",
        b"From: Jane Doe\r\n\t<a@b.example>",
        b'From: "jane doe"@b.example',
        b"From: a@b.example <a@b.example>",
        b"From: info@b.example <no-reply@B.example>",
        b'From: "boss@other.example" <a@b.example>',
        b"From: a@[192.0.2.1]",
        b"From: a@b.example, ",
        b"Subject: x\r\n From: folded@into.it\r\nFrom: a@b.example",
        b"From someone@else Mon Nov 23 15:26:00 2026\r\nFrom: a@b.example",
        b"Resent-From: c@d.example, e@f.example\r\nFrom: a@b.example",
        b"X-From: c@d.example\r\nFrom: a@b.example\r\nno colon\r\nReply-To: g@h",
    ],
)
def test_one_mailbox_is_accepted(field):
    assert judge(b"Received: x\r\n" + field + b"\r\nTo: x\r\n\r\nFrom: in@the.body\r\n") is ACCEPT


@pytest.mark.row(42)
@pytest.mark.parametrize(
    ("block", "words"),
    [
        (b"", "no From field"),
        (b"To: a@b\r\n", "no From field"),
        (b"Sender: a@b\r\nResent-From: a@b\r\n", "no From field"),
        (b"\r\nFrom: a@b\r\n", "no From field"),
        (b"From: a@b.example\r\nFrom: a@b.example\r\n", "more than one From field"),
        (b"From: a@b.example\r\nTo: x\r\nfrom : c@d.example\r\n", "more than one From field"),
        (b" From: c@d.example\r\nFrom: a@b.example\r\n", "looks like a From field"),
        (b"\0From: c@d.example\r\nFrom: a@b.example\r\n", "looks like a From field"),
        (b"From\0: c@d.example\r\nFrom: a@b.example\r\n", "looks like a From field"),
        (b"From\r\n : c@d.example\r\nFrom: a@b.example\r\n", "looks like a From field"),
        (b"\xe2\x80\x8bFrom: c@d.example\r\nFrom: a@b.example\r\n", "looks like a From field"),
        (b"\tfrom\t: c@d.example\r\n", "looks like a From field"),
        (b"From: a@b.example, c@d.example\r\n", "exactly one address"),
        (b"From: <a@b.example>,<c@d.example>\r\n", "exactly one address"),
        (b"From: <a@b.example> <c@d.example>\r\n", "exactly one address"),
        (b"From: <a@b.example>c@d.example\r\n", "exactly one address"),
        (b"From: <a@b.example> c\r\n", "exactly one address"),
        (b"From: a@b.example; c@d.example\r\n", "exactly one address"),
        (b"From: a@b.example,\r\n c@d.example\r\n", "exactly one address"),
        (b"From: Doe, Jane <a@b.example>\r\n", "exactly one address"),
        (b"From: <a@b.example\0>,<c@d.example>\r\n", "exactly one address"),
        (b"From: a@b.example, (<c@d.example>)\r\n", "exactly one address"),
        (b"From: G: a@b.example;\r\n", "not a group"),
        (b"From: undisclosed-senders:;\r\n", "not a group"),
        (b"From: a@b.example, G: c@d.example;\r\n", "not a group"),
        (b"From:\r\n", "no valid address"),
        (b"From: \r\n \r\n", "no valid address"),
        (b"From: <>\r\n", "no valid address"),
        (b"From: MAILER-DAEMON <>\r\n", "no valid address"),
        (b"From: Jane Doe\r\n", "no valid address"),
        (b"From: a@b..example\r\n", "no valid address"),
        (b"From: a@b.example\0.evil.example\r\n", "no valid address"),
        (b"From: Jane a@b.example\r\n", "no valid address"),
        (b"From: (a@b.example)\r\n", "no valid address"),
        (b"From: \\a@b.example\r\n", "no valid address"),
        (b"From: =?utf-8?q?a=40b=2Eexample?=\r\n", "no valid address"),
        (b"From: =?utf-8?q?<a=40b=2Eexample>?=\r\n", "exactly one address"),
        (b"From: =?utf-8?q?c=40d=2Eexample?=@b.example\r\n", "more than one way"),
        (b"From: <@c.example,@d.example:a@b.example>\r\n", "more than one way"),
        (b"From: <@c.example:a@b.example>\r\n", "more than one way"),
        (b"From: c@d.example <a@b.example>\r\n", "more than one way"),
        (b"From: =?utf-8?q?x?= c@d.example <a@b.example>\r\n", "more than one way"),
        (b'From: "c@d.example"@b.example\r\n', "more than one way"),
        (b'From: "c\\@d.example"@b.example\r\n', "more than one way"),
        (b'From: "c@d.example,"@b.example\r\n', "more than one way"),
        (b"From: a@b.example (<c@d.example>)\r\n", "more than one way"),
        (b"From: (c@d.example) <a@b.example>\r\n", "more than one way"),
        (b"From: a@(x)b.example\r\n", "more than one way"),
        (b"From: a @ b . example\r\n", "more than one way"),
        (b"From: <a@b.example\r\n", "more than one way"),
        (b"From: a@b.example (unended\r\n", "more than one way"),
    ],
)
def test_all_else_is_refused(block, words):
    """Row 42: From is not exactly one mailbox, or readers may differ about which."""
    verdict = judge(block + b"\r\nbody\r\n")
    assert verdict.disposition is Disposition.REJECT
    assert (verdict.reply.code, verdict.reply.enhanced) == (550, "5.7.1")
    assert words in verdict.reply.text
    assert verdict.reason == verdict.reply.text


@pytest.mark.row(35)
@pytest.mark.parametrize(
    "message",
    [
        b"From: a@b.example\r\n" + b"a: b\r\n" * 100_000 + b"From: c@d.example\r\n\r\n",
        b"From: a@b.example\r\nX: " + b"x" * 300_000 + b"\r\nFrom: c@d.example\r\n\r\n",
        b"From: a@b.example\r\n" + b"a:b\r\n" * 10_000 + b"\r\n",
        b"From: a@b.example\r\n" + b"x" * 10**6,
    ],
)
def test_no_second_from_behind_the_limits(message):
    """Row 35: where a header is too large to be parsed whole, it is refused with 552 5.3.4."""
    verdict = judge(message)
    assert verdict.disposition is Disposition.REJECT
    assert (verdict.reply.code, verdict.reply.enhanced) == (552, "5.3.4")


@pytest.mark.row(36)
@pytest.mark.parametrize(
    "value",
    [
        b'"' * 200_000,
        b"(" * 200_000,
        b"(" * 10_000 + b")" * 10_000,
        b"a@b.example," * 20_000,
        b"a:" * 100_000,
        b"=?utf-8?q?a?= " * 15_000 + b"<a@b.example>",
        b"\\" * 200_000,
    ],
)
def test_pathological_from(value):
    """Row 36: a From made to be slow is refused at once.  Measured: at most 30 ms each."""
    start = time.process_time()
    verdict = judge(b"From: " + value + b"\r\n\r\n")
    assert time.process_time() - start < 1
    assert verdict.disposition is Disposition.REJECT
