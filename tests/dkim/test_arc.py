"""Chains of ARC seals, as dkimpy makes them, and what breaks them."""

import pytest
from dkim_parts import NOW, pair, result_of, zone_with
from signed_by_hand import MESSAGE
from test_dkim_oracles import dkim, pem
from twisted.internet.task import Clock

from mailsys.dkim.arc import MOST_SETS, has_chain, verify_arc
from mailsys.dkim.results import Result
from mailsys.dkim.signed_header import read_signed_header
from mailsys.interfaces import Disposition, Peer, Session
from mailsys.judge.dkim_judge import DKIMJudge
from mailsys.judge.strangers import Strangers
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.threads import NoThreads

RESULTS = b"Authentication-Results: lists.example.net; arc=%s; dkim=pass header.d=example.org\r\n"


def sealed(message, times=1):
    """The message as so many lists of example.org pass it on."""
    key = pair()[0][0]
    for number in range(times):
        results = RESULTS % (b"pass" if number else b"none")
        fields = dkim.arc_sign(
            results + message, key.selector.encode(), b"example.org", pem(key), b"lists.example.net"
        )
        message = b"".join(fields) + message
    return message


def outcome(message, resolver=None):
    content = MemoryContent([message])
    header = read_signed_header(content)
    assert has_chain(header)
    found = result_of(verify_arc(content, header, resolver or zone_with(pair()[1]), NoThreads()))
    return found.result, found.reason, found.sealers


@pytest.fixture(scope="module")
def chain():
    return sealed(MESSAGE, 3)


@pytest.mark.parametrize("times", [1, 2, 3, MOST_SETS])
def test_whole_chains(times):
    message = sealed(MESSAGE, times)
    assert outcome(message) == (Result.PASS, "", ("example.org",) * times)
    assert dkim.arc_verify(
        message, dnsfunc=lambda name, timeout=5: pair()[1][name.decode().rstrip(".")].encode()
    )[0] == (b"pass")


def test_no_chain():
    assert not has_chain(read_signed_header(MemoryContent([MESSAGE])))


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b"At one?", b"At two?", "the body was changed after the last seal"),
        (b"Subject: Lunch", b"Subject: Dinner", "the fields were changed after the last seal"),
        (b"ARC-Seal: i=2;", b"X-Seal: i=2;", "the arc-seal fields are not one of each instance"),
        (b"ARC-Seal: i=2;", b"ARC-Seal: i=1;", "the instance 1 is there twice"),
        (b"ARC-Seal: i=2;", b"ARC-Seal: i=x;", "ARC-Seal: i= is no number of at most 2 digits"),
        (b"cv=none", b"cv=pass", "the seal 1 has the wrong cv="),
        (
            b"arc=none",
            b"arc=pass",
            "the seal 1 of example.org does not",
        ),
        (
            b"cv=none; a=rsa-sha256",
            b"cv=none; a=rsa-sha1",
            "the algorithm of an ARC-Seal is unknown",
        ),
        (b"ARC-Seal: i=1;", b"ARC-Seal: i=1; h=from;", "an ARC-Seal has h="),
        (b"ARC-Seal: i=1;", b"ARC-Seal: i=1; i=1;", "ARC-Seal: it has i= twice"),
    ],
)
def test_what_breaks_one(chain, before, after, reason):
    assert chain.count(before) >= 1
    result, why, _ = outcome(chain.replace(before, after))
    assert (result, why[: len(reason)]) == (Result.FAIL, reason)


def test_a_sealer_found_it_broken(chain):
    last = chain.index(b"cv=pass")
    assert (
        outcome(chain[:last] + b"cv=fail" + chain[last + 7 :])[1] == "the last sealer found the chain broken"
    )


def test_a_chain_without_an_end_is_not_followed():
    message = sealed(MESSAGE, MOST_SETS + 1)
    assert outcome(message)[:2] == (Result.FAIL, f"the chain has more than {MOST_SETS} sets")


def test_keys(chain):
    assert outcome(chain, zone_with({}))[:2] == (
        Result.FAIL,
        "example.org: there is no key at test-rsa._domainkey.example.org",
    )
    resolver = zone_with(pair()[1])
    resolver.unavailable.add("test-rsa._domainkey.example.org")
    assert outcome(chain, resolver)[0] is Result.TEMPERROR
    resolver = zone_with(pair()[1])
    outcome(chain, resolver)
    assert len(resolver.asked) == 1


def test_a_judge_notes_it_and_no_more(chain):
    judge = DKIMJudge(zone_with(pair()[1]), Clock(), lambda: NOW, NoThreads(), Strangers())
    for message, found in ((chain, [("pass", "example.org")]), (MESSAGE, [])):
        session = Session("s1", Peer("192.0.2.1", 25, "smtp"), protocol="ESMTP")
        verdict = result_of(judge.message(session, Envelope("s1.1", None, ()), MemoryContent([message])))
        assert verdict.disposition is Disposition.ACCEPT
        assert [(one.result, one.domain) for one in session.findings.get("arc", ())] == found
