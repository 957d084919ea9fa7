"""Commands that are wrong, out of order or glued together, against a real SMTP server.

Beside each attack a normal client is served all the time (``attacked_host``).
"""

import base64
import ssl

import pytest
from attacked_host import Stranger, count, inbox

LETTER = b"From: stranger@example.org\r\n\r\nattack\r\n"
MAIL = b"MAIL FROM:<stranger@example.org>\r\n"
OUT_OF_ORDER = "503 5.5.1 "


@pytest.fixture
def stranger(attacked):
    """One who has said HELO."""
    with Stranger(attacked) as stranger:
        stranger.ask("HELO stranger.example")
        yield stranger


def assert_no_transaction(stranger, victim):
    """Neither of the commands that need one is taken."""
    for command in (f"RCPT TO:<{victim.address}>", "DATA", "BDAT 0 LAST"):
        assert stranger.ask(command).startswith(OUT_OF_ORDER)


# Addresses


@pytest.mark.row(16)
@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (b"<a\rb@example.org>", "500 5.5.2"),
        (b"<a\nb@example.org>", "500 5.5.2"),
        (b"<a\0b@example.org>", "501 5.1.7"),
        (b"<a\x1b[2Jb@example.org>", "501 5.1.7"),
        (b'<"a\x07"@example.org>', "501 5.1.7"),
        (b"<a\x7fb@example.org>", "501 5.1.7"),
        ("<jürgen@example.org>".encode(), "553 5.6.7"),
        (b"<j\xfcrgen@example.org>", "501 5.1.7"),
        (b'<"a@example.org>', "501 5.1.7"),
        (b"<a@example.org", "501 5.1.7"),
        (b"<" + b"a" * 65 + b"@example.org>", "501 5.1.7"),
        (b"<a@" + b"b." * 125 + b"example>", "501 5.1.7"),
        (b"<" + b"a" * 64 + b"@" + b"b." * 124 + b"example>", "501 5.1.7"),
        (b"<a@example.org> \x1b]0;title\x07", "501 5.1.7"),
    ],
)
def test_a_sender_that_is_no_address(attacked, stranger, victim, path, answer):
    """Row 16: refused, and nothing of it gets into a header, a file name or the log."""
    assert stranger.ask(b"MAIL FROM:" + path).startswith(answer)
    assert_no_transaction(stranger, victim)
    assert count(attacked, victim) == 0


@pytest.mark.row(16)
def test_a_greeting_with_control_characters(attacked, victim):
    """Row 16: what a stranger calls itself is not copied raw either."""
    with Stranger(attacked) as stranger:
        for name in (b"a\x1b[2Jb", b"a\0b", b"a\x7fb", b"\xff\xfe", b""):
            assert stranger.ask(b"EHLO " + name).startswith("501 5.5.4 ")
        stranger.begin(victim)
        assert stranger.ask(LETTER + b".").startswith("250 ")
    [message] = inbox(attacked, victim)
    assert b"\x1b" not in message


# BDAT


@pytest.mark.row(17)
def test_chunks_without_a_transaction(stranger, victim):
    """Row 17: the octets of a chunk that is refused are still its octets, and no commands."""
    stranger.say(b"BDAT 6\r\nNOOP\r\n")
    assert stranger.reply().startswith(OUT_OF_ORDER)
    stranger.say(b"BDAT 6 LAST\r\nNOOP\r\nVRFY x\r\n")
    assert stranger.reply().startswith(OUT_OF_ORDER)
    assert stranger.reply().startswith("252 ")
    assert_no_transaction(stranger, victim)


