"""iprev, spf, dkim and dmarc as judges of one message, and what is written into it."""

from ipaddress import ip_network

import pytest
from judge_house import surroundings
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zones import ZoneResolver

from mailsys.config.schema import Configuration, Judge
from mailsys.control.at_once import at_once
from mailsys.interfaces import Disposition, Peer, Session, Verdict
from mailsys.judge.builtin import build_pipeline
from mailsys.judge.iprev import reverse_name
from mailsys.judge.memory.station import SenderMemory
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.threads import NoThreads

ZONE = """
mx.example.com.            60 A    192.0.2.1
1.2.0.192.in-addr.arpa.    60 PTR  mx.example.com.
2.2.0.192.in-addr.arpa.    60 PTR  mx.example.com.
example.com.               60 TXT  "v=spf1 a:mx.example.com exp=why.example.com -all"
why.example.com.           60 TXT  "%{i} is none of our hosts"
_dmarc.example.com.        60 TXT  "v=DMARC1; p=reject"
_dmarc.mild.example.       60 TXT  "v=DMARC1; p=quarantine"
down.example.              FAILS
_dmarc.down.example.       FAILS
"""
JANE = parse_address("jane@our.example")


class Host:
    """One client that sends one message."""

    def __init__(self, ip="192.0.2.1", *, service="smtp", zone=ZONE, path="/nonexistent", **judge):
        configuration = Configuration(hostname="mail.our.example", judge=Judge(**judge))
        self.resolver = ZoneResolver(zone)
        self.clock = Clock()
        self.memory = SenderMemory(path, NoThreads(), lambda: self.now)
        self.now = 1.8e9
        around = surroundings(configuration, self.resolver, self.clock, self.memory)
        self.pipeline = build_pipeline(around, "smtp" if service == "lmtp" else service)
        self.session = Session("s1", Peer(ip, 40000, service), "mx.example.com")

    async def judged(self, sender, octets, smtputf8):
        reverse_path = parse_address(sender) if sender else None
        said = await self.pipeline.sender(self.session, reverse_path)
        assert said.disposition is Disposition.ACCEPT
        envelope = Envelope("m1", reverse_path, (JANE,), smtputf8=smtputf8)
        return await self.pipeline.message(self.session, envelope, MemoryContent([octets]))

    def says(self, sender="ann@example.com", author="ann@example.com", more=b"", smtputf8=False):
        octets = b"From: " + author.encode() + b"\r\n" + more + b"\r\nHello\r\n"
        return at_once(self.judged(sender, octets, smtputf8))


def test_a_message_of_the_domain():
    host = Host()
    verdict = host.says()
    assert verdict.disposition is Disposition.ACCEPT
    assert b"".join(verdict.headers) == (
        b"Authentication-Results: mail.our.example;\r\n"
        b"\tiprev=pass policy.iprev=192.0.2.1;\r\n"
        b"\tspf=pass smtp.mailfrom=ann@example.com;\r\n"
        b'\tspf=none reason="mx.example.com has no SPF record"\r\n'
        b"\tsmtp.helo=mx.example.com;\r\n"
        b'\tdkim=none reason="there is no signature";\r\n'
        b"\tdmarc=pass header.from=example.com policy.dmarc=reject\r\n"
        b"X-Mailsys-Verdict: accept; example.com vouches for it (DMARC): spf passes for example.com\r\n"
    )
    assert (
        "policy: accept (example.com vouches for it (DMARC): spf passes for example.com)" in verdict.checked
    )


def sender_said(host):
    return at_once(host.pipeline.sender(host.session, parse_address("ann@example.com"))).checked


@pytest.mark.row(42)
def test_a_forged_message_is_refused():
    host = Host("192.0.2.2")
    verdict = host.says()
    assert verdict.disposition is Disposition.REJECT
    assert str(verdict.reply).startswith("550 5.7.26 example.com wants mail in its name refused")
    assert host.session.findings["spf"][0].detail["explanation"] == "192.0.2.2 is none of our hosts"
    assert host.session.findings["iprev"][0].result == "fail"
    assert any(said.startswith("spf: accept (fail: ") for said in sender_said(host))


def test_a_domain_that_wants_quarantine():
    verdict = Host().says(author="ann@mild.example")
    assert verdict.disposition is Disposition.JUNK
    assert verdict.headers[1].startswith(b"X-Mailsys-Verdict: junk; mild.example wants it taken for junk")


