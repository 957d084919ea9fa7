"""Who has to come again."""

import pytest
from judge_house import NOW, MemoryHistory

from mailsys.control.at_once import at_once
from mailsys.interfaces import Disposition, Finding, Peer, Session
from mailsys.judge.greylisting import Greylisting
from mailsys.judge.memory.file import SendersFile
from mailsys.judge.memory.greylist import Greylist
from mailsys.judge.strangers import Strangers
from mailsys.message.address import parse_address
from mailsys.threads import NoThreads

FRIEND = parse_address("friend@client.example")
JANE, JOE = parse_address("jane@our.example"), parse_address("joe@our.example")


class House:
    def __init__(self, path, history=None):
        self.now = NOW
        greylist = Greylist(SendersFile(str(path)), NoThreads(), lambda: self.now)
        self.judge = Greylisting(greylist, history or MemoryHistory(), Strangers(), 60.0)

    def says(self, host="192.0.2.1", sender=FRIEND, recipient=JANE, *findings, **known):
        session = Session("s1", Peer(host, 1, known.pop("service", "smtp")), reverse_path=sender, **known)
        for finding in findings:
            session.findings[finding.method] = (finding,)
        return at_once(self.judge.recipient(session, recipient))

    def takes(self, *asked, **known):
        return self.says(*asked, **known).disposition is Disposition.ACCEPT


@pytest.fixture
def house(tmp_path):
    return House(tmp_path / "senders")


def test_a_new_host_comes_again(house):
    verdict = house.says()
    assert verdict.disposition is Disposition.DEFER
    assert str(verdict.reply) == ("451 4.7.1 Nobody vouches for your host yet; try again in 60 seconds")
    house.now += 59
    assert house.says().reply.text.endswith("try again in 1 seconds")
    house.now += 1
    assert house.takes()
    assert house.takes("192.0.2.200", None, JOE)
    assert not house.takes("192.0.3.1")


def test_each_sender_and_recipient_waits_until_one_has_come_again(house):
    assert not house.takes()
    house.now += 60
    assert not house.takes("192.0.2.1", None)
    assert not house.takes("192.0.2.1", FRIEND, JOE)
    assert house.takes("192.0.2.1", parse_address("FRIEND@client.example"))


def test_a_network_of_ipv6_is_a_64(house):
    assert not house.takes("2001:db8:1:2::1")
    house.now += 60
    assert house.takes("2001:db8:1:2:ffff::1")
    assert not house.takes("2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("findings", "greeting", "good"),
    [
        ([Finding("spf", "pass", "client.example")], "x", True),
        ([Finding("spf", "softfail", "client.example")], "x", False),
        ([Finding("dnswl", "pass", "list.example")], "x", True),
        ([Finding("iprev", "pass", "mx.client.example")], "MX.client.example.", True),
        ([Finding("iprev", "pass", "dsl-7.pool.example")], "mx.client.example", False),
        ([Finding("iprev", "fail", "")], "", False),
    ],
)
def test_good_standing(house, findings, greeting, good):
    assert house.takes("192.0.2.1", FRIEND, JANE, *findings, greeting=greeting) is good


def test_a_known_sender_does_not_wait(tmp_path):
    house = House(tmp_path / "senders", MemoryHistory("friend@client.example"))
    assert house.takes()
    assert not house.takes("192.0.2.1", None)


@pytest.mark.parametrize("known", [{"service": "lmtp"}, {"service": "submission", "login": JANE}])
def test_only_strangers_wait(house, known):
    assert house.takes(**known)


def test_a_disk_that_fails_keeps_no_mail_away(tmp_path):
    (tmp_path / "file").write_text("")
    assert House(tmp_path / "file" / "senders").takes()