@pytest.mark.row(17)
def test_chunks_in_every_wrong_order(attacked, stranger, victim):
    """Row 17: DATA after BDAT, BDAT after the last, RSET in between: refused or dropped whole."""
    begin = MAIL + f"RCPT TO:<{victim.address}>\r\n".encode()
    stranger.say(begin + b"BDAT 10\r\nFrom: a@b.")
    assert [stranger.reply()[:9] for _ in range(3)] == ["250 2.1.0", "250 2.1.5", "250 2.0.0"]
    assert stranger.ask("DATA").startswith(OUT_OF_ORDER)
    assert stranger.ask("RSET").startswith("250 ")
    stranger.say(b"BDAT 11 LAST\r\nexample\r\n\r\n")
    assert stranger.reply().startswith(OUT_OF_ORDER)
    stranger.say(begin + b"BDAT 0\r\nBDAT %d LAST\r\n" % len(LETTER) + LETTER)
    assert [stranger.reply()[:9] for _ in range(4)] == ["250 2.1.0", "250 2.1.5", "250 2.0.0", "250 2.0.0"]
    stranger.say(b"BDAT 4 LAST\r\nmore")
    assert stranger.reply().startswith(OUT_OF_ORDER)
    [message] = inbox(attacked, victim)
    assert message.endswith(b"\r\n" + LETTER)


@pytest.mark.row(17)
@pytest.mark.row(66)
@pytest.mark.parametrize("size", [b"1" + b"0" * 20, b"9" * 1900, b"-1", b"1e3", b"0x10", "\u0661".encode()])
def test_a_chunk_whose_octets_cannot_be_counted(attacked, stranger, victim, size):
    """Rows 17 and 66: what follows could be anything, so the connection ends."""
    stranger.say(MAIL + f"RCPT TO:<{victim.address}>\r\n".encode())
    stranger.blast(b"BDAT " + size + b" LAST\r\n" + LETTER + b"RSET\r\nNOOP\r\n")
    heard = stranger.rest()
    assert [line[:9] for line in heard[:2]] == ["250 2.1.0", "250 2.1.5"]
    assert len(heard) == 3
    assert heard[2][:9] in ("552 5.3.4", "501 5.5.4")
    assert count(attacked, victim) == 0


@pytest.mark.row(17)
@pytest.mark.parametrize("chunk", [b"BDAT 1\r\nx", b"BDAT 0\r\n"])
def test_a_flood_of_tiny_chunks(attacked, stranger, victim, chunk):
    """Row 17: cut off long before the end, with an answer that says why."""
    stranger.say(MAIL + f"RCPT TO:<{victim.address}>\r\n".encode())
    stranger.blast(chunk * 100_000)
    heard = stranger.rest()
    assert len(heard) < 1200
    assert heard[-1] == "421 4.7.0 Too many errors"
    assert "552 5.3.4 Message comes in too many chunks" in heard
    assert count(attacked, victim) == 0


@pytest.mark.row(17)
@pytest.mark.parametrize("way", ["DATA", "BDAT"])
def test_a_stranger_who_leaves_in_the_middle(attacked, victim, way):
    """Row 17: no message, and no file of it."""
    with Stranger(attacked) as stranger:
        stranger.ask("HELO stranger.example")
        command = b"DATA\r\n" if way == "DATA" else b"BDAT 2000000 LAST\r\n"
        stranger.say(MAIL + f"RCPT TO:<{victim.address}>\r\n".encode() + command)
        if way == "DATA":
            assert [stranger.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
        stranger.say(LETTER * 30_000)
    assert count(attacked, victim) == 0
    with Stranger(attacked) as another:  # who came later is answered later
        another.ask("NOOP")
    assert list((attacked.directory / "data" / "intake" / "spool").iterdir()) == []


# No state survives


@pytest.mark.row(18)
@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        ([b"DATA\r\n", b"a bare\nfeed\r\n.\r\n"], "550 5.6.0 "),
        ([b"DATA\r\n", LETTER + b".\r\n"], "250 2.0.0 "),
        ([b"BDAT 13 LAST\r\na bare\nfeed\r\n"], "550 5.6.0 "),
        ([b"BDAT 1\r\nx", b"RSET\r\n"], "250 2.0.0 "),
        ([b"BDAT 0 LAST\r\n"], "550 5.7.1 "),
        ([b"RSET\r\n"], "250 2.0.0 "),
        ([b"EHLO stranger.example\r\n"], "250 "),
        ([b"HELO stranger.example\r\n"], "250 "),
    ],
)
def test_after_a_transaction(stranger, victim, steps, answer):
    """Row 18: nothing of it is left, whatever became of it."""
    stranger.say(MAIL + f"RCPT TO:<{victim.address}>\r\n".encode())
    assert [stranger.reply()[:4] for _ in range(2)] == ["250 ", "250 "]
    for step in steps:
        stranger.say(step)
        reply = stranger.reply()
    assert reply.startswith(answer)
    assert_no_transaction(stranger, victim)


