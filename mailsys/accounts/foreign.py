"""Password hashes of other programs, as Dovecot writes them: ``{SCHEME}hash``.

``{SCHEME.b64}`` and ``{SCHEME.hex}`` say how the hash is encoded where it is not as usual.
A parser checks all that the hash says about its cost, so comparing takes some seconds at most.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mailsys.accounts.argon2 import parse_argon2
from mailsys.accounts.blowfish_crypt import parse_bcrypt
from mailsys.accounts.md5_crypt import parse_md5_crypt
from mailsys.accounts.scram import derive_keys
from mailsys.accounts.sha_crypt import parse_sha_crypt

MOST_ITERATIONS = 1_000_000  # of PBKDF2: about a second
MOST_SALT_OCTETS = 256

Matcher = Callable[[bytes], bool]

_SCHEME = re.compile(r"\{([A-Za-z0-9-]+)(?:\.(b64|base64|hex))?\}(.*)", re.DOTALL | re.IGNORECASE)
_PBKDF2 = re.compile(r"\$1\$([^$]{0,256})\$([0-9]{1,9})\$([0-9a-f]{40})")
_SCRAM = re.compile(r"([0-9]{1,9}),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+)")


class ForeignHashError(ValueError):
    """It cannot be used; the text says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class ForeignHash:
    """One password of another program: a way to compare, or the password itself if it was in clear."""

    scheme: str
    matches: Matcher
    plaintext: str | None = None


def parse(text: str) -> ForeignHash:
    """Read ``{SCHEME}hash``, or what crypt(3) writes, which begins with ``$``; raises ForeignHashError."""
    scheme, encoding, value = _split(text)
    try:
        if scheme in _IN_CLEAR:
            password = _decoded(value, encoding).decode() if encoding else value
            return ForeignHash(scheme, partial(hmac.compare_digest, password.encode()), password)
        if scheme in _DIGESTS:
            return ForeignHash(scheme, _DIGESTS[scheme](value, encoding))
        if scheme in _STRINGS:
            string = _decoded(value, encoding).decode("ascii") if encoding else value
            return ForeignHash(scheme, _STRINGS[scheme](string))
    except ValueError as error:
        raise ForeignHashError(f"the {{{scheme}}} hash cannot be used: {_reason(error)}") from error
    raise ForeignHashError(f"the scheme {{{scheme}}} is not supported; its owner needs a new password")


def _split(text: str) -> tuple[str, str, str]:
    if text.startswith("$"):
        return "CRYPT", "", text
    match = _SCHEME.fullmatch(text)
    if match is None:
        raise ForeignHashError("the password has no scheme; write {PLAIN} before one in clear")
    return match[1].upper(), (match[2] or "").lower(), match[3]


def _reason(error: ValueError) -> str:
    return "its characters are not valid" if isinstance(error, UnicodeError) else str(error)


