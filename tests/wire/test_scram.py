"""SCRAM-SHA-256 as the server speaks it, against scramp's client and against clients that cheat."""

import base64
import hashlib
import hmac

import pytest
import scramp
from hypothesis import given
from hypothesis import strategies as st

from mailsys.wire import sasl
from mailsys.wire.sasl import Challenge, Failed, KeysWanted, Proven, Refusal, ScramKeys

SALT = b"sixteen octets.."
ITERATIONS = 4096
NONCE = bytes(range(18))
BINDINGS = {"tls-server-end-point": b"certificate's digest", "tls-exporter": b"x" * 32}


def keys_of(password):
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return ScramKeys(SALT, ITERATIONS, hashlib.sha256(client_key).digest(), server_key)


KEYS = keys_of("pencil")


def exchange(mechanism="SCRAM-SHA-256", offered=sasl.MECHANISMS, bindings=BINDINGS, nonce=NONCE):
    return sasl.exchange(mechanism, offered, bindings.get, lambda octets: nonce[:octets])


def client(mechanism="SCRAM-SHA-256", word="pencil", binding=None, name="user"):
    return scramp.ScramClient([mechanism], name, word, channel_binding=binding)


def play(server, client, keys=KEYS):
    """All messages of one login; returns the last step."""
    step = server.begin(client.get_client_first().encode())
    if not isinstance(step, KeysWanted):
        return step
    client.set_server_first(server.keys(keys).data.decode())
    step = server.step(client.get_client_final().encode())
    if isinstance(step, Challenge):
        client.set_server_final(step.data.decode())  # raises if the signature is wrong
        step = server.step(b"")
    return step


def test_a_right_password():
    assert play(exchange(), client()) == Proven("user")


def test_a_wrong_password():
    assert play(exchange(), client(word="pen")) == Failed(Refusal.WRONG_PROOF)


@pytest.mark.parametrize("name", ["user", "a,b=c", "jürgen@bücher.example", "=2C"])
def test_names_are_written_so_that_commas_do_not_matter(name):
    assert play(exchange(), client(name=name)) == Proven(name)


def test_bound_to_the_connection():
    """scramp knows no tls-exporter; gsasl does, and so do the tests of row 22 below."""
    kind = "tls-server-end-point"
    plus = "SCRAM-SHA-256-PLUS"
    assert play(exchange(plus), client(plus, binding=(kind, BINDINGS[kind]))) == Proven("user")


def test_the_example_of_rfc_7677():
    """RFC 7677 3: the exchange that is printed there."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", salt, 4096)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    keys = ScramKeys(salt, 4096, stored, hmac.digest(salted, b"Server Key", "sha256"))
    server = exchange()
    assert server.begin(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO") == KeysWanted("user")
    server._nonce = b"rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    assert server.keys(keys).data.endswith(b"$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    final = (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert server.step(final) == Challenge(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    assert server.step(b"") == Proven("user")


# Row 22: what cheats do


def begun(server=None, keys=KEYS, first=b"n,,n=user,r=abc"):
    """A server that waits for the client's last message, and what it has sent."""
    server = server or exchange()
    assert isinstance(server.begin(first), KeysWanted)
    return server, server.keys(keys).data


