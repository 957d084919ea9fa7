"""Who speaks before the greeting, from where: the judge and a whole conversation together."""

import pytest
from fakes import MemoryConnection
from smtp_house import House
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailsys.judge.early_talker import EarlyTalker


def hears(host, *, early, seconds=1.0):
    """What a client hears that has sent something when the connection begins."""
    clock, house = Clock(), House()
    house.judges = (EarlyTalker(0.3),)
    connection = MemoryConnection(clock, host=host, service="smtp")
    connection.feed(early)
    Deferred.fromCoroutine(house.conversation(clock).run(connection))
    clock.advance(seconds)
    return connection.take(), connection.closed, house.journal.events


@pytest.mark.row(8)
@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7"])
def test_a_stranger_is_refused(host):
    """Row 8: a client that talks before the banner hears 554 5.5.1 and nothing more; it is recorded."""
    said, closed, events = hears(host, early=b"EHLO client.example\r\n")
    assert said.startswith(b"554 5.5.1 ")
    assert said.count(b"\r\n") == 1
    assert closed
    assert [event.facts["command"] for event in events] == ["CONNECT"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", ""])
def test_on_this_machine_it_is_the_first_command(host):
    said, closed, events = hears(host, early=b"NOOP\r\n")
    assert [line[:3] for line in said.splitlines()] == [b"220", b"250"]
    assert not closed
    assert events == []


def test_a_stranger_who_waits_is_greeted():
    said, closed, _events = hears("192.0.2.7", early=b"")
    assert said.startswith(b"220 ")
    assert not closed
