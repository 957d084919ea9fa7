import os

import pytest
from twisted.internet.task import Clock

from mailsys.interfaces import Disposition, Peer, Session
from mailsys.message.address import parse_address
from mailsys.plugins import blocklist
from mailsys.testing import JudgeContract, PluginMakerContract, read_settings, result_of, services

LIST = "# who\nspam@bad.example\n192.0.2.0/24\n2001:db8::/32\nworse.example  # and all below\n1und1.example\n"


class TestMaker(PluginMakerContract):
    @pytest.fixture
    def maker(self):
        return blocklist.blocklist

    @pytest.fixture
    def table(self, tmp_path):
        (tmp_path / "list.txt").write_text(LIST)
        return {"file": "list.txt"}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(LIST)
    return path


@pytest.fixture
def judge(file, clock):
    return made(file, clock)


def made(file, clock, **more):
    settings = read_settings(blocklist.blocklist, {"file": str(file), **more})
    return blocklist.make(settings, services(file.parent, "blocklist", clock))


class TestJudge(JudgeContract):
    @pytest.fixture
    def judge(self, file, clock):
        return made(file, clock)


def peer(judge, host):
    return result_of(judge.connection(Session("s", Peer(host, 1, "smtp")))).disposition


def sender(judge, address):
    session = Session("s", Peer("198.51.100.1", 1, "smtp"))
    return result_of(judge.sender(session, parse_address(address))).disposition


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("192.0.2.9", Disposition.REJECT),
        ("2001:db8::1", Disposition.REJECT),
        ("192.0.3.1", Disposition.ACCEPT),
    ],
)
def test_networks(judge, host, said):
    assert peer(judge, host) is said


@pytest.mark.parametrize(
    "address", ["SPAM@bad.example", "x@worse.example", "x@a.b.worse.example", "x@1und1.example"]
)
def test_addresses_and_domains_that_are_blocked(judge, address):
    assert sender(judge, address) is Disposition.REJECT


@pytest.mark.parametrize("address", ["ham@bad.example", "x@not-worse.example", "x@example"])
def test_addresses_and_domains_that_are_not(judge, address):
    assert sender(judge, address) is Disposition.ACCEPT


def test_a_change_is_seen_after_a_moment(judge, file, clock):
    assert sender(judge, "new@late.example") is Disposition.ACCEPT
    file.write_text(f"{LIST}late.example\n")
    assert sender(judge, "new@late.example") is Disposition.ACCEPT
    clock.advance(5)
    assert sender(judge, "new@late.example") is Disposition.REJECT


@pytest.mark.parametrize(("mode", "said"), [("defer", Disposition.DEFER), ("accept", Disposition.ACCEPT)])
def test_a_file_that_has_gone_or_is_broken(file, clock, mode, said):
    judge = made(file, clock, on_trouble=mode)
    assert sender(judge, "a@b.example") is Disposition.ACCEPT
    for breaking in (lambda: file.write_text("a b\n"), lambda: os.unlink(file)):
        breaking()
        clock.advance(5)
        assert sender(judge, "a@b.example") is said
        # What is known stays known.
        assert mode == "defer" or sender(judge, "x@worse.example") is Disposition.REJECT


def test_a_broken_file_is_told_with_its_line_before_the_host_starts(file, clock):
    file.write_text("ok.example\n\nnot a domain\n")
    with pytest.raises(ValueError, match=r"list\.txt, line 3: "):
        made(file, clock)
