"""Logging in as a client: our own server's side as the peer, and servers that play false."""

import base64

import pytest
import scramp
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire.sasl.client import Login, LoginExchange, PlainExchange
from mailsys.wire.sasl.client_choice import choose_exchange
from mailsys.wire.sasl.scram_client import ScramExchange

SECRET = Login("ann", "pass word")
NONCE = b"not at all random."


def test_the_best_mechanism_of_both():
    assert choose_exchange(["LOGIN", "PLAIN", "SCRAM-SHA-256"], SECRET, NONCE).name == "SCRAM-SHA-256"
    assert choose_exchange(["LOGIN", "PLAIN"], SECRET, NONCE).name == "PLAIN"
    assert choose_exchange(["CRAM-MD5", "LOGIN"], SECRET, NONCE).name == "LOGIN"
    assert choose_exchange(["GSSAPI"], SECRET, NONCE) is None
    assert "pass word" not in repr(SECRET)


def test_plain_and_login():
    plain, login = PlainExchange(SECRET), LoginExchange(SECRET)
    assert (plain.initial(), plain.respond(b"more?")) == (b"\0ann\0pass word", None)
    assert login.initial() is None
    assert [login.respond(None) for _ in range(3)] == [b"ann", b"pass word", None]


def server(password, iterations=4096):
    """scramp's server, which knows one user."""
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    info = mechanism.make_auth_info(password, iteration_count=iterations)
    return mechanism.make_server(lambda name: info)


@pytest.mark.parametrize("password", ["pass word", "pässword", "ﬁne"])
def test_scram_with_another_program(password):
    peer, exchange = server(password), ScramExchange(Login("ann", password), NONCE)
    peer.set_client_first(exchange.initial().decode())
    peer.set_client_final(exchange.respond(peer.get_server_first().encode()).decode())
    assert not exchange.is_satisfied
    assert exchange.respond(peer.get_server_final().encode()) == b""
    assert exchange.is_satisfied
    assert exchange.respond(b"v=more") is None


def test_names_with_commas():
    assert ScramExchange(Login("a,b=c", "x"), NONCE).initial().startswith(b"n,,n=a=2Cb=3Dc,r=")


def first(nonce=None, salt=b"c2FsdA==", iterations=b"4096"):
    mine = base64.b64encode(NONCE)
    return b"r=%b,s=%b,i=%b" % (mine + b"theirs" if nonce is None else nonce, salt, iterations)


@pytest.mark.row(22)
@pytest.mark.parametrize(
    "message",
    [
        first(nonce=b"another"),
        first(nonce=base64.b64encode(NONCE)),
        first(salt=b"x"),
        first(iterations=b"1"),
        first(iterations=b"4095"),
        first(iterations=b"1000001"),
        first(iterations=b"999999999"),
        first(iterations=b"9" * 100),
        first(iterations=b"-4096"),
        b"m=extension," + first(),
        b"e=other-error",
        b"",
        None,
    ],
)
def test_servers_that_play_false(message):
    """Row 22, as a client: a nonce used again, too few rounds or very many; nothing is proven to them."""
    assert ScramExchange(SECRET, NONCE).respond(message) is None


@pytest.mark.row(22)
@pytest.mark.parametrize("final", [b"v=", b"v=AAAA", b"e=unknown-user", b"", None])
def test_a_server_that_does_not_know_the_password(final):
    """Row 22: it is not believed, whatever it says next."""
    exchange = ScramExchange(SECRET, NONCE)
    assert exchange.respond(first()).startswith(b"c=biws,r=")
    assert exchange.respond(final) is None
    assert not exchange.is_satisfied


@given(st.binary(max_size=100))
def test_anything(message):
    exchange = ScramExchange(SECRET, NONCE)
    assert exchange.respond(message) is None
    exchange.respond(first())
    assert exchange.respond(message) is None
