"""Attacks on a real POP3 server, beside a normal client who must not notice (``attacked_host``)."""

import pytest
from attacked_host import Stranger, count
from exchange import deliver

LETTER = b"From: visitor@example.org\r\nSubject: kept\r\n\r\nhello\r\n"


@pytest.fixture
def stranger(attacked):
    with Stranger(attacked, "pop3") as stranger:
        yield stranger


def log_in(stranger, someone):
    assert stranger.ask(f"USER {someone.address}").startswith("+OK")
    return stranger.ask(f"PASS {someone.password}")


@pytest.mark.row(65)
@pytest.mark.row(66)
@pytest.mark.parametrize("command", ["LIST", "UIDL", "RETR", "TOP", "DELE"])
def test_numbers_that_are_none(attacked, stranger, victim, command):
    """Rows 65 and 66: -ERR, whatever stands there, and the session goes on."""
    deliver(attacked, victim, LETTER)
    assert log_in(stranger, victim).startswith("+OK")
    lines = " 1" if command == "TOP" else ""
    for number in ("0", "2", "-1", "1" + "0" * 20, "9" * 480, "1.0", "0x1", "\u0661", "1 2 3"):
        assert stranger.ask(f"{command} {number}{lines}").startswith("-ERR"), number
    assert stranger.ask("TOP 1 -1").startswith("-ERR")
    assert stranger.ask("TOP 1 " + "9" * 480).startswith("-ERR")
    assert stranger.ask("STAT").startswith("+OK 1 ")


@pytest.mark.row(66)
def test_a_number_of_very_many_digits(attacked, stranger, victim):
    """Row 66: longer than any line may be; the session ends, the mail stays."""
    deliver(attacked, victim, LETTER)
    assert log_in(stranger, victim).startswith("+OK")
    stranger.blast(b"LIST " + b"9" * 100_000 + b"\r\nDELE 1\r\nQUIT\r\n")
    [answer] = stranger.rest()
    assert answer.startswith("-ERR ")
    assert count(attacked, victim) == 1


@pytest.mark.row(65)
def test_two_sessions_on_one_mailbox(attacked, stranger, victim):
    """Row 65: the second is told so, the first goes on, and after it the mailbox is free."""
    assert log_in(stranger, victim).startswith("+OK")
    with Stranger(attacked, "pop3") as second:
        assert log_in(second, victim).startswith("-ERR [IN-USE] ")
        assert second.ask("STAT").startswith("-ERR")
        assert stranger.ask("STAT").startswith("+OK")
        assert stranger.ask("QUIT").startswith("+OK")
        assert log_in(second, victim).startswith("+OK")


@pytest.mark.row(65)
@pytest.mark.parametrize("way", ["without QUIT", "with QUIT behind the end"])
def test_a_session_that_breaks_off_deletes_nothing(attacked, victim, way):
    """Row 65: only QUIT deletes; half of one does not."""
    for _ in range(3):
        deliver(attacked, victim, LETTER)
    with Stranger(attacked, "pop3") as stranger:
        assert log_in(stranger, victim).startswith("+OK")
        assert [stranger.ask(f"DELE {number}")[:3] for number in (1, 2, 3)] == ["+OK"] * 3
        if way != "without QUIT":
            stranger.say(b"QUIT")
    assert count_when_free(attacked, victim) == 3


def count_when_free(host, someone):
    """The server may hear of the end a moment later than we."""
    for _ in range(50):
        try:
            return count(host, someone)
        except AssertionError:
            continue
    return count(host, someone)


@pytest.mark.row(5)
@pytest.mark.row(65)
def test_commands_injected_behind_stls(attacked, stranger, victim):
    """Rows 5 and 65: in the same segment they are refused with the connection."""
    stranger.say(f"STLS\r\nUSER {victim.address}\r\nPASS {victim.password}\r\n".encode())
    [answer] = stranger.rest()
    assert answer.startswith("-ERR ")


@pytest.mark.row(5)
@pytest.mark.row(65)
def test_commands_injected_in_front_of_the_handshake(stranger):
    """Rows 5 and 65: in a segment of their own they end the connection."""
    assert stranger.ask("STLS").startswith("+OK ")
    stranger.say(b"CAPA\r\nQUIT\r\n")
    assert b"+OK" not in stranger.rest_octets()


@pytest.mark.row(65)
def test_apop_is_no_command(stranger):
    """Row 65: the greeting offers no APOP, and it is not taken."""
    assert "<" not in stranger.greeting
    assert stranger.ask("APOP somebody c4c9334bac560ecc979e58001b3e22fb").startswith("-ERR ")


@pytest.mark.row(11)
def test_a_line_without_end(stranger):
    """Row 11: the session ends after 64 kB of it."""
    stranger.blast(b"x" * 70_000)
    [answer] = stranger.rest()
    assert answer.startswith("-ERR ")


@pytest.mark.row(20)
def test_a_login_response_without_end(stranger):
    """Row 20: bounded like every line."""
    assert stranger.ask("AUTH PLAIN") == "+ "
    stranger.blast(b"A" * 100_000 + b"\r\n")
    assert stranger.rest()[-1].startswith("-ERR ")


def test_a_flood_of_wrong_commands(stranger):
    stranger.blast(b"nonsense\r\n" * 10_000)
    heard = stranger.rest()
    assert len(heard) < 30
    assert all(line.startswith("-ERR ") for line in heard)
