"""A host that is short of room says so at MAIL, before any octet of the message is sent."""

import pytest
from fakes import MemoryConnection
from smtp_house import House, MemorySpace
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock


def hears(space, *lines):
    """The last lines that a client hears."""
    clock, house = Clock(), House()
    house.space = space
    connection = MemoryConnection(clock, host="192.0.2.7", service="smtp")
    Deferred.fromCoroutine(house.conversation(clock).run(connection))
    clock.advance(1)
    for line in (b"EHLO client.example", *lines):
        connection.take()
        connection.feed(line + b"\r\n")
        clock.advance(1)
    return connection.take(), house.journal.events


@pytest.mark.parametrize(
    ("octets", "mail"),
    [(0, b"MAIL FROM:<>"), (5000, b"MAIL FROM:<> SIZE=5000"), (0, b"MAIL FROM:<> SIZE=1")],
)
def test_there_is_no_room(octets, mail):
    said, events = hears(MemorySpace(octets), mail)
    assert said == b"452 4.3.1 This host is short of room; try again later\r\n"
    assert [event.facts["reply"][:9] for event in events] == ["452 4.3.1"]


def test_a_smaller_message_may_come():
    said, _events = hears(MemorySpace(5000), b"MAIL FROM:<> SIZE=5000", b"MAIL FROM:<> SIZE=4999")
    assert said.startswith(b"250 ")


def test_a_message_that_is_too_big_will_never_fit():
    said, _events = hears(MemorySpace(0), b"MAIL FROM:<> SIZE=10001")
    assert said.startswith(b"552 5.3.4 ")