def final_of(server_first, header=b"n,,", data=b"", bare=b"n=user,r=abc", word="pencil", cut=32):
    """What an honest client of this password says last."""
    nonce = server_first.split(b",")[0]
    without_proof = b"c=" + base64.b64encode(header + data) + b"," + nonce
    salted = hashlib.pbkdf2_hmac("sha256", word.encode(), SALT, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signed = b",".join((bare, server_first, without_proof))
    signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    return without_proof + b",p=" + base64.b64encode(proof[:cut])


def test_the_honest_client_of_these_tests_is_let_in():
    server, first = begun()
    assert isinstance(server.step(final_of(first)), Challenge)
    assert server.step(b"") == Proven("user")


@pytest.mark.row(22)
@pytest.mark.parametrize("cut", [0, 1, 16, 31])
def test_a_truncated_proof_proves_nothing(cut):
    """Row 22: a proof that is short is refused whatever it begins with."""
    server, first = begun()
    assert server.step(final_of(first, cut=cut)) == Failed(Refusal.MALFORMED)


@pytest.mark.row(22)
def test_a_recorded_exchange_is_of_no_use():
    """Row 22: the same client's nonce again meets another of ours, and the old proof fails."""
    server, first = begun()
    recorded = final_of(first)
    assert isinstance(server.step(recorded), Challenge)
    again, _first = begun(exchange(nonce=bytes(range(1, 19))))
    assert again.step(recorded) == Failed(Refusal.MALFORMED)


@pytest.mark.row(22)
def test_a_nonce_that_is_not_ours_or_cut_is_refused():
    """Row 22: the client's own nonce alone, ours alone, and one octet less."""
    server, first = begun()
    nonce = first.split(b",")[0][2:]
    for other in (b"abc", nonce[3:], nonce[:-1], nonce + b"x"):
        server, first = begun()
        assert server.step(final_of(first.replace(nonce, other))) == Failed(Refusal.MALFORMED)


@pytest.mark.row(22)
def test_p_without_tls_and_where_it_does_not_belong():
    """Row 22: p= needs the -PLUS mechanism and TLS; -PLUS needs p=."""
    first = b"p=tls-exporter,,n=user,r=abc"
    without_tls = exchange("SCRAM-SHA-256-PLUS", bindings={})
    assert without_tls.begin(first) == Failed(Refusal.MALFORMED)
    assert exchange().begin(first) == Failed(Refusal.MALFORMED)
    assert exchange("SCRAM-SHA-256-PLUS").begin(b"n,,n=user,r=abc") == Failed(Refusal.MALFORMED)
    assert exchange("SCRAM-SHA-256-PLUS").begin(b"p=tls-unique,,n=user,r=abc") == Failed(Refusal.MALFORMED)


@pytest.mark.row(22)
def test_a_downgrade_is_noticed():
    """Row 22: y says "you offer no -PLUS"; if we did, somebody has changed what we said."""
    first = b"y,,n=user,r=abc"
    assert exchange().begin(first) == Failed(Refusal.DOWNGRADED)
    assert exchange("SCRAM-SHA-256-PLUS").begin(first) == Failed(Refusal.DOWNGRADED)
    server, said = begun(exchange(offered=("SCRAM-SHA-256",)), first=first)
    assert isinstance(server.step(final_of(said, header=b"y,,")), Challenge)


@pytest.mark.row(22)
@pytest.mark.parametrize(
    ("header", "data"),
    [
        (b"p=tls-exporter,,", b"y" * 32),
        (b"p=tls-exporter,,", b""),
        (b"p=tls-server-end-point,,", b"x" * 32),
        (b"n,,", b""),
    ],
)
def test_a_wrong_binding_is_refused(header, data):
    """Row 22: another connection's binding, none, another type's, and a header that was changed."""
    first = b"p=tls-exporter,,n=user,r=abc"
    server, said = begun(exchange("SCRAM-SHA-256-PLUS"), first=first)
    assert server.step(final_of(said, header, data)) == Failed(Refusal.WRONG_BINDING)
    server, said = begun(exchange("SCRAM-SHA-256-PLUS"), first=first)
    right = final_of(said, b"p=tls-exporter,,", BINDINGS["tls-exporter"])
    assert isinstance(server.step(right), Challenge)


@pytest.mark.row(20)
@pytest.mark.row(22)
@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n,,",
        b"n,,n=,r=abc",
        b"n,,n=user,r=",
        b"n,,n=us\0er,r=abc",
        b"n,,m=ext,n=user,r=abc",  # an extension that we would have to understand
        b"n,,n=user=2,r=abc",
        b"n,,n=\xff,r=abc",
        b"n,,r=abc,n=user",
        b"x,,n=user,r=abc",
        b"n,,n=user,r=" + b"a" * 2000,
        b"n,,n=user,r=a b",
    ],
)
def test_first_messages_that_are_none(first):
    assert exchange().begin(first) == Failed(Refusal.MALFORMED)


def test_to_act_as_somebody_else_is_refused():
    assert exchange().begin(b"n,a=boss,n=user,r=abc") == Failed(Refusal.OTHER_IDENTITY)
    server, first = begun(first=b"n,a=user,n=user,r=abc")
    assert isinstance(server.step(final_of(first, header=b"n,a=user,")), Challenge)


def test_after_the_signature_nothing_more_is_said():
    server, first = begun()
    assert isinstance(server.step(final_of(first)), Challenge)
    assert server.step(b"x") == Failed(Refusal.MALFORMED)


def test_the_keys_are_in_no_repr():
    assert repr(KEYS.stored_key) not in repr(KEYS)
    assert repr(KEYS.server_key) not in repr(KEYS)


@given(
    st.lists(
        st.binary(max_size=60) | st.sampled_from([b"n,,n=user,r=abc", b"c=biws,r=abc,p=AA=="]), max_size=4
    )
)
def test_no_stranger_gets_in_by_chance(messages):
    server = exchange()
    for message in messages:
        step = server.step(message)
        if isinstance(step, KeysWanted):
            step = server.keys(KEYS)
        assert not isinstance(step, Proven)
        if isinstance(step, Failed):
            return