def _decoded(value: str, encoding: str) -> bytes:
    try:
        return bytes.fromhex(value) if encoding == "hex" else b64decode(value, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError("its encoding is not valid") from error


def _digest(name: str, salted: bool, usual: str, value: str, encoding: str) -> Matcher:
    """One digest over password and salt, followed by the salt: {SHA}, {SSHA256} …"""
    size = hashlib.new(name, usedforsecurity=False).digest_size
    looks_hex = not salted and re.fullmatch(rf"[0-9A-Fa-f]{{{2 * size}}}", value) is not None
    stored = _decoded(value, encoding or ("hex" if looks_hex else usual))
    digest, salt = stored[:size], stored[size:]
    if len(digest) < size or len(salt) > (MOST_SALT_OCTETS if salted else 0):
        raise ValueError("its length is wrong")

    def matches(password: bytes) -> bool:
        computed = hashlib.new(name, password + salt, usedforsecurity=False).digest()
        return hmac.compare_digest(computed, digest)

    return matches


def _pbkdf2(value: str) -> Matcher:
    """``$1$<salt>$<iterations>$<hex>``, with SHA-1."""
    match = _PBKDF2.fullmatch(value)
    if match is None:
        raise ValueError("this is no PBKDF2 string")
    salt, iterations, digest = match[1].encode(), _iterations(match[2]), bytes.fromhex(match[3])

    def matches(password: bytes) -> bool:
        return hmac.compare_digest(hashlib.pbkdf2_hmac("sha1", password, salt, iterations), digest)

    return matches


def _scram(name: str, value: str) -> Matcher:
    """``<iterations>,<salt>,<StoredKey>,<ServerKey>``."""
    match = _SCRAM.fullmatch(value)
    if match is None:
        raise ValueError("these are no SCRAM keys")
    iterations = _iterations(match[1])
    salt, stored_key, _server_key = (_decoded(part, "b64") for part in match.group(2, 3, 4))

    def matches(password: bytes) -> bool:
        return hmac.compare_digest(derive_keys(name, password, salt, iterations)[0], stored_key)

    return matches


def _iterations(text: str) -> int:
    if not 1 <= int(text) <= MOST_ITERATIONS:
        raise ValueError(f"it has {text} iterations; 1 to {MOST_ITERATIONS} are allowed")
    return int(text)


def _crypt(value: str) -> Matcher:
    """Any hash of crypt(3), told by its beginning."""
    for beginning, parser in _CRYPTS.items():
        if value.startswith(beginning):
            return parser(value)
    raise ValueError("its kind is not supported; its owner needs a new password")


def _argon2(variant: str, value: str) -> Matcher:
    known = parse_argon2(value)
    if known.parameters.variant != variant:
        raise ValueError(f"this is no {variant} string")
    return known.matches


_CRYPTS: dict[str, Callable[[str], Matcher]] = {
    "$1$": lambda value: parse_md5_crypt(value).matches,
    "$5$": lambda value: parse_sha_crypt(value).matches,
    "$6$": lambda value: parse_sha_crypt(value).matches,
    "$2": lambda value: parse_bcrypt(value).matches,
    "$argon2": lambda value: parse_argon2(value).matches,
}

_IN_CLEAR = ("PLAIN", "CLEAR", "CLEARTEXT")

# Scheme → digest, salted or not, and the encoding that is usual for it.
_DIGESTS: dict[str, Callable[[str, str], Matcher]] = {
    "PLAIN-MD5": partial(_digest, "md5", False, "hex"),
    "LDAP-MD5": partial(_digest, "md5", False, "b64"),
    "SMD5": partial(_digest, "md5", True, "b64"),
    "SHA": partial(_digest, "sha1", False, "b64"),
    "SHA1": partial(_digest, "sha1", False, "b64"),
    "SSHA": partial(_digest, "sha1", True, "b64"),
    "SHA256": partial(_digest, "sha256", False, "b64"),
    "SSHA256": partial(_digest, "sha256", True, "b64"),
    "SHA512": partial(_digest, "sha512", False, "b64"),
    "SSHA512": partial(_digest, "sha512", True, "b64"),
}

# Schemes whose hashes are strings that carry their own parameters.
_STRINGS: dict[str, Callable[[str], Matcher]] = {
    "CRYPT": _crypt,
    "MD5": lambda value: parse_md5_crypt(value).matches,
    "MD5-CRYPT": lambda value: parse_md5_crypt(value).matches,
    "SHA256-CRYPT": lambda value: parse_sha_crypt(value).matches,
    "SHA512-CRYPT": lambda value: parse_sha_crypt(value).matches,
    "BLF-CRYPT": lambda value: parse_bcrypt(value).matches,
    "ARGON2I": partial(_argon2, "argon2i"),
    "ARGON2ID": partial(_argon2, "argon2id"),
    "PBKDF2": _pbkdf2,
    "SCRAM-SHA-1": partial(_scram, "sha1"),
    "SCRAM-SHA-256": partial(_scram, "sha256"),
}
