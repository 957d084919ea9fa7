"""What strangers send instead of mail: the end of a message forged, lines and messages without end.

Beside each attack a normal client is served all the time (``attacked_host``).
"""

import time

import pytest
from attacked_host import MESSAGE_OCTETS, Stranger, inbox, resident

MEGABYTE = 1024 * 1024
HEAD = b"From: stranger@example.org\r\nSubject: attack\r\n\r\n"
SMUGGLED = (
    b"MAIL FROM:<smuggler@example.org>\r\nRCPT TO:<%b>\r\nDATA\r\n"
    b"From: boss@system.test\r\n\r\nsmuggled\r\n.\r\n"
)
FAKE_ENDS = {
    "LF.LF": b"\n.\n",
    "LF.CR": b"\n.\r",
    "CR.LF": b"\r.\n",
    "CR.CR": b"\r.\r",
    "LF.CRLF": b"\n.\r\n",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CRLF.CR": b"\r\n.\r",
    "CRLF NUL.CRLF": b"\r\n\0.\r\n",
    "CRLF.NUL CRLF": b"\r\n.\0\r\n",
    "CRLF.CR CRLF": b"\r\n.\r\r\n",
    "CR CRLF.CR CRLF": b"\r\r\n.\r\r\n",
}


# The end of a message


@pytest.mark.row(1)
@pytest.mark.parametrize("name", FAKE_ENDS)
def test_a_fake_end_of_data(attacked, victim, name):
    """Row 1: it ends nothing; the whole is refused at its true end, and no command in it is run."""
    attack = SMUGGLED % victim.address.encode()
    for pieces in ([FAKE_ENDS[name]], [bytes([octet]) for octet in FAKE_ENDS[name]]):
        with Stranger(attacked) as stranger:
            stranger.begin(victim)
            stranger.say(HEAD + b"hello")
            for piece in pieces:
                stranger.say(piece)
                time.sleep(0.002)
            stranger.say(attack)
            assert stranger.reply().startswith("550 5.6.0 ")
            assert stranger.ask("QUIT").startswith("221 ")
            assert stranger.rest() == []
    assert inbox(attacked, victim) == []


