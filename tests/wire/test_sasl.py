"""SASL exchanges: exact parsing of what a stranger sends, and no password in any text of ours."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire import sasl
from mailsys.wire.sasl import Challenge, Credentials, Failed, KeysWanted, Refusal, passwords_allowed
from mailsys.wire.sasl.passwords import Login, Plain


def b64(data):
    return base64.b64encode(data)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (b"\0ann\0secret", Credentials("ann", "secret")),
        (b"ann\0ann\0secret", Credentials("ann", "secret")),
        ("\0jörg@bücher.example\0pässword".encode(), Credentials("jörg@bücher.example", "pässword")),
        (b"\0ann\0two words", Credentials("ann", "two words")),
        (b"bob\0ann\0secret", Failed(Refusal.OTHER_IDENTITY)),
        (b"", Failed(Refusal.MALFORMED)),
        (b"ann\0secret", Failed(Refusal.MALFORMED)),
        (b"\0ann\0sec\0ret", Failed(Refusal.MALFORMED)),
        (b"\0\0secret", Failed(Refusal.MALFORMED)),
        (b"\0ann\0", Failed(Refusal.MALFORMED)),
        (b"\0ann\0\xff\xfe", Failed(Refusal.MALFORMED)),
        (b"\0\xed\xa0\x80\0secret", Failed(Refusal.MALFORMED)),
    ],
)
@pytest.mark.row(20)
def test_plain_counts_its_nuls(response, expected):
    """Row 20: embedded NULs, an empty response and bytes that are not UTF-8 are refused."""
    assert sasl.begin(Plain(), b64(response) or b"=") == expected
    exchange = Plain()
    assert sasl.begin(exchange, None) == Challenge(b"")
    assert sasl.step(exchange, b64(response)) == expected


def test_login_asks_twice():
    exchange = Login()
    assert sasl.begin(exchange, None) == Challenge(b"Username:")
    assert sasl.step(exchange, b64(b"ann")) == Challenge(b"Password:")
    assert sasl.step(exchange, b64(b"secret")) == Credentials("ann", "secret")


def test_login_takes_the_name_as_initial_response():
    exchange = Login()
    assert sasl.begin(exchange, b64(b"ann")) == Challenge(b"Password:")
    assert sasl.step(exchange, b64(b"secret")) == Credentials("ann", "secret")


@pytest.mark.parametrize(("name", "password"), [(b"", b"x"), (b"x", b""), (b"a\0b", b"x"), (b"a", b"x\0")])
def test_login_refuses_what_plain_refuses(name, password):
    exchange = Login()
    sasl.begin(exchange, None)
    sasl.step(exchange, b64(name))
    assert sasl.step(exchange, b64(password)) == Failed(Refusal.MALFORMED)


@pytest.mark.parametrize(
    "line", [b"AGFubg", b"AGFu*A==", b"AGFubg==\n", b"AG Fubg==", b"====", b"A", b"\xff\xff"]
)
@pytest.mark.row(20)
def test_bad_base64_is_refused(line):
    """Row 20: nothing but base64 with its padding is decoded."""
    assert sasl.begin(Plain(), line) == Failed(Refusal.BAD_BASE64)
    assert sasl.step(Plain(), line) == Failed(Refusal.BAD_BASE64)


@pytest.mark.row(20)
def test_cancel_and_overlong():
    """Row 20: a star cancels; a response beyond the bound is not even decoded."""
    assert sasl.step(Plain(), b"*") == Failed(Refusal.CANCELLED)
    assert sasl.step(Plain(), b"A" * 100_000) == Failed(Refusal.BAD_BASE64)


def test_equals_sign_is_an_empty_initial_response_only():
    assert sasl.begin(Login(), b"=") == Challenge(b"Password:")
    assert sasl.step(Login(), b"=") == Failed(Refusal.BAD_BASE64)


def test_challenge_in_base64():
    assert sasl.encode(Challenge(b"Username:")) == b"VXNlcm5hbWU6"
    assert sasl.encode(Challenge(b"")) == b""


def test_no_password_in_the_repr():
    assert "secret" not in repr(Credentials("ann", "secret"))


@given(st.binary(max_size=200), st.sampled_from(sasl.MECHANISMS))
def test_nothing_is_raised_whatever_comes(line, name):
    exchange = sasl.exchange(name, sasl.MECHANISMS, lambda kind: b"binding", bytes)
    first = sasl.begin(exchange, line)
    if isinstance(first, Challenge):
        assert isinstance(sasl.step(exchange, line), Challenge | Credentials | KeysWanted | Failed)


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        ({"is_allowed": False, "has_keys": True, "is_bound": True}, ()),
        ({"is_allowed": True, "has_keys": False, "is_bound": True}, ("PLAIN", "LOGIN")),
        ({"is_allowed": True, "has_keys": True, "is_bound": False}, ("SCRAM-SHA-256", "PLAIN", "LOGIN")),
        ({"is_allowed": True, "has_keys": True, "is_bound": True}, sasl.MECHANISMS),
    ],
)
def test_only_what_is_there_is_offered(offer, expected):
    assert sasl.offered(**offer) == expected


@pytest.mark.parametrize(
    ("plaintext", "allowed"),
    [("never", (False, False, True)), ("loopback", (False, True, True)), ("always", (True, True, True))],
)
def test_where_passwords_may_come(plaintext, allowed):
    places = ({"is_loopback": False}, {"is_loopback": True}, {"is_loopback": False, "is_secure": True})
    found = [passwords_allowed(plaintext, **{"is_secure": False} | place) for place in places]
    assert tuple(found) == allowed
