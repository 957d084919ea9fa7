"""Recipients with a delivery, and header lines of plugins, seen from the session."""

import pytest
from dialogs.runner import Play
from fakes import MemoryDelivery
from smtp_house import House
from zope.interface import implementer

from mailsys.interfaces import DirectoryUnavailable, IRouter, PluginFailed
from mailsys.message.address import parse_address
from mailsys.message.outcome import Deferred, Failed
from mailsys.message.reply import LOCAL_ERROR, NO_SUCH_USER
from mailsys.route.deliveries import DeliveryRouter

TICKETS = parse_address("tickets@our.example")
ANN = "RCPT TO:<ann@our.example>"
MESSAGE = "From: a@client.example\r\nSubject: Printer\r\n\r\nIt is on fire.\r\n"


@pytest.fixture
def house():
    house = House()
    house.delivery = MemoryDelivery()
    house.deliveries = {"pipe": house.delivery}
    house.routers = [DeliveryRouter({TICKETS: "pipe", "lists.example": "pipe"}, "+")]
    return house


def talk(house, *lines, service="smtp"):
    """Say the lines after the greeting; the answer to each."""
    play = Play(house.conversation, {"service": service})
    play.connection.take()
    play.say(f"{'LHLO' if service == 'lmtp' else 'EHLO'} client.example\r\n".encode())
    return [play.say(f"{line}\r\n".encode()).decode() for line in lines]


def sent(house, *recipients, service="smtp"):
    """Send MESSAGE to these; the answers from RCPT on."""
    commands = ["MAIL FROM:<a@client.example>", *recipients, "DATA", f"{MESSAGE}."]
    return talk(house, *commands, service=service)[1:]


def test_a_message_is_handed_on_whole_with_our_lines_in_front(house):
    house.header_writers.written = (b"Organization: Ours\r\n",)
    answers = sent(house, "RCPT TO:<tickets@our.example>")
    assert answers[-1].startswith("250 2.0.0 Accepted as session1.1")
    [(envelope, octets, recipients)] = house.delivery.taken
    assert recipients == envelope.recipients == (TICKETS,)
    assert octets.startswith(b"Organization: Ours\r\nReceived: from ")
    assert octets.endswith(MESSAGE.encode())
    assert house.intake.accepted == []


def test_the_journal_tells_that_it_came_and_where_it_went(house):
    sent(house, "RCPT TO:<tickets+urgent@our.example>")
    received, delivered = [event.facts for event in house.journal.events]
    assert received["via"] == {
        "tickets+urgent@our.example": ["mail for tickets@our.example goes to the delivery pipe"]
    }
    assert (received["event"], received["subject"]) == ("received", "Printer")
    assert (delivered["event"], delivered["recipient"]) == ("delivered", "tickets+urgent@our.example")
    assert (delivered["delivery"], delivered["where"]) == ("pipe", "ticket 17")


def test_a_whole_domain_is_handed_on(house):
    assert sent(house, "RCPT TO:<anybody@lists.example>")[-1].startswith("250")


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [(Deferred(LOCAL_ERROR), "451 4.3.0"), (Failed(NO_SUCH_USER), "550 5.1.1")],
)
def test_the_client_hears_what_the_delivery_says(house, outcome, answer):
    house.delivery.outcome = outcome
    house.delivery.said = "the program ended with status 75"
    assert sent(house, "RCPT TO:<tickets@our.example>")[-1].startswith(answer)
    [event] = house.journal.events
    assert event.facts["event"] == "refused"
    assert event.facts["to"] == ["tickets@our.example"]
    assert "the delivery pipe: the program ended with status 75" in event.facts["checked"]


@pytest.mark.parametrize("service", ["smtp", "lmtp"])
@pytest.mark.parametrize(
    "recipients",
    [
        (ANN, "RCPT TO:<tickets@our.example>"),
        ("RCPT TO:<tickets@our.example>", ANN),
        ("RCPT TO:<tickets@our.example>", "RCPT TO:<x@lists.example>"),
    ],
)
def test_a_recipient_that_is_handed_on_has_a_transaction_of_its_own(house, service, recipients):
    """One answer for both would have one of them sent twice; RFC 5321 4.5.3.1.10 has the client go on."""
    answers = sent(house, *recipients, service=service)
    assert [answer[:9] for answer in answers] == ["250 2.1.5", "452 4.5.3", "354 Go ah", "250 2.0.0"]
    assert len(house.delivery.taken) + len(house.intake.accepted) == 1


def test_a_route_to_a_delivery_that_nobody_knows_is_for_later(house):
    house.routers = [DeliveryRouter({TICKETS: "horse"}, "+")]
    [answer] = talk(house, "MAIL FROM:<>", "RCPT TO:<tickets@our.example>")[1:]
    assert answer.startswith("451 4.3.0")


@implementer(IRouter)
class FailingRouter:
    async def route(self, recipient):
        raise DirectoryUnavailable("the plugin acme failed at route: RecursionError")


@pytest.mark.row(66)
def test_a_router_that_fails_hurts_its_recipient_and_is_named(house):
    house.routers = [FailingRouter()]
    [answer] = talk(house, "MAIL FROM:<>", ANN)[1:]
    assert answer.startswith("451 4.3.0")
    [event] = house.journal.events
    assert event.facts["checked"] == [
        "it cannot be looked up: the plugin acme failed at route: RecursionError"
    ]


@pytest.mark.row(66)
def test_a_header_writer_that_fails_hurts_its_message_and_is_named(house):
    house.header_writers.fault = PluginFailed("the plugin acme failed at lines: MemoryError")
    assert sent(house, ANN)[-1].startswith("451 4.3.0")
    [event] = house.journal.events
    assert "the plugin acme failed at lines: MemoryError" in event.facts["checked"]
    house.header_writers.fault = None
    assert talk(house, "MAIL FROM:<a@client.example>", ANN, "DATA", f"{MESSAGE}.")[-1].startswith("250")


def test_header_lines_stand_in_each_copy_below_its_own_lines(house):
    house.header_writers.written = (b"Organization: Ours\r\n",)
    sent(house, ANN, "RCPT TO:<bob@our.example>")
    [(acceptance, _content)] = house.intake.accepted
    for action in acceptance.actions:
        names = [line.split(b":")[0] for line in action.head.split(b"\r\n") if line[:1].strip()]
        assert names == [b"Return-Path", b"Delivered-To", b"Organization", b"Received"]
