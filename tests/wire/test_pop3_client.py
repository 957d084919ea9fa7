"""The POP3 client machine: dialogs with servers as they should be, and with those that are not."""

import pytest

from mailsys.wire.pop3.client import CAPA_OCTETS, POP3Client, State
from mailsys.wire.pop3.client_events import (
    Answered,
    Broken,
    Challenged,
    LoggedIn,
    Offers,
    Ready,
    Refused,
    TLSMayBegin,
)
from mailsys.wire.pop3.client_reader import LINE_OCTETS
from mailsys.wire.sasl.client import Login, LoginExchange, PlainExchange

ANN = Login("ann", "pass word")
GREETING = b"+OK hello\r\n"
CAPA = b"+OK these\r\nTOP\r\nUIDL\r\nSASL plain LOGIN\r\n.\r\n"


class Client:
    """A machine whose events are kept; ``said`` is what it sent since the last look."""

    def __init__(self, *heard, **settings):
        self.machine = POP3Client(**settings)
        self.events = []
        self.hear(*heard)

    def hear(self, *pieces):
        for piece in pieces:
            self.machine.receive_data(piece)
            while (event := self.machine.next_event()) is not None:
                self.events.append(event)
        return self

    @property
    def said(self):
        return self.machine.data_to_send()

    @property
    def last(self):
        return self.events[-1]

    def new(self, *pieces):
        """The events that these bring."""
        self.events.clear()
        return self.hear(*pieces).events


def ready(**settings):
    """A client that has heard what the server can do."""
    client = Client(GREETING, **settings)
    assert client.said == b"CAPA\r\n"
    offers = Offers(frozenset({"TOP", "UIDL", "SASL"}), frozenset({"PLAIN", "LOGIN"}))
    assert client.new(CAPA) == [Ready(offers)]
    return client


def test_a_server_that_does_not_know_capa():
    assert Client(GREETING, b"-ERR what?\r\n").last == Ready(Offers(frozenset({"USER"})))


def test_start_tls_forgets_what_was_said_before():
    client = ready()
    client.machine.start_tls()
    assert client.said == b"STLS\r\n"
    assert client.new(b"+OK begin\r\n") == [TLSMayBegin()]
    client.machine.tls_started()
    assert (client.said, client.machine.offers) == (b"CAPA\r\n", Offers())
    assert client.new(b"+OK\r\nUSER\r\n.\r\n") == [Ready(Offers(frozenset({"USER"})))]


def test_what_comes_behind_the_yes_to_stls_is_not_taken_into_tls():
    client = ready()
    client.machine.start_tls()
    assert client.new(b"+OK begin\r\n+OK injected\r\n") == [
        Broken("sent more than the answer to STLS before TLS began")
    ]


def test_no_password_leaves_without_tls():
    client = ready()
    for log_in, who in ((client.machine.log_in, PlainExchange(ANN)), (client.machine.log_in_plainly, ANN)):
        with pytest.raises(ValueError, match="without TLS"):
            log_in(who)
    assert client.said == b""


def test_user_and_pass():
    client = ready(is_secure=True)
    client.machine.log_in_plainly(ANN)
    assert client.said == b"USER ann\r\n"
    assert client.new(b"+OK\r\n") == []
    assert client.said == b"PASS pass word\r\n"
    assert client.new(b"+OK 3 messages\r\n") == [LoggedIn()]


def test_a_user_who_is_refused_keeps_the_password():
    client = ready(is_secure=True)
    client.machine.log_in_plainly(ANN)
    assert client.new(b"-ERR [AUTH] no ann here\r\n") == [Refused("USER", "no ann here", "AUTH")]
    assert b"pass word" not in client.said
    client.machine.run("NOOP")
    assert client.new(b"+OK\r\n") == [Answered("")]