def test_dns_that_does_not_answer():
    assert Host().says(author="ann@down.example").disposition is Disposition.DEFER
    assert Host().says(sender="ann@down.example", author="ann@x.example").disposition is Disposition.ACCEPT


@pytest.mark.row(39)
@pytest.mark.row(42)
@pytest.mark.parametrize(
    "author",
    ["ann@example.com, eve@evil.example", "ann", "x: ann@example.com;", "ann@example.com\r\nFrom: e@f.test"],
)
def test_more_than_one_author_is_no_pass(author):
    """Also where the judge that refuses such a message does not run."""
    verdict = Host(judges=("spf", "dmarc")).says(author=author)
    assert verdict.disposition is Disposition.JUNK
    assert b"dmarc=permerror" in verdict.headers[0]
    assert Host().says(author=author).disposition is Disposition.REJECT


@pytest.mark.parametrize(
    "known",
    [
        {"ip": "127.0.0.1"},
        {"ip": "::1"},
        {"ip": "::ffff:127.0.0.1"},
        {"ip": ""},
        {"service": "lmtp"},
        {"ip": "192.0.2.99", "exempt": (ip_network("192.0.2.0/24"),)},
    ],
)
def test_who_is_no_stranger_is_not_asked(known):
    host = Host(**known)
    verdict = host.says(author="ann@mild.example")
    assert (verdict.disposition, verdict.headers) == (Disposition.ACCEPT, ())
    assert host.resolver.asked == []


def test_other_addresses_of_loopback_are_strangers():
    """In the lab each organisation has its own."""
    assert Host("127.0.1.2").says().disposition is Disposition.REJECT


@pytest.mark.parametrize("trusted", [ip_network("192.0.2.0/24"), "example.net", "mx.example.net"])
def test_trusted_forwarders(trusted):
    zone = ZONE + "mx.example.net. 60 A 192.0.2.7\n7.2.0.192.in-addr.arpa. 60 PTR mx.example.net.\n"
    assert Host("192.0.2.7", zone=zone).says().disposition is Disposition.REJECT
    verdict = Host("192.0.2.7", zone=zone, trusted_forwarders=(trusted,)).says()
    assert verdict.disposition is Disposition.ACCEPT
    assert b"trusted to forward" in verdict.headers[1]
    assert Host("192.0.2.2", trusted_forwarders=("ample.net", "example.org")).says().reply.code == 550


@pytest.mark.row(41)
def test_what_a_client_says_stays_in_its_place():
    host = Host()
    host.session.greeting = 'x"; dkim=pass (é\\'
    field, told = host.says(sender='"a;b (c"@example.com').headers
    assert b'smtp.mailfrom="\\"a;b (c\\"@example.com"' in field
    assert b'smtp.helo="x\\"; dkim=pass (?\\\\"' in field
    assert [line for line in field.split(b"\r\n\t") if line.startswith(b"dkim=")] == [
        b'dkim=none reason="there is no signature";'
    ]
    assert field.isascii()
    assert told.isascii()


def test_what_is_known_of_one_message_is_not_known_of_the_next():
    host = Host()
    host.says()
    assert host.session.findings["dmarc"][0].passes
    at_once(host.pipeline.sender(host.session, parse_address("eve@evil.example")))
    assert host.session.findings.keys() == {"iprev", "spf"}


def test_without_a_sender_the_name_in_helo_counts():
    host = Host()
    host.session.greeting = "example.com"
    assert host.says(sender="").disposition is Disposition.ACCEPT
    ((finding,)) = host.session.findings["spf"]
    assert finding.properties == (("smtp.helo", "example.com"),)
    assert host.session.findings["dmarc"][0].passes


@pytest.mark.parametrize(
    ("ip", "word"),
    [("192.0.2.1", "pass"), ("192.0.2.2", "fail"), ("192.0.2.3", "permerror"), ("198.51.100.1", "temperror")],
)
def test_iprev(ip, word):
    resolver = ZoneResolver(ZONE + "1.100.51.198.in-addr.arpa. FAILS\n")
    finding = at_once(reverse_name(ip, resolver, Clock()))
    assert finding.result == word
    assert ip in finding.reason


class Silent(ZoneResolver):
    """Never answers about TXT records."""

    async def text(self, name):
        return await Deferred()


