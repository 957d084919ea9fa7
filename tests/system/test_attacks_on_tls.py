"""Attacks on TLS itself and on what lies around it, against a real host.

Beside each attack a normal client is served all the time (``attacked_host``).
"""

import base64
import socket
import ssl
import time

import hello
import pytest
from attacked_host import Stranger, count
from exchange import deliver
from OpenSSL import SSL

LETTER = b"From: stranger@example.org\r\n\r\nattack\r\n"
BEGIN = {"smtp": "STARTTLS", "submission": "STARTTLS", "pop3": "STLS"}


def secured(host, stranger):
    """Begin TLS on the connection, as a client should."""
    context = ssl.create_default_context(cafile=str(host.certificate))
    stranger.socket = context.wrap_socket(stranger.socket, server_hostname=host.organisation.hostname)
    return stranger


@pytest.fixture(params=["smtp", "submission", "submissions", "pop3", "pop3s"])
def before_hello(attacked, request):
    """A stranger of whom the host expects the first octets of TLS now."""
    if request.param not in BEGIN:
        with _Silent(attacked, request.param) as stranger:
            yield stranger
        return
    with Stranger(attacked, request.param) as stranger:
        if request.param != "pop3":
            stranger.ask("EHLO stranger.example")
        stranger.ask(BEGIN[request.param])
        yield stranger


class _Silent(Stranger):
    """One who is greeted inside TLS only."""

    def line(self):
        return "" if not hasattr(self, "greeting") else super().line()


# Commands around the handshake


@pytest.mark.row(6)
def test_starttls_in_the_wrong_place(attacked, victim):
    """Row 6: with an argument, before EHLO, within a transaction, twice; the transaction is unhurt."""
    with Stranger(attacked) as stranger:
        assert stranger.ask("STARTTLS").startswith("503 5.5.1 ")
        stranger.ask("EHLO stranger.example")
        assert stranger.ask("STARTTLS now").startswith("501 5.5.4 ")
        stranger.ask("MAIL FROM:<stranger@example.org>")
        assert stranger.ask("STARTTLS").startswith("503 5.5.1 ")
        assert stranger.ask(f"RCPT TO:<{victim.address}>").startswith("250 ")
        assert stranger.ask("STARTTLS").startswith("503 5.5.1 ")
        stranger.ask("RSET")
        assert stranger.ask("STARTTLS").startswith("220 ")
        secured(attacked, stranger)
        assert stranger.ask("STARTTLS").startswith("503 5.5.1 ")
        stranger.ask("EHLO stranger.example")
        assert stranger.ask("STARTTLS").startswith("503 5.5.1 ")


@pytest.mark.row(6)
def test_tls_forgets_a_login(attacked, victim):
    """Row 6: what was said before it, a login as well, may have been put there by somebody else."""
    response = base64.b64encode(f"\0{victim.address}\0{victim.password}".encode()).decode()
    with Stranger(attacked, "submission") as stranger:
        stranger.ask("EHLO stranger.example")
        assert stranger.ask(f"AUTH PLAIN {response}").startswith("235 ")
        assert stranger.ask("STARTTLS").startswith("220 ")
        secured(attacked, stranger)
        assert stranger.ask("MAIL FROM:<stranger@example.org>").startswith("503 ")
        stranger.ask("EHLO stranger.example")
        assert stranger.ask(f"AUTH PLAIN {response}").startswith("235 ")


@pytest.mark.row(6)
def test_stls_in_the_wrong_place(attacked, victim):
    """Row 6: with an argument, twice, after the login; a name that was given before is forgotten."""
    with Stranger(attacked, "pop3") as stranger:
        assert stranger.ask("STLS now").startswith("-ERR ")
        assert stranger.ask(f"USER {victim.address}").startswith("+OK")
        assert stranger.ask("STLS").startswith("+OK")
        secured(attacked, stranger)
        assert stranger.ask(f"PASS {victim.password}").startswith("-ERR ")
        assert stranger.ask("STLS").startswith("-ERR ")
        assert stranger.ask(f"USER {victim.address}").startswith("+OK")
        assert stranger.ask(f"PASS {victim.password}").startswith("+OK")
        assert stranger.ask("STLS").startswith("-ERR ")


@pytest.mark.row(5)
@pytest.mark.parametrize("service", BEGIN)
def test_plain_text_glued_to_the_hello(attacked, service):
    """Row 5: in front of the first record of TLS it ends the connection; no answer comes inside or out."""
    with Stranger(attacked, service) as stranger:
        stranger.ask("EHLO stranger.example")
        stranger.ask(BEGIN[service])
        stranger.say(b"NOOP\r\nCAPA\r\n" + hello.client_hello(hello.TLS1_2))
        heard = stranger.rest_octets()
        assert b"250" not in heard
        assert b"OK" not in heard


@pytest.mark.row(5)
@pytest.mark.parametrize("service", BEGIN)
def test_plain_text_in_the_segment_of_starttls(attacked, service):
    """Row 5: refused with the connection, and not run."""
    with Stranger(attacked, service) as stranger:
        stranger.ask("EHLO stranger.example")
        stranger.say(f"{BEGIN[service]}\r\nNOOP\r\nQUIT\r\n".encode())
        [answer] = stranger.rest()
        assert answer.startswith(("554 5.5.0 ", "-ERR "))


# Versions and weaknesses


