"""``$1$``: MD5-crypt (Poul-Henning Kamp, FreeBSD 1994), to read old hashes.

MD5 protects nobody any more: such a hash is replaced at its owner's first login.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from mailsys.accounts.crypt_base64 import encode

ROUNDS = 1000
_MD5_CRYPT = re.compile(r"\$1\$([^$:\s]{0,8})\$([./0-9A-Za-z]{22})")
_ORDER = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5), (11,))


class Md5CryptError(ValueError):
    """The string is no MD5-crypt hash."""


@dataclass(frozen=True, slots=True)
class Md5Crypt:
    """A hash as it stands after the last ``$``, with its salt."""

    salt: bytes
    encoded: str

    def matches(self, password: bytes) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(md5_crypt(password, self.salt), self.encoded)


def parse_md5_crypt(text: str) -> Md5Crypt:
    """Read ``$1$<salt>$<hash>``; raises Md5CryptError."""
    match = _MD5_CRYPT.fullmatch(text)
    if match is None:
        raise Md5CryptError("this is no MD5-crypt string")
    return Md5Crypt(match[1].encode(), match[2])


def md5_crypt(password: bytes, salt: bytes, magic: bytes = b"$1$") -> str:
    """The hash as it is written after the last ``$``; Apache's has the magic ``$apr1$``."""
    inner = _md5(password + salt + password)
    mixed = password + magic + salt + (inner * (len(password) // 16 + 1))[: len(password)]
    bits = len(password)
    while bits:
        mixed += b"\0" if bits & 1 else password[:1]
        bits >>= 1
    digest = _md5(mixed)
    for number in range(ROUNDS):
        digest = _round(number, digest, password, salt)
    return encode(digest, _ORDER)


def _round(number: int, digest: bytes, password: bytes, salt: bytes) -> bytes:
    odd = number & 1
    data = password if odd else digest
    if number % 3:
        data += salt
    if number % 7:
        data += password
    return _md5(data + (digest if odd else password))


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
