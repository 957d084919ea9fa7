"""Signatures as a judge notes and tells them, and what keeps it from that."""

from dkim_parts import NOW, pair, signed, zone_with
from signed_by_hand import MESSAGE
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailsys.control.at_once import at_once
from mailsys.interfaces import ACCEPT, Disposition, Peer, Session
from mailsys.judge.dkim_judge import DKIMJudge
from mailsys.judge.strangers import Strangers
from mailsys.message.address import parse_address
from mailsys.message.content import FileContent, MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.threads import NoThreads

ENVELOPE = Envelope("m1", None, (parse_address("jane@our.example"),))
KEYS, RECORDS = pair()


class House:
    def __init__(self, resolver=None):
        self.clock = Clock()
        resolver = resolver or zone_with(RECORDS)
        self.judge = DKIMJudge(resolver, self.clock, lambda: float(NOW), NoThreads(), Strangers())
        self.session = Session("s1", Peer("192.0.2.1", 1, "smtp"))

    def says(self, octets):
        return at_once(self.judge.message(self.session, ENVELOPE, MemoryContent([octets])))

    def results(self, octets):
        self.says(octets)
        return [finding.result for finding in self.session.findings["dkim"]]


def test_what_is_noted_of_a_signature():
    house = House()
    verdict = house.says(signed(MESSAGE, KEYS))
    assert verdict.disposition is Disposition.ACCEPT
    assert verdict.reason == "pass for example.org; pass for example.org"
    rsa, _ed25519 = house.session.findings["dkim"]
    properties = dict(rsa.properties)
    assert (rsa.domain, properties["header.d"], properties["header.a"]) == (
        "example.org",
        "example.org",
        "rsa-sha256",
    )
    assert properties["header.s"] == rsa.detail["selector"] == KEYS[0].selector
    assert len(properties["header.b"]) == 8


def test_none_and_one_that_was_changed():
    house = House()
    assert house.says(MESSAGE).reason == "none (there is no signature)"
    assert house.results(signed(MESSAGE, KEYS) + b"more\r\n") == ["fail", "fail"]
    assert house.says(signed(MESSAGE, KEYS) + b"more\r\n").reason.startswith("fail for example.org (")


def test_only_strangers_are_asked():
    house = House()
    house.session = Session("s1", Peer("192.0.2.1", 1, "lmtp"))
    assert house.says(signed(MESSAGE, KEYS)) is ACCEPT
    assert house.session.findings == {}


def test_what_cannot_be_read_back_is_deferred(tmp_path):
    house = House()
    content = FileContent(str(tmp_path / "gone"), 1000)
    verdict = at_once(house.judge.message(house.session, ENVELOPE, content))
    assert verdict.disposition is Disposition.DEFER


def test_dns_that_is_silent_is_not_waited_for_for_ever():
    resolver = zone_with(RECORDS)

    async def text(_name):
        return await Deferred()

    resolver.text = text
    house = House(resolver)
    message = MemoryContent([signed(MESSAGE, KEYS)])
    asking = Deferred.fromCoroutine(house.judge.message(house.session, ENVELOPE, message))
    house.clock.advance(30)
    assert asking.called
    assert [one.result for one in house.session.findings["dkim"]] == ["temperror"]