@pytest.mark.row(26)
@pytest.mark.parametrize("version", [hello.SSL3, hello.TLS1_0, hello.TLS1_1], ids=["SSL3", "1.0", "1.1"])
def test_a_version_that_is_over(attacked, before_hello, version):
    """Row 26: an alert that says so, and the end."""
    before_hello.say(hello.client_hello(version))
    heard = hello.records(before_hello.rest_octets())
    assert [kind for kind, _ in heard] == [hello.ALERT]
    assert heard[0][1] == bytes([2, hello.PROTOCOL_VERSION])


@pytest.mark.row(26)
def test_ssl_2(attacked, before_hello):
    """Row 26: an alert at most, and the end."""
    before_hello.say(hello.ssl2_hello())
    heard = hello.records(before_hello.rest_octets())
    assert [kind for kind, _ in heard] in ([], [hello.ALERT])


@pytest.mark.row(26)
def test_compression_is_not_taken_up(before_hello):
    """Row 26: a client that offers DEFLATE is answered without (CRIME)."""
    before_hello.say(hello.client_hello(hello.TLS1_2, compressions=(hello.DEFLATE, hello.NULL)))
    answer = before_hello.take(5)
    answer += before_hello.take(int.from_bytes(answer[3:5], "big"))
    [(kind, content)] = hello.records(answer)
    assert kind == hello.HANDSHAKE
    assert hello.chosen_compression(content) == hello.NULL


class OldClient:
    """TLS 1.2 with a client that can ask for another handshake."""

    def __init__(self, stranger):
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        self._stranger = stranger
        self.connection = SSL.Connection(context, None)
        self.connection.set_connect_state()
        self.do(self.connection.do_handshake)

    def do(self, step, *arguments):
        while True:
            try:
                return step(*arguments)
            except SSL.WantReadError:
                self._flush()
                data = self._stranger.socket.recv(65536)
                if not data:
                    raise ConnectionResetError from None
                self.connection.bio_write(data)
            finally:
                self._flush()

    def _flush(self):
        try:
            self._stranger.say(self.connection.bio_read(65536))
        except SSL.WantReadError:
            pass


@pytest.mark.row(26)
def test_renegotiation_is_refused(attacked):
    """Row 26: a client cannot make the host do handshakes over and over in one connection."""
    with Stranger(attacked) as stranger:
        stranger.ask("EHLO stranger.example")
        stranger.ask("STARTTLS")
        client = OldClient(stranger)
        client.do(client.connection.send, b"EHLO stranger.example\r\n")
        assert client.do(client.connection.recv, 1000).startswith(b"250")
        assert client.connection.renegotiate()
        with pytest.raises((SSL.Error, ConnectionResetError)):
            client.do(client.connection.do_handshake)


@pytest.mark.row(26)
def test_commands_in_the_place_of_early_data(before_hello):
    """Row 26: what follows the hello at once, as 0-RTT data would, is not run: anybody could replay it."""
    record = b"\x17\x03\x03\x00\x16EHLO stranger.example\r\n"[:27]
    before_hello.say(hello.client_hello(hello.TLS1_2) + record)
    heard = hello.records(before_hello.rest_octets())
    assert {kind for kind, _ in heard} <= {hello.HANDSHAKE, hello.ALERT}
    assert heard[-1][0] == hello.ALERT


# The end


@pytest.mark.row(26)
@pytest.mark.parametrize(
    "body",
    [
        b"DATA\r\n" + LETTER,
        b"DATA\r\n" + LETTER + b".",
        b"DATA\r\n" + LETTER + b".\r",
        b"BDAT 1000 LAST\r\n" + LETTER,
    ],
    ids=["DATA", "a dot", "a dot and CR", "BDAT"],
)
@pytest.mark.parametrize("way", ["without close_notify", "reset", "a torn record"])
def test_a_message_that_is_cut_off(attacked, victim, body, way):
    """Row 26: the end of a connection is never the end of a message."""
    with Stranger(attacked) as stranger:
        stranger.ask("EHLO stranger.example")
        stranger.ask("STARTTLS")
        secured(attacked, stranger)
        stranger.ask("EHLO stranger.example")
        assert stranger.ask("MAIL FROM:<stranger@example.org>").startswith("250 ")
        assert stranger.ask(f"RCPT TO:<{victim.address}>").startswith("250 ")
        command, _, message = body.partition(b"\r\n")
        stranger.say(command + b"\r\n")
        if command == b"DATA":
            assert stranger.reply().startswith("354 ")
        stranger.say(message)
        cut(stranger, way)
    with Stranger(attacked) as another:  # who comes later is answered later
        another.ask("NOOP")
    assert count(attacked, victim) == 0


def cut(stranger, way):
    """End the connection below TLS."""
    with socket.socket(fileno=stranger.socket.detach()) as plain:
        if way == "a torn record":
            plain.sendall(b"\x17\x03\x03\x00\x40half a record")
        if way == "reset":
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.row(26)
def test_a_mailbox_session_that_is_cut_off(attacked, victim):
    """Row 26: what was marked for deletion stays, though QUIT may have been on its way."""
    deliver(attacked, victim, LETTER)
    with Stranger(attacked, "pop3") as stranger:
        stranger.ask("STLS")
        secured(attacked, stranger)
        stranger.ask(f"USER {victim.address}")
        assert stranger.ask(f"PASS {victim.password}").startswith("+OK")
        assert stranger.ask("DELE 1").startswith("+OK")
        stranger.say(b"QUIT\r")
        cut(stranger, "without close_notify")
    deadline = time.monotonic() + 5
    while True:
        try:
            assert count(attacked, victim) == 1
            break
        except AssertionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