@pytest.mark.row(18)
@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("MAIL FROM:<a b>", "501 5.1.7 "),
        ("MAIL FROM:<a@b.example> SIZE=99999999999", "552 5.3.4 "),
        ("MAIL FROM:<jürgen@b.example>", "553 5.6.7 "),
        ("VRFY jürgen", "252 2.5.0 "),
    ],
)
def test_after_a_command_that_begins_nothing(stranger, victim, command, answer):
    """Row 18: it leaves no half of a transaction."""
    assert stranger.ask(command).startswith(answer)
    assert_no_transaction(stranger, victim)


@pytest.mark.row(18)
def test_a_name_in_utf8_within_a_transaction(attacked, stranger, victim):
    """Row 18: VRFY changes nothing, not even half of it."""
    stranger.ask(MAIL.strip())
    assert stranger.ask("VRFY jürgen").startswith("252 ")
    assert stranger.ask("RCPT TO:<jürgen@system.test>").startswith("553 5.6.7 ")
    assert stranger.ask(f"RCPT TO:<{victim.address}>").startswith("250 ")
    assert stranger.ask("DATA").startswith("354 ")
    assert stranger.ask(LETTER + b".").startswith("250 ")
    assert count(attacked, victim) == 1


# Glued together


@pytest.mark.row(19)
@pytest.mark.parametrize("service", ["smtp", "submission"])
@pytest.mark.parametrize(
    "command",
    [
        b"EHLO again.example\r\n" + MAIL,
        b"AUTH PLAIN\r\nAGEAYg==\r\n",
        b"AUTH PLAIN AGEAYg==\r\n" + MAIL,
        b"STARTTLS\r\n" + MAIL,
        MAIL + b"RCPT TO:<%b>\r\nDATA\r\n" + LETTER + b".\r\n",
    ],
    ids=["EHLO", "AUTH", "AUTH with response", "STARTTLS", "DATA"],
)
def test_more_than_may_be_sent_before_the_reply(attacked, victim, command, service):
    """Row 19: where a client has to wait, what it sent too early is not looked at (554 5.5.0)."""
    with Stranger(attacked, service) as stranger:
        stranger.ask("HELO stranger.example")
        if service == "submission" and b"DATA" in command:
            assert stranger.log_in(victim).startswith("235 ")
        own = victim.address.encode()
        command = command.replace(b"%b", own)
        stranger.say(
            command.replace(MAIL, b"MAIL FROM:<%b>\r\n" % own) if service == "submission" else command
        )
        heard = stranger.rest()
        assert heard[-1].startswith("554 5.5.0 ")
        assert stranger.was_refused(heard[-1])
        assert len(heard) == (3 if b"DATA" in command else 1)
    assert count(attacked, victim) == 0


@pytest.mark.row(19)
def test_a_login_and_a_message_pipelined_in_order(attacked, victim):
    """Row 19: a group is answered in its order, and a new EHLO forgets the transaction."""
    with Stranger(attacked, "submission") as stranger:
        stranger.ask("EHLO stranger.example")
        assert stranger.log_in(victim).startswith("235 ")
        mail = f"MAIL FROM:<{victim.address}>\r\n"
        stranger.say(
            f"{mail}RCPT TO:<nobody@system.test>\r\nRCPT TO:<{victim.address}>\r\nRSET\r\n{mail}".encode()
        )
        heard = [stranger.reply()[:9] for _ in range(5)]
        assert heard == ["250 2.1.0", "550 5.1.1", "250 2.1.5", "250 2.0.0", "250 2.1.0"]
        assert stranger.ask(f"RCPT TO:<{victim.address}>").startswith("250 ")
        assert stranger.ask("EHLO other.example").startswith("250 ")
        assert stranger.ask("DATA").startswith(OUT_OF_ORDER)
        # The login outlives it: it is the connection's (RFC 4954 4).
        assert stranger.ask(mail.strip()).startswith("250 ")
    assert count(attacked, victim) == 0