def test_logins_by_sasl():
    client = ready(is_secure=True)
    client.machine.log_in(PlainExchange(ANN))
    assert client.said == b"AUTH PLAIN AGFubgBwYXNzIHdvcmQ=\r\n"
    assert client.new(b"+OK\r\n") == [LoggedIn()]
    client = ready(is_secure=True)
    client.machine.log_in(LoginExchange(ANN))
    assert client.said == b"AUTH LOGIN\r\n"
    assert client.new(b"+ VXNlcg==\r\n", b"+\r\n") == [Challenged(b"User"), Challenged(b"")]
    client.machine.respond(b"ann")
    client.machine.give_up()
    assert client.said == b"YW5u\r\n*\r\n"
    assert client.new(b"-ERR given up\r\n") == [Refused("AUTH", "given up")]


def test_a_long_initial_response_goes_on_a_line_of_its_own():
    client = ready(is_secure=True)
    client.machine.log_in(PlainExchange(Login("ann", "x" * 300)))
    assert client.said == b"AUTH PLAIN\r\n"
    client.hear(b"+ \r\n")
    assert client.said.startswith(b"AGFubgB4eHh4")
    assert client.new(b"+OK\r\n") == [LoggedIn()]


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b".\r\n", b""),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"a\r\n..b\r\n...\r\n.\r\n", b"a\r\n.b\r\n..\r\n"),
        (b"a\n.\nb\n\r\n.\r\n", b"a\n.\nb\n\r\n"),
        (b"\r\n.\r\n", b"\r\n"),
        (b"\0\xff\r\n.\r\n", b"\0\xff\r\n"),
    ],
)
def test_bodies(wire, body):
    for pieces in ([b"+OK\r\n" + wire], [bytes([octet]) for octet in b"+OK\r\n" + wire]):
        client = ready()
        client.machine.run("RETR 1", 100)
        assert client.new(*pieces) == [Answered("", body)]
        assert client.machine.state is State.READY


def test_a_no_has_no_body():
    client = ready()
    client.machine.run("RETR 1", 100)
    assert client.new(b"-ERR [IN-USE] gone\r\n") == [Refused("RETR", "gone", "IN-USE")]


def test_no_command_can_be_two():
    client = ready(is_secure=True)
    for wish in (
        lambda: client.machine.run("RETR 1\r\nDELE 1"),
        lambda: client.machine.log_in_plainly(Login("a\r\nQUIT", "b")),
        lambda: client.machine.log_in_plainly(Login("a", "b\r\nQUIT")),
    ):
        with pytest.raises(ValueError, match="control characters"):
            wish()
    assert client.said == b""
    client.machine.quit()
    assert client.said == b"QUIT\r\n"


def test_a_greeting_that_sends_us_away():
    client = Client(b"-ERR [SYS/TEMP] too many\r\n+OK\r\n")
    assert client.events == [Refused("the connection", "too many", "SYS/TEMP")]
    assert client.machine.state is State.ENDED


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (b"* OK IMAP\r\n", "sent a line that is no response"),
        (b"+OKAY\r\n", "sent a line that is no response"),
        (b"+ \r\n", "sent a line that is no response"),
        (b"+OK a\rb\r\n", "sent a line with a CR, an LF or a NUL within"),
        (b"+" * LINE_OCTETS, f"sent a line of more than {LINE_OCTETS:,} octets"),
        (GREETING + b"+OK\r\n" + b"x" * (CAPA_OCTETS + 1), f"sent more than {CAPA_OCTETS:,} octets"),
        (GREETING + b"+OK\r\n" + b"x\r\n" * CAPA_OCTETS + b".\r\n", f"sent more than {CAPA_OCTETS:,} octets"),
        (GREETING + CAPA + b"+OK\r\n", "spoke without being asked"),
    ],
)
def test_a_server_that_does_not_keep_the_protocol(heard, why):
    client = Client(heard)
    assert client.last == Broken(why)
    assert client.new(b"+OK\r\n") == []


def test_logins_that_the_server_plays_false():
    client = ready(is_secure=True)
    client.machine.log_in(PlainExchange(Login("ann", "x" * 300)))
    assert client.new(b"+OK\r\n") == [Broken("said yes to half a login")]
    client = ready(is_secure=True)
    client.machine.log_in_plainly(ANN)
    assert client.new(b"+ \r\n") == [Broken("asked for more though all was said")]
