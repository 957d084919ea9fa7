"""Our own hashes: what is stored for a password, and what is the same password."""

import base64
import hashlib
import hmac

import pytest

from mailsys.accounts import passwords
from mailsys.accounts.argon2 import Argon2, Argon2Error, parse_argon2
from mailsys.accounts.credentials import (
    Credential,
    PasswordError,
    foreign_credentials,
    is_acceptable,
    is_outdated,
    matches,
    nobodys,
    own_credentials,
)
from mailsys.accounts.saslprep import prepared
from mailsys.accounts.scram import stored_keys


def test_a_password_is_stored_as_argon2id_and_scram_keys():
    own, scram = own_credentials("geheim")
    assert own.kind == "argon2id"
    assert own.value.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert scram.kind == "scram-sha-256"
    assert scram.value.startswith("SCRAM-SHA-256$65536:")
    assert matches(own, "geheim")
    assert not matches(own, "geheim ")
    assert not is_outdated(own)
    assert own_credentials("geheim")[0] != own


def test_our_string_is_one_that_others_can_verify():
    argon2 = pytest.importorskip("cryptography.hazmat.primitives.kdf.argon2")
    if not hasattr(argon2.Argon2id, "verify_phc_encoded"):
        pytest.skip("this cryptography reads no PHC strings")
    argon2.Argon2id.verify_phc_encoded(b"geheim", own_credentials("geheim")[0].value)


def test_without_argon2id_it_is_scrypt(monkeypatch):
    monkeypatch.setattr(passwords, "has_argon2id", lambda: False)
    own = own_credentials("geheim")[0]
    assert own.kind == "scrypt"
    assert own.value.startswith("$scrypt$ln=15,r=8,p=1$")
    assert matches(own, "geheim")
    assert not matches(own, "Geheim")
    assert not matches(nobodys(), "geheim")
    assert not is_outdated(own)
    monkeypatch.setattr(passwords, "has_argon2id", lambda: True)
    assert is_outdated(own)


def test_a_hash_with_other_parameters_is_outdated():
    weaker = str(parse_argon2(own_credentials("x")[0].value)).replace("t=2", "t=1")
    assert is_outdated(Credential("argon2id", weaker))


def test_nobodys_hash_is_like_anybodys():
    nobody, somebody = nobodys(), own_credentials("x")[0]
    assert nobody.kind == somebody.kind
    assert parse_argon2(nobody.value).parameters == parse_argon2(somebody.value).parameters
    assert not matches(nobody, "x")


@pytest.mark.parametrize("value", ["", "$argon2id$v=19$m=19456", "$scrypt$", "x" * 99])
@pytest.mark.parametrize("kind", ["argon2id", "scrypt"])
def test_a_damaged_hash_is_told(kind, value):
    with pytest.raises(ValueError, match=r"string"):
        matches(Credential(kind, value), "x")


def test_argon2_as_in_rfc_9106():
    # The RFC's vector has a secret; this one is of the reference implementation's test suite.
    known = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
    assert parse_argon2(known).matches(b"password")
    assert not parse_argon2(known).matches(b"passwore")
    assert str(parse_argon2(known)) == known


@pytest.mark.parametrize(
    "parameters",
    ["m=262145,t=1,p=1", "m=262144,t=4,p=1", "m=8,t=65,p=1", "m=8,t=1,p=17", "m=7,t=1,p=1", "m=8,t=0,p=1"],
)
def test_argon2_that_costs_too_much_is_refused_before_it_costs(parameters):
    with pytest.raises(Argon2Error):
        parse_argon2(f"$argon2id${'v=19'}${parameters}$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu")


def test_scram_keys_as_in_rfc_7677():
    """The exchange of RFC 7677 section 3, from the server's side."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    stored, server = stored_keys(b"pencil", salt, 4096).rsplit("$", 1)[1].split(":")
    said = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    signature = hmac.digest(base64.b64decode(server), said, "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    client_signature = hmac.digest(base64.b64decode(stored), said, "sha256")
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(a ^ b for a, b in zip(client_signature, proof, strict=True))
    assert hashlib.sha256(client_key).digest() == base64.b64decode(stored)


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("I\u00adX", "IX"),  # RFC 4013 section 3
        ("user", "user"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("Mu\u0308ller", "M\u00fcller"),
        ("a\u00a0b", "a b"),
        ("\U0001f40e\u0308", "\U0001f40e\u0308"),  # an emoji, unknown to SASLprep: NFC
        ("\u0627\u0031", "\u0627\u0031"),  # forbidden by its direction: NFC
        ("\u00ad", "\u00ad"),  # nothing would be left
    ],
)
def test_the_same_password_however_it_is_typed(typed, same):
    assert prepared(typed) == same.encode()


@pytest.mark.parametrize("password", ["", "x" * 1025, "ä" * 513, "a\0b", "\udcff"])
def test_what_can_be_no_password(password):
    assert not is_acceptable(password)
    with pytest.raises(PasswordError):
        own_credentials(password)


def test_a_password_in_clear_is_never_stored():
    stored = foreign_credentials("{PLAIN}geheim")
    assert [credential.kind for credential in stored] == ["argon2id", "scram-sha-256"]
    assert "geheim" not in repr(stored)


def test_argon2_parameters_are_ours():
    assert Argon2("argon2id", 19456, 2, 1) == passwords.ARGON2ID