@pytest.mark.row(10)
@pytest.mark.parametrize("octets", [998, 1000, 2048, 16384, 70_000, 10 * MEGABYTE])
def test_a_long_line_in_a_message(attacked, victim, octets):
    """Row 10: kept as it came or refused at the true end; nothing in it is taken for a command."""
    line = (b"RSET DATA QUIT . " * (octets // 17 + 1))[: octets - 2] + b"\r\n"
    with Stranger(attacked) as stranger:
        stranger.begin(victim)
        stranger.say(HEAD + line + b".\r\n")
        reply = stranger.reply()
        assert stranger.ask("NOOP").startswith("250 ")
    found = inbox(attacked, victim)
    if octets <= MEGABYTE:
        assert reply.startswith("250 2.0.0 ")
        assert [message[-len(HEAD + line) :] for message in found] == [HEAD + line]
    else:
        assert reply.startswith("554 5.6.0 ")
        assert found == []


# Sizes


@pytest.mark.row(12)
def test_declared_sizes(attacked, victim):
    """Row 12: what is too much is refused at MAIL, what is no size is an error, a lie is no matter."""
    with Stranger(attacked) as stranger:
        stranger.ask("HELO stranger.example")
        for size, code in {
            str(MESSAGE_OCTETS + 1): "552 5.3.4",
            "1" + "0" * 30: "552 5.3.4",
            "-1": "501 5.5.4",
            "abc": "501 5.5.4",
            "": "501 5.5.4",
            "1_000": "501 5.5.4",
            "\u0661": "501 5.5.4",
        }.items():
            assert stranger.ask(f"MAIL FROM:<stranger@example.org> SIZE={size}")[:9] in (code, "501 5.1.7")
        assert stranger.ask("RCPT TO:<x@system.test>").startswith("503 ")
        assert stranger.ask("MAIL FROM:<stranger@example.org> SIZE=10").startswith("250 ")
        stranger.ask(f"RCPT TO:<{victim.address}>")
        stranger.ask("DATA")
        stranger.say(HEAD + b"more than ten octets\r\n.\r\n")
        assert stranger.reply().startswith("250 ")
    assert len(inbox(attacked, victim)) == 1


@pytest.mark.row(12)
def test_a_message_over_the_limit(attacked, bystander, victim):
    """Row 12: refused at its end, and the connection goes on; nothing of it stays in the spool."""
    with Stranger(attacked) as stranger:
        stranger.begin(victim)
        line = b"x" * 1022 + b"\r\n"
        stranger.say(HEAD + line * (MESSAGE_OCTETS // 1024 + 1) + b".\r\n")
        assert stranger.reply().startswith("552 5.3.4 ")
        assert stranger.ask("NOOP").startswith("250 ")
    assert inbox(attacked, victim) == []
    assert list((attacked.directory / "data" / "intake" / "spool").iterdir()) == []


@pytest.mark.row(12)
def test_a_message_without_end(attacked, bystander, victim):
    """Row 12: beyond twice the limit the stranger is told and left, in the middle of it."""
    before = resident(attacked)
    with Stranger(attacked) as stranger:
        stranger.begin(victim)
        sent, piece = 0, (b"x" * 1022 + b"\r\n") * 256
        while sent < 10 * MESSAGE_OCTETS and stranger.blast(piece):
            sent += len(piece)
        assert sent < 3 * MESSAGE_OCTETS
        refusal = "552 5.3.4 Message is larger than this host accepts"
        assert stranger.rest() in ([], [refusal])
        assert stranger.was_refused(refusal)
    # Before somebody logs in: a password's hash takes memory, too.
    assert bystander.resident - before < 10 * MEGABYTE
    assert inbox(attacked, victim) == []
    assert list((attacked.directory / "data" / "intake" / "spool").iterdir()) == []


# Command lines


@pytest.mark.row(2)
def test_a_bare_line_feed_ends_no_command(attacked):
    """Row 2: it is an error within its line, and the third ends the connection."""
    with Stranger(attacked) as stranger:
        stranger.ask("HELO stranger.example")
        stranger.say(b"MAIL FROM:<stranger@example.org>\n")
        assert stranger.hears_nothing()
        assert stranger.ask("RCPT TO:<user0@system.test>").startswith("500 5.5.2 ")
        assert stranger.ask("RCPT TO:<user0@system.test>").startswith("503 5.5.1 ")
        assert stranger.ask("NOOP\nNOOP").startswith("500 5.5.2 ")
        assert stranger.ask("NOOP\r").startswith("500 5.5.2 ")
        assert stranger.rest() == []


@pytest.mark.row(11)
def test_long_command_lines(attacked):
    """Row 11: one error each, whatever its length, as long as there is an end."""
    with Stranger(attacked) as stranger:
        assert stranger.ask(b"NOOP " + b"x" * 507).startswith("250 ")
        assert stranger.ask(b"NOOP " + b"x" * 4092).startswith("500 5.5.2 ")
        assert stranger.ask(b"NOOP " + b"x" * 30_000).startswith("500 5.5.2 ")
        assert stranger.ask(b"NOOP").startswith("250 ")


@pytest.mark.row(11)
@pytest.mark.parametrize("octets", [70_000, 10 * MEGABYTE])
def test_a_command_line_without_end(attacked, bystander, octets):
    """Row 11: the connection ends after 64 kB of it, and it is not kept in memory."""
    before = resident(attacked)
    with Stranger(attacked) as stranger:
        arrived = stranger.blast(b"x" * octets)
        heard = stranger.rest()
        if octets < MEGABYTE:
            assert arrived
            assert heard == ["500 5.5.2 Line too long"]
            assert stranger.was_refused(heard[0])
        else:
            assert heard in ([], ["500 5.5.2 Line too long"])
    assert max(bystander.resident, resident(attacked)) - before < 10 * MEGABYTE


# Too much of what is right


@pytest.mark.row(13)
def test_more_recipients_than_there_may_be(attacked, victim):
    """Row 13: the rest is to come in another transaction; who is named twice gets one copy."""
    name, domain = victim.address.split("@")
    commands = [f"RCPT TO:<{name}+{number}@{domain}>\r\n" for number in range(1000)]
    with Stranger(attacked) as stranger:
        stranger.ask("HELO stranger.example")
        stranger.ask("MAIL FROM:<stranger@example.org>")
        stranger.say("".join(commands).encode())
        assert {stranger.reply()[:9] for _ in commands} == {"250 2.1.5"}
        assert stranger.ask(f"RCPT TO:<{name}+one.more@{domain}>").startswith("452 4.5.3 ")
        stranger.say(commands[0].encode() * 1000)
        assert {stranger.reply()[:9] for _ in commands} == {"250 2.1.5"}
        assert stranger.ask("DATA").startswith("354 ")
        assert stranger.ask(HEAD + b"to many\r\n.").startswith("250 ")
    assert len(inbox(attacked, victim)) == 1


@pytest.mark.row(13)
@pytest.mark.parametrize(
    "command", ["NOOP", "RSET", "VRFY x", "HELP", "EXPN x", "MAIL FROM:<x@example.org>\r\nRSET", "nonsense"]
)
def test_commands_that_lead_to_nothing(attacked, command):
    """Row 13: after some of them the connection ends, and the stranger is told why."""
    with Stranger(attacked) as stranger:
        stranger.ask("HELO stranger.example")
        stranger.blast(f"{command}\r\n".encode() * 100_000)
        *heard, last = stranger.rest()
        assert last == "421 4.7.0 Too many errors"
        assert stranger.was_refused(last)
        assert len(heard) < 250


@pytest.mark.row(13)
def test_greetings_again_and_again(attacked):
    """Row 13: EHLO has to be waited for, and it is counted as well."""
    with Stranger(attacked) as stranger:
        replies = [stranger.ask("HELO stranger.example") for _ in range(102)]
        assert {reply[:4] for reply in replies} == {"250 "}
        assert stranger.rest() == ["421 4.7.0 Too many errors"]


# Other protocols


@pytest.mark.row(9)
@pytest.mark.parametrize("service", ["smtp", "lmtp", "pop3"])
@pytest.mark.parametrize(
    "opening",
    [
        b"POST / HTTP/1.1\r\nHost: mail\r\n\r\nHELO x\r\nMAIL FROM:<x@example.org>\r\nCAPA\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\nNOOP\r\n" * 20,
        b"SSH-2.0-OpenSSH_9.2\r\nNOOP\r\n",
        b"\0" * 512 + b"\r\nNOOP\r\n",
    ],
    ids=["POST", "GET", "TLS", "SSH", "NULs"],
)
def test_another_protocol(attacked, service, opening):
    """Row 9: one answer, the end, and nothing of what follows is run."""
    with Stranger(attacked, service) as stranger:
        stranger.say(opening)
        [answer] = stranger.rest()
        assert answer.startswith("-ERR " if service == "pop3" else "421 4.7.0 ")
        assert service == "pop3" or stranger.was_refused(answer)
