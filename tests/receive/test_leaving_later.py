"""Users hand in what is to leave later; it waits in the queue, also for people here (RFC 4865)."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from smtp_house import NOW, House
from users_talk import BOB, FAR, LETTER, talk

DAY = 86_400.0


@pytest.fixture
def house():
    return House(ahead_seconds=30 * DAY)


def moment(ahead):
    return f"{datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=ahead):%Y-%m-%dT%H:%M:%SZ}"


def begin(house, parameters, **settings):
    """EHLO's answer and MAIL's."""
    hello, answers = talk(house, f"MAIL FROM:<ann@our.example> {parameters}", **settings)
    return hello, answers[0]


def test_users_are_told_how_far_ahead(house):
    hello, answer = begin(house, f"HOLDFOR={30 * DAY:.0f}")
    # NOW is 15:04:05; the announced moment is to the minute.
    assert "250-FUTURERELEASE 2592000 2026-12-23T15:04:00Z\r\n" in hello
    assert answer.startswith("250")


@pytest.mark.parametrize("parameter", ["HOLDFOR=2592001", f"HOLDUNTIL={moment(30 * DAY + 1)}"])
def test_nobody_hands_in_further_ahead(house, parameter):
    _, answer = begin(house, parameter)
    name = parameter.partition("=")[0]
    assert answer == f"501 5.5.4 {name} may reach 30 days ahead, until 2026-12-23T15:04:00Z\r\n"


@pytest.mark.parametrize("service", ["smtp", "lmtp", "submission"])
def test_where_it_is_not_offered_it_is_unknown(service):
    house = House()
    house.relays_for = (ip_network("127.0.0.0/8"),)
    hello, answer = begin(house, "HOLDFOR=60", service=service)
    assert "FUTURERELEASE" not in hello
    assert answer == "555 5.5.4 Parameter HOLDFOR not recognised\r\n"


def sent(house, parameters):
    recipients = ("RCPT TO:<bob@our.example>", "RCPT TO:<eve@far.example>")
    _, answers = talk(house, f"MAIL FROM:<ann@our.example> {parameters}", *recipients, "DATA", LETTER)
    [(acceptance, _)] = house.intake.accepted
    return answers[-1], acceptance.actions


@pytest.mark.parametrize("parameters", ["HOLDFOR=3600", f"HOLDUNTIL={moment(3600)}"])
def test_it_waits_for_people_here_as_well(house, parameters):
    answer, [waiting] = sent(house, parameters)
    assert waiting.envelope.recipients == (BOB, FAR)
    assert (waiting.at, waiting.not_before) == (NOW, NOW + 3600)
    assert answer.endswith("; it leaves on Mon, 23 Nov 2026 16:04:05 +0000\r\n")
    assert house.limits.counted == [("ann@our.example", ["eve@far.example"])]


@pytest.mark.parametrize(
    "parameters", ["HOLDFOR=0", f"HOLDUNTIL={moment(0)}", "HOLDUNTIL=1970-01-01T00:00:00Z"]
)
def test_what_is_over_leaves_at_once(house, parameters):
    """It may have lain in the mail program for too long."""
    answer, [_copy, waiting] = sent(house, parameters)
    assert (waiting.envelope.recipients, waiting.not_before) == ((FAR,), 0.0)
    assert "leaves" not in answer


def test_what_is_held_for_its_sender_is_held_no_less(house):
    house.limits.held = "ann sent very much"
    answer, [waiting] = sent(house, "HOLDFOR=3600")
    assert (waiting.held, waiting.free, waiting.not_before) == ("ann sent very much", (BOB,), NOW + 3600)
    assert "held for now" in answer
