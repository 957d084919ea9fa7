"""Hashes of other programs: each scheme verified, hostile ones refused before they cost anything."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from mailsys.accounts import blowfish_crypt
from mailsys.accounts.blowfish_crypt import BcryptError
from mailsys.accounts.foreign import ForeignHashError, parse
from mailsys.accounts.md5_crypt import md5_crypt
from mailsys.accounts.sha_crypt import sha_crypt

DOVECOT = [
    text
    for text in (Path(__file__).parent / "dovecot_hashes.txt").read_text().splitlines()
    if not text.startswith("#")
]
SCHEMES = sorted({match[1] for text in DOVECOT if (match := re.match(r"\{([A-Z0-9-]+)", text))})


def known(text):
    """The parsed hash; where nothing on this machine can compute it, skip."""
    try:
        return parse(text)
    except ForeignHashError as error:
        if "needs the package" in str(error) or "OpenSSL" in str(error):
            pytest.skip(str(error))
        raise


@pytest.mark.parametrize("text", DOVECOT, ids=[text[:24] for text in DOVECOT])
def test_dovecots_hashes_are_understood(text):
    assert known(text).matches(b"geheim")
    for wrong in (b"", b"Geheim", b"geheim "):
        assert not known(text).matches(wrong)


@pytest.mark.parametrize("password", ["a", "geheim", "grün ☂", "x" * 71, "y" * 130, "with space {x}"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_doveadm_makes_is_understood(scheme, password):
    if shutil.which("doveadm") is None:
        pytest.skip("Dovecot's doveadm is not installed")
    command = ["doveadm", "pw", "-s", scheme, "-p", password]
    made = subprocess.run(command, capture_output=True, timeout=30)
    if made.returncode:
        pytest.skip(f"this Dovecot has no {scheme}")
    hash_ = known(made.stdout.decode().removesuffix("\n"))
    assert hash_.matches(password.encode())
    assert not hash_.matches(b"!" + password.encode())


@pytest.mark.parametrize("option", ["-1", "-5", "-6"])
@pytest.mark.parametrize(
    "password", ["a", "geheim", "grün", "x" * 16, "x" * 63, "x" * 64, "x" * 65, "y" * 200]
)
def test_what_openssl_makes_is_understood(option, password):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    command = ["openssl", "passwd", option, "-salt", "saltsalt", "-stdin"]
    made = subprocess.run(command, input=password.encode(), capture_output=True, timeout=30)
    assert parse(made.stdout.decode().strip()).matches(password.encode())


# From the specification of SHA-crypt.
@pytest.mark.parametrize(
    ("variant", "rounds", "salt", "password", "encoded"),
    [
        ("5", 5000, b"saltstring", b"Hello world!", "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
        ("5", 10000, b"saltstringsaltst", b"Hello world!", "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"),
        (
            "6",
            5000,
            b"saltstring",
            b"Hello world!",
            "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        ),
        (
            "6",
            10000,
            b"saltstringsaltst",
            b"Hello world!",
            "OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
        ),
    ],
)
def test_sha_crypt_as_specified(variant, rounds, salt, password, encoded):
    assert sha_crypt(variant, password, salt, rounds) == encoded


def test_md5_crypt_as_others_have_it():
    assert md5_crypt(b"password", b"xxxxxxxx") == "UYCIxa628.9qXjpQCjM4a."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "geheim",
        "{",
        "{}x",
        "{ROT13}trurvz",
        "{CRAM-MD5}9186d855e11eba527a7a52748207b1ffd0aa2e7b6f2fb8b2f6c4bd3bcae1f8f2",
        "{CRYPT}8b1j06hl89P7U",
        "$y$j9T$salt$hash",
        "{SHA}",
        "{SHA}AAAA",
        "{SHA}not base64",
        "{SHA.HEX}zz",
        "{SSHA}" + "A" * 1000,
        "{SHA512-CRYPT}$5$salt$aCtA2OmvkfwtrQ4WJF6WHzD5JG6VpS32U7VfmvylWY",
        "{SHA512-CRYPT}$6$rounds=1000001$salt$" + "a" * 86,
        "{SHA512-CRYPT}$6$rounds=999999999$salt$" + "a" * 86,
        "{SHA512-CRYPT}$6$rounds=999$salt$" + "a" * 86,
        "{SHA512-CRYPT}$6$" + "s" * 17 + "$" + "a" * 86,
        "{BLF-CRYPT}$2y$31$" + "a" * 53,
        "{BLF-CRYPT}$2y$03$" + "a" * 53,
        "{PBKDF2}$1$salt$1000001$" + "0" * 40,
        "{PBKDF2}$1$salt$0$" + "0" * 40,
        "{SCRAM-SHA-256}999999999,AAAA,AAAA,AAAA",
        "{SCRAM-SHA-256}4096,A,AAAA,AAAA",
        "{ARGON2ID}$argon2id$v=19$m=4194304,t=3,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5",
        "{ARGON2ID}$argon2i$v=19$m=65536,t=3,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5",
        "{ARGON2ID}$argon2id$v=19$m=65536,t=999,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5",
        "{PLAIN.HEX}ff",
        "{SHA512-CRYPT.B64}/////w==",
    ],
)
def test_what_cannot_be_used_is_refused_at_once(text):
    started = time.monotonic()
    with pytest.raises(ForeignHashError):
        parse(text)
    assert time.monotonic() - started < 1


def test_bcrypt_is_missing_in_a_clear_sentence(monkeypatch):
    monkeypatch.setattr(blowfish_crypt, "_from_package", lambda: None)
    monkeypatch.setattr(blowfish_crypt, "_from_system", lambda: None)
    blowfish_crypt._crypt.cache_clear()
    try:
        with pytest.raises(ForeignHashError, match=r"pip install mailsys\[import\]"):
            parse("{BLF-CRYPT}$2y$05$0HMdBfjmZ/Rvs/DOd0u5Nuc8PdczX7u6Bw35JN4WGGcfiHlpfrlfa")
    finally:
        blowfish_crypt._crypt.cache_clear()


@pytest.mark.parametrize("source", ["_from_package", "_from_system"])
def test_bcrypt_from_either_source(source, monkeypatch):
    crypt = getattr(blowfish_crypt, source)()
    if crypt is None:
        pytest.skip("it is not on this machine")
    monkeypatch.setattr(blowfish_crypt, "_crypt", lambda: crypt)
    hash_ = blowfish_crypt.parse_bcrypt("$2y$05$0HMdBfjmZ/Rvs/DOd0u5Nuc8PdczX7u6Bw35JN4WGGcfiHlpfrlfa")
    assert hash_.matches(b"geheim")
    assert not hash_.matches(b"geheim" * 100)


def test_bcrypt_bounds():
    with pytest.raises(BcryptError, match="cost"):
        blowfish_crypt.parse_bcrypt("$2b$16$" + "a" * 53)
