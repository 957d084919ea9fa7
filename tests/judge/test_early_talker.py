"""Who speaks before the greeting."""

from ipaddress import ip_network

import pytest
from zope.interface.verify import verifyObject

from mailsys.interfaces import ACCEPT, Disposition, IGreetingPause, IJudge, Peer, Session, Verdict
from mailsys.judge.early_talker import EarlyTalker

TRUSTED = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))


def session(host, *, spoke_early=False):
    return Session("s1", Peer(host, 40000, "smtp"), spoke_early=spoke_early)


def judge(host, *, spoke_early):
    coroutine = EarlyTalker(0.3, TRUSTED).connection(session(host, spoke_early=spoke_early))
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    return ended.value.value


def test_interfaces():
    verifyObject(IJudge, EarlyTalker(1))
    verifyObject(IGreetingPause, EarlyTalker(1))


@pytest.mark.parametrize(
    ("host", "seconds"),
    [
        ("198.51.100.1", 0.3),
        ("2001:db9::1", 0.3),
        ("::ffff:198.51.100.1", 0.3),
        ("192.0.2.77", 0),
        ("::ffff:192.0.2.77", 0),
        ("2001:db8::1", 0),
        ("127.0.0.1", 0),
        ("127.0.1.2", 0),
        ("::1", 0),
        ("", 0),
    ],
)
def test_only_strangers_wait(host, seconds):
    assert EarlyTalker(0.3, TRUSTED).pause_seconds(session(host)) == seconds


def test_without_trusted_networks():
    assert EarlyTalker(2).pause_seconds(session("192.0.2.1")) == 2
    assert EarlyTalker(2).pause_seconds(session("127.0.0.1")) == 0


@pytest.mark.row(8)
def test_who_speaks_during_the_pause_is_refused():
    """Row 8: 554 5.5.1 for a client that talks before the banner."""
    verdict = judge("198.51.100.1", spoke_early=True)
    assert verdict.disposition is Disposition.REJECT
    assert (verdict.reply.code, verdict.reply.enhanced) == (554, "5.5.1")
    patient = judge("198.51.100.1", spoke_early=False)
    assert patient == Verdict(Disposition.ACCEPT, "waited for the greeting")
    assert judge("127.0.0.1", spoke_early=False) is ACCEPT
