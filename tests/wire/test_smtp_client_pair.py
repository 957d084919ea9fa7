"""The client machine with our server machine, and with servers that say anything at all."""

import pytest
from client_house import ANN, BOB, ENVELOPE, EVE, Client, Pair, order
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsys.wire.sasl.client import Login, LoginExchange
from mailsys.wire.smtp.client_events import Broken, MessageAnswered, Ready, Stopped
from mailsys.wire.smtp.client_state import State

CONTENT = b"Subject: x\r\n\r\n.dot\r\n..\r\n.\r\nMAIL FROM:<evil@example.org>\r\n"
OFFERS = [(), ("PIPELINING",), ("PIPELINING", "CHUNKING"), ("CHUNKING",)]
SCRAPS = [
    b"220 a\r\n", b"250 OK\r\n", b"250-PIPELINING\r\n250 CHUNKING\r\n", b"250-a\r\n250 STARTTLS\r\n",
    b"354 go\r\n", b"550 no\r\n", b"421 bye\r\n", b"334 \r\n", b"235 in\r\n", b"250-", b"2500\r\n", b"\n",
    b"\r\n", b"\0", b"450 4.2.0 x\r\n",
]  # fmt: skip


@pytest.mark.parametrize("offers", OFFERS)
@pytest.mark.parametrize("lmtp", [False, True])
@pytest.mark.parametrize("step", [1, 2, 7, 10**6])
def test_two_messages_and_one_bad_recipient(offers, lmtp, step):
    pieces = [CONTENT[:20], CONTENT[20:]]
    pair = Pair(pieces, step, refuse=(EVE,), lmtp=lmtp, offers=offers).run()
    for _ in range(2):
        pair.client.send(order(BOB, EVE, ANN))
        pair.run()
    assert pair.messages == [((BOB, ANN), CONTENT)] * 2
    answered = [event.recipients for event in pair.events if isinstance(event, MessageAnswered)]
    assert answered == ([(BOB,), (ANN,)] if lmtp else [(BOB, ANN)]) * 2
    assert pair.client.state is State.READY


@pytest.mark.parametrize("offers", OFFERS)
def test_a_message_for_nobody_and_then_one(offers):
    pair = Pair([b"a\r\n"], refuse=(EVE,), offers=offers).run()
    pair.client.send(order(EVE))
    assert pair.run().has_refused
    assert pair.messages == []
    pair.client.send(order(BOB))
    assert pair.run().messages == [((BOB,), b"a\r\n")]


@pytest.mark.row(5)
def test_tls_with_our_server():
    pair = Pair([CONTENT], offers=("PIPELINING", "STARTTLS")).run()
    pair.client.start_tls()
    pair.run()
    assert len([event for event in pair.events if isinstance(event, Ready)]) == 2
    pair.client.send(order(BOB))
    assert pair.run().messages == [((BOB,), CONTENT)]


@pytest.mark.row(3)
@pytest.mark.row(4)
@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"x", b"\r\n.\r\n"]), max_size=12).map(b"".join),
    st.integers(1, 9),
    st.sampled_from(OFFERS),
)
def test_any_content_arrives_as_lines(content, size, offers):
    """Rows 3 and 4: DATA and BDAT; our server, which refuses what stands alone, refuses nothing."""
    pieces = [content[start : start + size] for start in range(0, len(content), size)] or [b""]
    pair = Pair(pieces, offers=offers).run()
    pair.client.send(order(BOB))
    pair.run()
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines += b"" if not lines or lines.endswith(b"\n") else b"\n"
    assert pair.messages == [((BOB,), lines.replace(b"\n", b"\r\n"))]


@pytest.mark.row(19)
@pytest.mark.row(29)
@pytest.mark.parametrize(
    ("offers", "heard"),
    [
        (b"250 mx\r\n", b"250 OK\r\n250 OK\r\n"),
        (b"250 mx\r\n", b"250 OK\r\n25"),
        (b"250 mx\r\n", [b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n250 OK\r\n"]),
        (b"250 mx\r\n", [b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n2"]),
        (b"250-mx\r\n250 PIPELINING\r\n", b"250 OK\r\n250 OK\r\n354 go\r\n250 OK\r\n"),
        (b"250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n", b"250 OK\r\n250 OK\r\n250 OK\r\n"),
    ],
)
def test_an_answer_before_its_question_is_none(offers, heard):
    """Rows 19 and 29: above all a 250 that was there before the message was cannot have been for it."""
    client = Client().hear(b"220 a\r\n", offers)
    client.said
    client.machine.send(order(BOB))
    client.hear(*([heard] if isinstance(heard, bytes) else heard))
    if client.state is State.BODY:
        client.machine.send_body(b"x", last=True)
        client.hear(b"")
    assert isinstance(client.last, Broken)
    assert client.state is State.ENDED
    assert b"x\r\n.\r\n" not in client.said
    assert not any(isinstance(event, MessageAnswered) for event in client.events)


def play(data, step):
    """A client that always wants the next thing, and a server that says this."""
    client = Client(is_secure=True)
    wishes = [
        lambda: client.machine.log_in(LoginExchange(Login("a", "b"))),
        client.machine.start_tls,
        *[lambda: client.machine.send(order(BOB, EVE, envelope=ENVELOPE))] * 3,
    ]
    for start in range(0, len(data), step):
        client.hear(data[start : start + step])
        if client.state is State.READY and wishes:
            wishes.pop(0)()
        elif client.state is State.TLS:
            client.machine.tls_started()
        elif client.state is State.BODY:
            client.machine.send_body(b"x", last=True)
    return client


@pytest.mark.row(29)
@settings(max_examples=200)
@given(
    st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(SCRAPS), max_size=20).map(b"".join)),
    st.integers(1, 40),
)
def test_a_server_that_says_anything(data, step):
    """Row 29: never an exception; what ends the connection is an event, and the last."""
    client = play(data, step)
    ends = [event for event in client.events if isinstance(event, Broken | Stopped)]
    assert len(ends) <= 1
    assert not ends or (client.last == ends[0] and client.state is State.ENDED)
