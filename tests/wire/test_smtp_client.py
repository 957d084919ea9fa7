"""The client machine alone: what it says, what it hears, and what it does not let a server do."""

import pytest
from client_house import ALL, BOB, CHUNKS, ENVELOPE, EVE, Client, greeted, order

from mailsys.message.outcome import Step
from mailsys.message.reply import Reply
from mailsys.wire.sasl.client import Login, LoginExchange, PlainExchange
from mailsys.wire.smtp.client_events import (
    BodyWanted,
    Broken,
    Challenged,
    LoggedIn,
    MessageAnswered,
    NoBody,
    Ready,
    RecipientAnswered,
    Refused,
    SenderAnswered,
    Stopped,
    TLSMayBegin,
)
from mailsys.wire.smtp.client_lines import Order
from mailsys.wire.smtp.client_state import State
from mailsys.wire.smtp.offers import Offers

OK, NO, LATER = Reply(250, "", "OK"), Reply(550, "5.1.1", "No"), Reply(450, "4.2.0", "Later")
SECRET = Login("ann", "pass word")


# Greeting


def test_greeting_and_ehlo():
    client = Client()
    assert (client.said, client.state) == (b"", State.BEGINNING)
    assert client.hear(b"220-mx.example\r\n", b"220 ESMTP\r\n").said == b"EHLO client.example\r\n"
    client.hear(ALL)
    assert isinstance(client.last, Ready)
    assert client.last.offers.name == "mx.example"
    assert (client.said, client.state) == (b"", State.READY)


def test_lmtp_says_lhlo_and_nothing_else():
    client = Client(lmtp=True).hear(b"220 mx.example\r\n")
    assert client.said == b"LHLO client.example\r\n"
    client.hear(b"500 what\r\n")
    assert client.events == [Refused(Step.HELLO, Reply(500, "", "what"))]


@pytest.mark.parametrize("code", [500, 502, 504, 550])
def test_helo_when_ehlo_is_not_known(code):
    client = Client().hear(b"220 old.example\r\n", b"%d what\r\n" % code)
    assert client.said == b"EHLO client.example\r\nHELO client.example\r\n"
    client.hear(b"250-old.example\r\n250 PIPELINING\r\n")
    assert client.last.offers == Offers("old.example")


@pytest.mark.parametrize(
    ("pieces", "event"),
    [
        ([b"554 5.7.1 not you\r\n"], Refused(Step.GREETING, Reply(554, "5.7.1", "not you"))),
        ([b"450 busy\r\n"], Refused(Step.GREETING, Reply(450, "", "busy"))),
        ([b"421 busy\r\n"], Stopped(Step.GREETING, Reply(421, "", "busy"))),
        ([b"220 a\r\n", b"421 busy\r\n"], Stopped(Step.HELLO, Reply(421, "", "busy"))),
        ([b"220 a\r\n", b"450 busy\r\n"], Refused(Step.HELLO, Reply(450, "", "busy"))),
        ([b"220 a\r\n", b"500 what\r\n", b"550 no\r\n"], Refused(Step.HELLO, Reply(550, "", "no"))),
    ],
)
def test_refused(pieces, event):
    assert Client().hear(*pieces).events == [event]


@pytest.mark.row(29)
@pytest.mark.parametrize(
    ("pieces", "step", "why"),
    [
        ([b"354 go\r\n"], Step.GREETING, "answered the connection with 354"),
        ([b"220 a\r\n", b"354 go\r\n"], Step.HELLO, "answered EHLO with 354"),
        ([b"220 a\r\n", b"334 go\r\n"], Step.HELLO, "answered EHLO with 334"),
        ([b"220 a\r\n", b"2500\r\n"], Step.HELLO, "sent a line that is no reply"),
        ([b"220 a\r\n220 b\r\n220 c\r\n"], None, "without being asked"),
        ([b"* OK IMAP4rev1\r\n"], Step.GREETING, "sent a line that is no reply"),
        ([b"* PREAUTH welcome\r\n"], Step.GREETING, "sent a line that is no reply"),
    ],
)
def test_broken_greetings(pieces, step, why):
    """Row 29: what answers nothing, or answers what it cannot answer, ends the connection."""
    client = Client().hear(*pieces)
    assert isinstance(client.last, Broken)
    assert why in client.last.why
    assert step in (client.last.step, None)
    assert client.state is State.ENDED
    client.said
    assert client.hear(b"250 OK\r\n").said == b""


# TLS


def test_tls_makes_everything_new():
    client = greeted()
    client.machine.start_tls()
    assert client.said == b"STARTTLS\r\n"
    assert client.hear(b"220 2.0.0 go\r\n").events == [TLSMayBegin()]
    client.machine.tls_started()
    assert client.said == b"EHLO client.example\r\n"
    assert client.machine.offers == Offers()
    client.hear(b"250-mx.example\r\n250 AUTH PLAIN\r\n")
    assert client.last.offers.mechanisms == ("PLAIN",)
    assert client.machine.is_secure


