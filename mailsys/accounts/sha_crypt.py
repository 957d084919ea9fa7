"""``$5$`` and ``$6$``: SHA-crypt (Ulrich Drepper's specification, 2007), to read old hashes.

The numbers in the comments are the steps of the specification.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from mailsys.accounts.crypt_base64 import encode

DEFAULT_ROUNDS = 5000
LEAST_ROUNDS = 1000
# The specification allows 999,999,999: a quarter of an hour for one login.
MOST_ROUNDS = 1_000_000

_SHA_CRYPT = re.compile(r"\$([56])\$(?:rounds=([1-9][0-9]{0,8})\$)?([^$:\s]{0,16})\$([./0-9A-Za-z]+)")

# 22: the order in which the octets of the last digest are written.
# fmt: off
_SHA256_ORDER = (
    (0, 10, 20), (21, 1, 11), (12, 22, 2), (3, 13, 23), (24, 4, 14), (15, 25, 5),
    (6, 16, 26), (27, 7, 17), (18, 28, 8), (9, 19, 29), (31, 30),
)
_SHA512_ORDER = (
    (0, 21, 42), (22, 43, 1), (44, 2, 23), (3, 24, 45), (25, 46, 4), (47, 5, 26),
    (6, 27, 48), (28, 49, 7), (50, 8, 29), (9, 30, 51), (31, 52, 10), (53, 11, 32),
    (12, 33, 54), (34, 55, 13), (56, 14, 35), (15, 36, 57), (37, 58, 16), (59, 17, 38),
    (18, 39, 60), (40, 61, 19), (62, 20, 41), (63,),
)
# fmt: on
_VARIANTS = {"5": ("sha256", _SHA256_ORDER, 43), "6": ("sha512", _SHA512_ORDER, 86)}


class ShaCryptError(ValueError):
    """The string is no SHA-crypt hash, or one that costs too much; the text says which."""


@dataclass(frozen=True, slots=True)
class ShaCrypt:
    """A hash as it stands after the last ``$``, with what led to it; ``variant`` is "5" or "6"."""

    variant: str
    rounds: int
    salt: bytes
    encoded: str

    def matches(self, password: bytes) -> bool:
        """Compare in constant time; a million rounds take two seconds."""
        computed = sha_crypt(self.variant, password, self.salt, self.rounds)
        return hmac.compare_digest(computed, self.encoded)


def parse_sha_crypt(text: str) -> ShaCrypt:
    """Read ``$5$…`` or ``$6$…``; raises ShaCryptError."""
    match = _SHA_CRYPT.fullmatch(text)
    if match is None or len(match[4]) != _VARIANTS[match[1]][2]:
        raise ShaCryptError("this is no SHA-crypt string")
    rounds = int(match[2] or DEFAULT_ROUNDS)
    if not LEAST_ROUNDS <= rounds <= MOST_ROUNDS:
        raise ShaCryptError(f"it has {rounds} rounds; {LEAST_ROUNDS} to {MOST_ROUNDS} are allowed")
    return ShaCrypt(match[1], rounds, match[3].encode(), match[4])


def sha_crypt(variant: str, password: bytes, salt: bytes, rounds: int) -> str:
    """The hash as it is written after the last ``$``."""
    name, order, _length = _VARIANTS[variant]
    digest = _first_digest(name, password, salt)
    # 13-20: as many octets as the password and the salt have, from digests of them repeated
    p = _stretched(hashlib.new(name, password * len(password)).digest(), len(password))
    s = _stretched(hashlib.new(name, salt * (16 + digest[0])).digest(), len(salt))
    return encode(_repeated(name, digest, p, s, rounds), order)


def _first_digest(name: str, password: bytes, salt: bytes) -> bytes:
    """1-12."""
    b = hashlib.new(name, password + salt + password).digest()
    a = hashlib.new(name, password + salt + _stretched(b, len(password)))
    bits = len(password)
    while bits:
        a.update(b if bits & 1 else password)
        bits >>= 1
    return a.digest()


def _repeated(name: str, digest: bytes, p: bytes, s: bytes, rounds: int) -> bytes:
    """21."""
    algorithm = getattr(hashlib, name)  # faster than hashlib.new
    for number in range(rounds):
        odd = number & 1
        data = p if odd else digest
        if number % 3:
            data += s
        if number % 7:
            data += p
        digest = algorithm(data + (digest if odd else p)).digest()
    return digest


def _stretched(digest: bytes, length: int) -> bytes:
    return (digest * (length // len(digest) + 1))[:length]
