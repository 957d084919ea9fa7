"""What is found when another host refuses our mail, and that it stands where people read it."""

from dataclasses import replace

import pytest
from notice_parts import ANN, NOW, Read, composed, failed, message
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from zones import ZoneResolver

from mailsys.dkim import keys
from mailsys.dkim.key_file import KeyFiles
from mailsys.message.reply import Reply
from mailsys.notices.diagnosis import SECONDS, Diagnosis, Surroundings
from mailsys.own_records import spf_check
from mailsys.publish.wanted import Host, published_keys, wanted_records

HOST = Host("mail.home.test", ("192.0.2.1",))
GOOGLE = "550-5.7.26 This mail has been blocked because the sender is unauthenticated."
MICROSOFT = (
    "550 5.7.515 Access denied, sending domain HOME.TEST does not meet the required authentication level."
)
SPAMHAUS = "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org"
NO_PTR = "550 5.7.25 The IP address sending this message does not have a PTR record setup"


class House:
    """home.test is ours, and all that it should publish is published, unless a test takes it away."""

    def __init__(self, folder):
        files = KeyFiles(str(folder))
        keys.first_keys(files, "home.test", NOW)
        self.stored = files.read("home.test")
        wanted = wanted_records("home.test", HOST, published_keys(self.stored))
        self.lines = [record.line for record in wanted]
        self.clock = Clock()
        self.host = HOST
        self.unavailable = ()
        self.fault = None

    def without(self, start):
        before = len(self.lines)
        self.lines = [line for line in self.lines if not line.startswith(start)]
        assert len(self.lines) < before

    def surroundings(self):
        resolver = ZoneResolver("\n".join(self.lines))
        resolver.unavailable.update(self.unavailable)
        return Surroundings(
            self.host, resolver, spf_check(resolver, "mail.home.test"), self._keys, self._is_ours
        )

    async def _keys(self, domain):
        if self.fault is not None:
            raise self.fault
        return self.stored

    async def _is_ours(self, domain):
        return domain == "home.test"

    def ask(self, said, sender=ANN):
        code, _, rest = said.replace("-", " ", 1).partition(" ")
        reply = Reply(int(code), rest.split()[0], rest)
        return Deferred.fromCoroutine(Diagnosis(self.surroundings, self.clock).findings(said, reply, sender))

    def findings(self, said, sender=ANN):
        kept = []
        self.ask(said, sender).addCallback(kept.append)
        return list(kept[0])


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.mark.parametrize("said", [GOOGLE, MICROSOFT, "550 5.7.1 rejected by the DMARC policy of home.test"])
def test_the_record_at_fault_and_the_line_to_publish(house, said):
    assert house.findings(said) == [
        "What DNS says of SPF, DKIM and DMARC of home.test is right now; "
        "it may have been otherwise a while ago."
    ]
    house.without("_dmarc.home.test")
    house.without("m2026")
    found = house.findings(said)
    assert [one.split()[0] for one in found] == [*(key.name for key in house.stored), "_dmarc.home.test"]
    assert found[-1].endswith('Publish: _dmarc.home.test. 3600 TXT "v=DMARC1; p=quarantine"')
    assert house.stored[0].record[:200] in found[0]


def test_an_address_without_a_name(house):
    house.without("1.2.0.192")
    assert house.findings(NO_PTR) == [
        "1.2.0.192.in-addr.arpa (PTR) is missing: large receivers refuse mail from an address that does "
        "not name its host.  Publish: 1.2.0.192.in-addr.arpa. 3600 PTR mail.home.test."
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", "192.0.2.7 is not on zen.spamhaus.org now"),
        ("127.0.0.2", "192.0.2.7 is on zen.spamhaus.org (127.0.0.2): see https://check.spamhaus.org/ why"),
        ("127.255.255.254", "zen.spamhaus.org does not answer this host's questions"),
        ("192.0.2.99", "zen.spamhaus.org does not answer this host's questions"),
    ],
)
def test_the_list_is_asked_about_the_address_that_the_other_host_saw(house, answer, words):
    if answer:
        house.lines.append(f"7.2.0.192.zen.spamhaus.org. 60 A {answer}")
    [found] = house.findings(SPAMHAUS)
    assert found.startswith(words)


def test_without_an_address_in_the_words_it_is_our_own(house):
    house.lines.append("1.2.0.192.bl.spamcop.net. 60 A 127.0.0.2")
    assert house.findings("554 5.7.1 see spamcop")[0].startswith("192.0.2.1 is on bl.spamcop.net (127.0.0.2)")
    house.host = Host("mail.home.test")
    assert house.findings("554 5.7.1 see spamcop")[0].startswith("192.0.2.1 is on bl.spamcop.net (127.0.0.2)")


def test_lists_that_cannot_be_asked_have_a_page(house):
    assert "https://sender.office.com/" in house.findings("550 5.7.606 Access denied, banned sending IP")[0]


def test_a_domain_that_is_not_ours(house):
    [found] = house.findings(GOOGLE, type(ANN)("ann", "else.test"))
    assert found.startswith(
        "else.test is no domain of this host: whoever runs it must let mail.home.test send"
    )


def test_nothing_to_look_at(house):
    assert house.findings("550 5.1.1 No such user") == []
    assert house.findings(GOOGLE, None) == []


def test_what_cannot_be_looked_up_is_said(house):
    house.unavailable = ["7.2.0.192.zen.spamhaus.org"]
    assert house.findings(SPAMHAUS)[0].startswith("Nothing could be looked up: SERVFAIL")
    house.fault = OSError("the disk is gone")
    assert house.findings(GOOGLE) == ["Nothing could be looked up: the disk is gone."]


def test_it_ends_in_time(house):
    kept = []
    house._keys = lambda domain: Deferred()
    house.ask(GOOGLE).addCallback(kept.append)
    house.clock.advance(SECONDS - 1)
    assert kept == []
    house.clock.advance(1)
    assert kept[0] == ("DNS did not answer within 10 seconds, so nothing was looked up.",)


def test_it_stands_in_the_notice():
    finding = (
        '_dmarc.home.test (TXT) is missing: x.  Publish: _dmarc.home.test. 3600 TXT "v=DMARC1; p=quarantine"'
    )
    progress = replace(failed(MICROSOFT), findings=(finding,))
    [notice] = composed(message(), progress)
    text = " ".join(Read(notice).text.split())
    assert (
        f"What this mail host found in the DNS then, for whoever runs it: {' '.join(finding.split())}" in text
    )