@pytest.mark.row(5)
@pytest.mark.parametrize("injected", [b"250 injected\r\n", b"250-half", b"2", b"\r\n"])
def test_what_stands_behind_the_220_ends_the_session(injected):
    """Row 5, as a client: words from before TLS must not count inside it."""
    for pieces in ([b"220 go\r\n" + injected], [b"220 ", b"go\r\n" + injected]):
        client = greeted()
        client.machine.start_tls()
        client.hear(*pieces)
        assert client.events == [Broken(Step.TLS, "sent more than the answer to STARTTLS before TLS began")]
        with pytest.raises(ValueError, match="not now"):
            client.machine.tls_started()


def test_tls_refused():
    client = greeted()
    client.machine.start_tls()
    assert client.hear(b"454 4.7.0 not now\r\n").events == [Refused(Step.TLS, Reply(454, "4.7.0", "not now"))]
    assert client.state is State.READY


# AUTH


def ready_for_login(**settings):
    return greeted(b"250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n", is_secure=True, **settings)


def test_plain():
    client = ready_for_login()
    client.machine.log_in(PlainExchange(SECRET))
    assert client.said == b"AUTH PLAIN AGFubgBwYXNzIHdvcmQ=\r\n"
    assert client.hear(b"235 2.7.0 welcome\r\n").events == [LoggedIn()]
    assert client.state is State.READY


def test_login():
    client = ready_for_login()
    client.machine.log_in(LoginExchange(SECRET))
    assert client.said == b"AUTH LOGIN\r\n"
    assert client.hear(b"334 VXNlcm5hbWU6\r\n").last == Challenged(b"Username:")
    client.machine.respond(b"ann")
    assert client.said == b"YW5u\r\n"
    assert client.hear(b"334 Password:\r\n").last == Challenged(None)
    client.machine.respond(b"")
    assert client.said == b"\r\n"
    assert client.hear(b"535 5.7.8 no\r\n").last == Refused(Step.LOGIN, Reply(535, "5.7.8", "no"))


@pytest.mark.row(20)
@pytest.mark.parametrize(
    "challenge", [b"334 " + b"QUFB" * 25_000 + b"\r\n", b"334 a\r\n334 b\r\n", b"354 go\r\n"]
)
def test_odd_challenges(challenge):
    """Row 20, as a client: the exchange ends, and nothing more of the login is said."""
    client = ready_for_login()
    client.machine.log_in(PlainExchange(SECRET))
    client.said
    assert isinstance(client.hear(challenge).last, Broken)
    assert client.said == b""


@pytest.mark.row(7)
def test_no_password_without_tls():
    """Row 7: whatever is offered before TLS, the machine itself does not let a password out."""
    client = greeted(b"250-mx.example\r\n250 AUTH PLAIN\r\n")
    with pytest.raises(ValueError, match="without TLS"):
        client.machine.log_in(PlainExchange(SECRET))
    assert client.said == b""
    client.machine.log_in(PlainExchange(SECRET), in_clear=True)
    assert b"AUTH PLAIN" in client.said


# Messages


def test_one_group_with_pipelining():
    client = greeted()
    client.machine.send(order(BOB, EVE, size_octets=3))
    assert client.said == (
        b"MAIL FROM:<ann@example.org> SIZE=3\r\n"
        b"RCPT TO:<bob@example.org>\r\nRCPT TO:<eve@example.org>\r\nDATA\r\n"
    )
    client.hear(b"250 OK\r\n250 OK\r\n550 5.1.1 No\r\n354 go\r\n")
    assert client.events == [
        SenderAnswered(OK),
        RecipientAnswered(BOB, OK),
        RecipientAnswered(EVE, NO),
        BodyWanted(),
    ]
    client.machine.send_body(b".a", last=False)
    client.machine.send_body(b"b\r\n", last=True)
    assert client.said == b"..ab\r\n.\r\n"
    assert client.hear(b"250 OK\r\n").last == MessageAnswered((BOB,), OK)
    assert client.state is State.READY
    client.machine.send(order())
    assert client.said.startswith(b"MAIL")  # nothing has to be reset


def test_one_by_one_without_pipelining():
    client = greeted(b"250 mx.example\r\n")
    client.machine.send(order(BOB, EVE))
    assert client.said == b"MAIL FROM:<ann@example.org>\r\n"
    assert client.hear(b"250 OK\r\n").said == b"RCPT TO:<bob@example.org>\r\n"
    assert client.hear(b"550 5.1.1 No\r\n").said == b"RCPT TO:<eve@example.org>\r\n"
    assert client.hear(b"250 OK\r\n").said == b"DATA\r\n"
    assert client.hear(b"354 go\r\n").last == BodyWanted()


def test_without_pipelining_nothing_is_asked_in_vain():
    client = greeted(b"250 mx.example\r\n")
    client.machine.send(order(BOB, EVE))
    assert client.hear(b"450 4.2.0 Later\r\n").events == [SenderAnswered(LATER), NoBody(None)]
    assert client.said == b"MAIL FROM:<ann@example.org>\r\n"
    client.machine.send(order())
    client.hear(b"250 OK\r\n", b"550 5.1.1 No\r\n")
    assert client.last == NoBody(None)
    client.said
    client.machine.send(order())
    assert client.said == b"RSET\r\n"
    assert client.hear(b"250 OK\r\n").said == b"MAIL FROM:<ann@example.org>\r\n"