@pytest.mark.row(44)
def test_dns_that_is_silent_is_not_waited_for_for_ever():
    host = Host(judges=("spf", "dmarc"))
    for judge in host.pipeline._asked["sender"]:
        judge._resolver = Silent()
    asking = Deferred.fromCoroutine(host.pipeline.sender(host.session, parse_address("ann@example.com")))
    host.clock.advance(20)
    host.clock.advance(20)
    assert asking.called
    assert [one.result for one in host.session.findings["spf"]] == ["temperror", "temperror"]


def test_a_known_sender_is_spared_where_spf_fails(tmp_path):
    zone = 'lone.example. 60 TXT "v=spf1 -all"\n'
    host = Host("192.0.2.7", zone=zone, path=str(tmp_path / "senders"), judges=("spf", "dmarc"))
    known = {"sender": "ann@lone.example", "author": "ann@lone.example"}
    assert host.says(**known).disposition is Disposition.JUNK
    host.memory.history.note(host.session, parse_address("ann@lone.example"), [JANE])
    host.now += 86_400
    verdict = host.says(**known)
    assert verdict.disposition is Disposition.ACCEPT
    assert b"X-Mailsys-Verdict: accept; nobody vouches for it" in verdict.headers[1]
    assert host.says(sender="eve@lone.example", author="eve@lone.example").disposition is Disposition.JUNK


LIST = """
evil.example.       60 TXT "v=spf1 +all"
_dmarc.bank.example. 60 TXT "v=DMARC1; p=reject"
"""


def test_one_harmless_mail_opens_no_way_for_forgeries(tmp_path):
    """What was noted of a sender in MAIL says nothing of the authors that it brings over a list."""
    host = Host("192.0.2.7", zone=LIST, path=str(tmp_path / "senders"), judges=("spf", "dmarc"))
    for author in ("x@evil.example", "y@evil.example"):
        assert host.says(sender="x@evil.example", author=author).disposition is Disposition.ACCEPT
        host.memory.history.note(host.session, parse_address("x@evil.example"), [JANE])
    # In MAIL the forged name may stand, too, with a signature of the forger's.
    host.memory.history.note(host.session, parse_address("ceo@bank.example"), [JANE])
    host.now += 86_400
    forged = {"author": "ceo@bank.example", "more": b"List-Id: <l.evil.example>\r\n"}
    assert host.says(sender="x@evil.example", **forged).disposition is Disposition.JUNK


def test_an_author_who_came_over_the_list_before(tmp_path):
    host = Host("192.0.2.7", zone=LIST, path=str(tmp_path / "senders"), judges=("spf", "dmarc"))
    mail = {
        "sender": "b-1@evil.example",
        "author": "ann@bank.example",
        "more": b"List-Id: <l.evil.example>\r\n",
    }
    assert host.says(**mail).disposition is Disposition.JUNK
    host.memory.history.note(host.session, parse_address("b-1@evil.example"), [JANE])
    host.now += 86_400
    assert host.says(**{**mail, "sender": "b-2@evil.example"}).disposition is Disposition.ACCEPT
    assert host.says(**{**mail, "author": "ceo@bank.example"}).disposition is Disposition.JUNK


def test_a_stranger_under_our_own_name():
    host = Host("192.0.2.7", zone=LIST, judges=("spf", "dmarc"))
    verdict = host.says(sender="x@evil.example", author="boss@our.example")
    assert verdict.disposition is Disposition.JUNK
    assert b"our.example is a domain of this host" in verdict.headers[1]
    over_list = host.says(
        sender="x@evil.example", author="boss@our.example", more=b"List-Id: <l.evil.example>\r\n"
    )
    assert (over_list.disposition, over_list.stays_here) == (Disposition.ACCEPT, True)


class Horoscope(SilentJudge):
    name = "horoscope"

    async def message(self, session, envelope, content):
        return Verdict(Disposition.JUNK, "Mercury is\r\nretrograde")


def test_the_field_tells_of_the_judge_that_decided():
    configuration = Configuration(
        hostname="mail.our.example", judge=Judge(judges=("horoscope", "spf", "dkim", "dmarc"))
    )
    host = Host()
    host.pipeline = build_pipeline(
        surroundings(configuration, host.resolver), "smtp", {"horoscope": Horoscope()}
    )
    verdict = host.says()
    assert verdict.disposition is Disposition.JUNK
    assert verdict.headers[1] == b"X-Mailsys-Verdict: junk; horoscope: Mercury is\\r\\nretrograde\r\n"
