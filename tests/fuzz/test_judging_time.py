"""No message takes its judges long: under 50 ms of the reactor's thread for all of them together.

What counts is the best of some runs in processor time, so that a busy machine changes nothing.
"""

import time

import pytest
from judge_house import surroundings
from zones import ZoneResolver

from mailsys.config.schema import Configuration
from mailsys.control.at_once import at_once
from mailsys.interfaces import Disposition, Peer, Session
from mailsys.judge.builtin import build_pipeline
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope

RUNS = 5
SECONDS = 0.05
ZONE = """
example.org. 60 A 192.0.2.1
1.2.0.192.in-addr.arpa. 60 PTR example.org.
example.org. 60 TXT "v=spf1 a -all"
_dmarc.example.org. 60 TXT "v=DMARC1; p=reject"
"""
ANN, JANE = parse_address("ann@example.org"), parse_address("jane@our.example")
FROM = b"From: ann@example.org\r\n"
SIGNATURE = (
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=x; c=relaxed/relaxed; h="
    + b":".join([b"x"] * 5000)
    + b"; bh=aaaa; b=aaaa\r\n"
)
MESSAGES = {
    "fields": FROM + b"".join(b"X%d: y\r\n" % number for number in range(9990)) + b"\r\nx\r\n",
    "one field": FROM + b"X: " + b"y" * 250_000 + b"\r\n\r\nx\r\n",
    "a folded field": FROM + b"X: " + b"y\r\n " * 62_000 + b"\r\n\r\nx\r\n",
    "signatures": FROM + b"DKIM-Signature: v=1\r\n" * 9000 + b"\r\nx\r\n",
    "long signatures": SIGNATURE * 10 + FROM + b"x: y\r\n" * 9000 + b"\r\nx\r\n",
    "authors": b"From: " + b"ann@example.org, " * 14_000 + b"\r\n\r\nx\r\n",
    "comments": b"From: " + b"(" * 90_000 + b"ann@example.org\r\n\r\nx\r\n",
    "results": b"Authentication-Results: mail.our.example; x\r\n" * 5000 + FROM + b"\r\nx\r\n",
    "lists": FROM + b"List-Id: <x.example.org>\r\n" * 9000 + b"\r\nx\r\n",
}


async def judged(pipeline, session, octets):
    await pipeline.sender(session, ANN)
    await pipeline.recipient(session, JANE)
    return await pipeline.message(session, Envelope("m", ANN, (JANE,)), MemoryContent([octets]))


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.row(35)
def test_a_hostile_message(name):
    pipeline = build_pipeline(surroundings(Configuration(hostname="mail.our.example"), ZoneResolver(ZONE)))
    session = Session("s", Peer("192.0.2.1", 1, "smtp"), "example.org")
    best = float("inf")
    for _ in range(RUNS):
        start = time.thread_time()
        verdict = at_once(judged(pipeline, session, MESSAGES[name]))
        best = min(best, time.thread_time() - start)
    assert verdict.disposition in (Disposition.ACCEPT, Disposition.REJECT)
    assert best < SECONDS