def test_nobody_taken_with_pipelining():
    client = greeted()
    client.machine.send(order())
    client.said
    client.hear(b"250 OK\r\n550 5.1.1 No\r\n503 no recipients\r\n")
    assert client.last == NoBody(Reply(503, "", "no recipients"))
    client.machine.send(order())
    assert client.said.startswith(b"RSET\r\nMAIL")


def test_content_wanted_for_nobody():
    """RFC 2920 3.1: the server gets an end mark, and what it makes of it is no answer to the message."""
    client = greeted()
    client.machine.send(order())
    client.said
    assert client.hear(b"250 OK\r\n550 5.1.1 No\r\n354 go\r\n").said == b".\r\n"
    assert client.hear(b"250 OK\r\n").last == NoBody(None)
    client.machine.send(order())
    assert client.said.startswith(b"MAIL")


def test_content_wanted_for_nobody_in_lmtp():
    client = greeted(lmtp=True)
    client.machine.send(order())
    client.hear(b"250 OK\r\n550 5.1.1 No\r\n354 go\r\n")
    assert client.last == Broken(Step.DATA, "asked for a message though it took no recipient")


def test_lmtp_answers_for_each():
    client = greeted(lmtp=True)
    client.machine.send(order(BOB, EVE))
    client.hear(b"250 OK\r\n250 OK\r\n250 OK\r\n354 go\r\n")
    client.machine.send_body(b"a", last=True)
    client.hear(b"250 OK\r\n")
    assert client.state is State.ANSWER
    client.hear(b"550 5.1.1 No\r\n")
    assert client.events[-2:] == [MessageAnswered((BOB,), OK), MessageAnswered((EVE,), NO)]
    assert client.state is State.READY


def test_chunks():
    client = greeted(CHUNKS)
    client.machine.send(order())
    assert client.said == b"MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.org>\r\n"
    client.hear(b"250 OK\r\n250 OK\r\n")
    assert client.last == BodyWanted()
    client.machine.send_body(b".a\n", last=False)
    client.machine.send_body(b"\r", last=False)
    client.machine.send_body(b"b", last=True)
    assert client.said == b"BDAT 4\r\n.a\r\nBDAT 5 LAST\r\n\r\nb\r\n"
    assert client.hear(b"250 4 octets\r\n").state is State.ANSWER
    assert client.hear(b"250 OK\r\n").last == MessageAnswered((BOB,), OK)


def test_chunks_for_nobody():
    client = greeted(CHUNKS)
    client.machine.send(order())
    client.hear(b"250 OK\r\n550 5.1.1 No\r\n")
    assert client.last == NoBody(None)


def test_after_refused_chunks_comes_a_reset():
    client = greeted(CHUNKS)
    client.machine.send(order())
    client.hear(b"250 OK\r\n250 OK\r\n")
    client.machine.send_body(b"", last=True)
    client.said
    assert client.hear(b"550 5.1.1 No\r\n").last == MessageAnswered((BOB,), NO)
    client.machine.send(order())
    assert client.said.startswith(b"RSET\r\nMAIL")


@pytest.mark.row(29)
@pytest.mark.parametrize(
    ("hello", "heard", "event"),
    [
        (ALL, b"250 OK\r\n250 OK\r\n250 OK\r\n", Broken(Step.DATA, "answered DATA with 250")),
        (ALL, b"354 go\r\n", Broken(Step.MAIL, "answered MAIL with 354")),
        (ALL, b"250 OK\r\n421 bye\r\n", Stopped(Step.RCPT, Reply(421, "", "bye"))),
        (
            ALL,
            b"250 OK\r\n250 OK\r\n354 go\r\n552 5.3.4 big\r\n",
            Stopped(Step.DATA, Reply(552, "5.3.4", "big")),
        ),
        (ALL, b"250 OK\r\n250 OK\r\n354 go\r\n250 OK\r\n", Broken(Step.DATA, "said 250 without being asked")),
    ],
)
def test_broken_transactions(hello, heard, event):
    """Row 29: 250 to DATA, and answers before the content was whole."""
    client = greeted(hello)
    client.machine.send(order())
    assert client.hear(heard).last == event
    assert client.state is State.ENDED


def test_a_chunk_refused_in_the_middle():
    client = greeted(CHUNKS)
    client.machine.send(order())
    client.hear(b"250 OK\r\n250 OK\r\n")
    client.machine.send_body(b"a\r\n", last=False)
    assert client.hear(b"552 5.3.4 big\r\n").last == Stopped(Step.DATA, Reply(552, "5.3.4", "big"))


def test_quit_and_wishes_at_the_wrong_time():
    client = Client()
    with pytest.raises(ValueError, match="not now"):
        client.machine.send(order())
    client = greeted()
    with pytest.raises(ValueError, match="recipient"):
        client.machine.send(Order(ENVELOPE, ()))
    client.machine.quit()
    assert client.said == b"QUIT\r\n"
    assert client.hear(b"221 bye\r\n").events == []