@pytest.mark.row(5)
def test_plain_text_between_starttls_and_the_handshake(attacked, stranger):
    """Row 5: in a segment of its own, it ends the connection and is never run."""
    assert stranger.ask("STARTTLS").startswith("220 ")
    stranger.say(b"EHLO injected.example\r\n" + MAIL)
    assert not any(
        line.startswith(("250", "5")) for line in stranger.rest_octets().decode("latin-1").split("\r\n")
    )


@pytest.mark.row(6)
def test_tls_forgets_what_was_said_before(attacked, stranger):
    """Row 6: the greeting counts no more, and TLS cannot begin twice."""
    assert stranger.ask("STARTTLS now").startswith("501 5.5.4 ")
    assert stranger.ask("STARTTLS").startswith("220 ")
    context = ssl.create_default_context(cafile=str(attacked.certificate))
    stranger.socket = context.wrap_socket(stranger.socket, server_hostname=attacked.organisation.hostname)
    assert stranger.ask(MAIL.strip()).startswith(OUT_OF_ORDER)
    assert stranger.ask("EHLO stranger.example").startswith("250 ")
    assert stranger.ask("STARTTLS").startswith(OUT_OF_ORDER)


# AUTH


@pytest.mark.row(20)
def test_every_way_to_get_auth_wrong(attacked, victim):
    """Row 20: each has its answer, and none is a login."""
    plain = base64.b64encode
    for line, response, answer in [
        ("AUTH PLAIN !!!!", None, "501 5.5.2"),
        ("AUTH PLAIN A", None, "501 5.5.2"),
        ("AUTH PLAIN", b"*", "501 5.7.0"),
        ("AUTH PLAIN", b"", "535 5.7.8"),
        ("AUTH PLAIN =", None, "535 5.7.8"),
        ("AUTH PLAIN", plain(b"\0\0\0\0\0"), "535 5.7.8"),
        ("AUTH PLAIN", plain(b"\0" + victim.address.encode() + b"\0" + b"wrong\0more"), "535 5.7.8"),
        ("AUTH PLAIN", plain(b"\0\xff\xfe\0\xff"), "535 5.7.8"),
        ("AUTH PLAIN", b"A" * 100_000, "500 5.5.2"),
    ]:
        with Stranger(attacked, "submission") as another:
            another.ask("HELO stranger.example")
            reply = another.ask(line)
            if response is not None:
                assert reply == "334 "
                another.blast(response + b"\r\n")
                reply = another.reply()
            assert reply.startswith(answer), (line, response)
    with Stranger(attacked, "submission") as stranger:
        stranger.ask("HELO stranger.example")
        assert stranger.ask(f"MAIL FROM:<{victim.address}>").startswith("530 5.7.0 ")
        assert stranger.log_in(victim).startswith("235 2.7.0 ")
        assert stranger.log_in(victim).startswith(OUT_OF_ORDER)
        assert stranger.ask(f"MAIL FROM:<{victim.address}>").startswith("250 ")
        assert stranger.log_in(victim).startswith(OUT_OF_ORDER)
    assert victim.password not in attacked.log.read_text()


@pytest.mark.row(20)
def test_nobody_logs_in_where_strangers_bring_mail(attacked, stranger, victim):
    """Row 20: on port 25, before TLS and within, and the password is written nowhere."""
    assert stranger.log_in(victim).startswith("502 5.7.0 ")
    assert stranger.ask("STARTTLS").startswith("220 ")
    context = ssl.create_default_context(cafile=str(attacked.certificate))
    stranger.socket = context.wrap_socket(stranger.socket, server_hostname=attacked.organisation.hostname)
    assert stranger.ask("EHLO stranger.example").startswith("250 ")
    assert stranger.log_in(victim).startswith("502 5.7.0 ")
    assert stranger.ask(MAIL.strip()).startswith("250 ")
    assert victim.password not in attacked.log.read_text()


# Numbers


@pytest.mark.row(66)
@pytest.mark.parametrize("digits", [1900, 100_000])
def test_a_size_of_many_digits(stranger, digits):
    """Row 66: Python refuses to make a number of so many digits, and nobody asks it to."""
    stranger.blast(MAIL.strip() + b" SIZE=" + b"9" * digits + b"\r\n")
    assert stranger.reply()[:9] == ("501 5.5.4" if digits == 1900 else "500 5.5.2")
