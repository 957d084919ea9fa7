"""Lists in DNS: who is listed, and what is no listing."""

import pytest
from judge_house import MemoryHistory
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher
from zones import ZoneResolver

from mailsys.control.at_once import at_once
from mailsys.interfaces import Disposition, Peer, Session
from mailsys.judge.dns_lists import DNSLists, reversed_name
from mailsys.judge.strangers import Strangers
from mailsys.message.address import parse_address

ZONE = """
7.2.0.192.bad.example.     60 A   127.0.0.2
7.2.0.192.bad.example.     60 TXT "Sends spam, see https://bad.example/192.0.2.7"
9.2.0.192.bad.example.     60 A   127.0.0.4
9.2.0.192.good.example.    60 A   127.0.3.1
1.2.0.192.refusing.example. 60 A  127.255.255.254
1.2.0.192.gone.example.    60 A   203.0.113.80
1.2.0.192.down.example.    FAILS
7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bad.example. 60 A 127.0.0.2
"""
JANE = parse_address("jane@our.example")
FRIEND = parse_address("friend@client.example")


class House:
    def __init__(self, *blocklists, allowlists=(), resolver=None, history=None):
        self.clock = Clock()
        self.judge = DNSLists(
            blocklists,
            allowlists,
            resolver or ZoneResolver(ZONE),
            self.clock,
            history or MemoryHistory(),
            Strangers(),
        )

    def session(self, host):
        session = Session("s1", Peer(host, 1, "smtp"), reverse_path=FRIEND)
        at_once(self.judge.sender(session, FRIEND))
        return session

    def says(self, host, recipient=JANE):
        return at_once(self.judge.recipient(self.session(host), recipient))


@pytest.fixture
def warnings():
    found = []

    def note(event):
        if event["log_level"] is LogLevel.warn:
            found.append(event["log_format"].format(**event))

    globalLogPublisher.addObserver(note)
    yield found
    globalLogPublisher.removeObserver(note)


@pytest.mark.parametrize("host", ["192.0.2.7", "::ffff:192.0.2.7"])
def test_a_listed_client_is_refused_and_told_why(host):
    verdict = House("bad.example").says(host)
    assert verdict.disposition is Disposition.REJECT
    assert str(verdict.reply) == (
        "550 5.7.1 Your address is listed by bad.example: Sends spam, see https://bad.example/192.0.2.7"
    )


def test_ipv6():
    assert House("bad.example").says("2001:db8::7").reply.text == "Your address is listed by bad.example"
    assert House("bad.example").says("2001:db8::8").disposition is Disposition.ACCEPT
    assert reversed_name("2001:db8::7").startswith("7.0.0.0.")


@pytest.mark.row(64)
@pytest.mark.parametrize("zone", ["refusing.example", "gone.example", "down.example", "empty.example"])
def test_what_is_no_listing(zone, warnings):
    house = House(zone)
    for _ in range(3):
        assert house.says("192.0.2.1").disposition is Disposition.ACCEPT
    assert len(warnings) == (zone != "empty.example")
    assert all(zone in words for words in warnings)


@pytest.mark.row(64)
def test_a_list_that_is_silent_has_nobody():
    class Silent(ZoneResolver):
        async def ipv4_addresses(self, host):
            return await Deferred()

    house = House("bad.example", "other.example", resolver=Silent())
    session = Session("s1", Peer("192.0.2.7", 1, "smtp"))
    asking = Deferred.fromCoroutine(house.judge.sender(session, FRIEND))
    house.clock.advance(5)
    assert asking.called
    assert session.findings["blocklist"] == ()


def test_postmaster_hears_of_a_wrong_listing():
    for name in ("postmaster", "Abuse"):
        verdict = House("bad.example").says("192.0.2.7", parse_address(f"{name}@our.example"))
        assert verdict.disposition is Disposition.ACCEPT


def test_a_known_sender_is_spared():
    house = House("bad.example", history=MemoryHistory("friend@client.example"))
    verdict = house.says("192.0.2.7")
    assert verdict.disposition is Disposition.ACCEPT
    assert "written before" in verdict.reason


def test_an_allow_list_outweighs():
    house = House("bad.example", allowlists=["good.example"])
    assert house.says("192.0.2.9").disposition is Disposition.ACCEPT
    (finding,) = house.session("192.0.2.9").findings["dnswl"]
    assert (finding.result, finding.domain) == ("pass", "good.example")
    assert house.says("192.0.2.7").disposition is Disposition.REJECT


def test_nobody_is_asked_without_lists():
    resolver = ZoneResolver(ZONE)
    assert House(resolver=resolver).says("192.0.2.7").disposition is Disposition.ACCEPT
    assert resolver.asked == []
