"""The lab's parts that need no running host: who lives where, free ports, and how it is told."""

import io
import socket

import pytest

from mailsys.config.ports import STANDARD_PORTS
from mailsys.lab.failure import LabFailed
from mailsys.lab.organisation import MOST, organisations
from mailsys.lab.ports import FIRST_BASE, STEP, choose_port_base, kept_port_base
from mailsys.lab.telling import Telling

ADDRESS = "127.0.1.9"  # of no organisation of the lab


@pytest.fixture
def taken():
    """A base one of whose ports is in use."""
    with socket.socket() as listener:
        base = choose_port_base([ADDRESS], None)
        listener.bind((ADDRESS, base + STANDARD_PORTS["pop3"]))
        listener.listen()
        yield base


def test_everybody_lives_somewhere_else():
    everyone = organisations(MOST, 20000)
    assert len({one.address for one in everyone}) == len({one.domain for one in everyone}) == MOST
    assert all(one.address.startswith("127.0.1.") for one in everyone)
    people = [person for one in everyone for person in one.people]
    assert len({person.address for person in people}) == 2 * MOST
    assert everyone[0].port("smtp") == 20025
    assert everyone[0].hostname == "mail.alpha.test"


def test_a_wanted_port_in_use_is_told_in_a_sentence(taken):
    with pytest.raises(
        LabFailed, match=rf"^Port {taken + 110} of {ADDRESS} is in use: choose another --port-base"
    ):
        choose_port_base([ADDRESS], taken)


def test_the_next_ports_are_found_by_themselves(taken):
    found = choose_port_base([ADDRESS], None)
    assert found > taken
    assert (found - FIRST_BASE) % STEP == 0


def test_all_addresses_must_have_the_ports_free(taken):
    assert choose_port_base(["127.0.1.10", ADDRESS], None) != taken


def test_two_that_look_at_once_get_different_ports():
    """Neither listens yet."""
    with kept_port_base([ADDRESS, "127.0.1.10"]) as first:
        with kept_port_base(["127.0.1.10"]) as second:
            assert second != first
        with (
            pytest.raises(LabFailed, match=rf"^Port base {first} of {ADDRESS} is in use: choose another"),
            kept_port_base([ADDRESS], first),
        ):
            pass
    assert choose_port_base([ADDRESS], first) == first


def test_an_address_that_is_not_here_is_told_in_a_sentence():
    with pytest.raises(LabFailed, match="cannot be used"):
        choose_port_base(["192.0.2.1"], 20000)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(out):
    telling = Telling(out)
    telling.heading("A heading")
    telling.step("store", "in the mailbox")
    telling.quote("their\nwords\n")
    return out.getvalue()


def test_a_pipe_gets_plain_lines():
    assert told(io.StringIO()) == (
        "\nA heading\n  store       in the mailbox\n              their\n              words\n"
    )


def test_a_terminal_gets_colour(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in told(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in told(Terminal())
