"""How we hash passwords: Argon2id, or scrypt where OpenSSL has no Argon2id.

Both are written as strings that carry their parameters, so that they can grow later::

    $argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>
    $scrypt$ln=15,r=8,p=1$<salt>$<hash>          n = 2**ln; base64 with padding
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable

from mailsys.accounts.argon2 import Argon2, Argon2Error, Argon2Hash, parse_argon2

# 19 MiB, two passes: the least that OWASP recommends, 25 ms here.
ARGON2ID = Argon2("argon2id", memory_kib=19 * 1024, passes=2, lanes=1)
SALT_OCTETS = 16
DIGEST_OCTETS = 32

_SCRYPT_LOG_N, _SCRYPT_R, _SCRYPT_P = 15, 8, 1
_SCRYPT_MEMORY = 64 * 1024 * 1024
_SCRYPT_HEAD = f"$scrypt$ln={_SCRYPT_LOG_N},r={_SCRYPT_R},p={_SCRYPT_P}"
_SCRYPT = re.compile(re.escape(_SCRYPT_HEAD) + r"\$([A-Za-z0-9+/=]{24})\$([A-Za-z0-9+/=]{44})")


def hash_password(password: bytes, random_bytes: Callable[[int], bytes]) -> tuple[str, str]:
    """Return the kind (argon2id or scrypt) and the string to store."""
    salt = random_bytes(SALT_OCTETS)
    if has_argon2id():
        digest = ARGON2ID.derive(password, salt, DIGEST_OCTETS)
        return "argon2id", str(Argon2Hash(ARGON2ID, salt, digest))
    return "scrypt", _scrypt_string(salt, _scrypt(password, salt))


def unmatchable(random_bytes: Callable[[int], bytes]) -> tuple[str, str]:
    """Return kind and string of a hash that is of no password, and takes as long to compare."""
    salt, digest = random_bytes(SALT_OCTETS), random_bytes(DIGEST_OCTETS)
    if has_argon2id():
        return "argon2id", str(Argon2Hash(ARGON2ID, salt, digest))
    return "scrypt", _scrypt_string(salt, digest)


def verify_password(password: bytes, kind: str, stored: str) -> bool:
    """Is it the password?  Raises ValueError when the string is damaged or cannot be computed here."""
    if kind == "argon2id":
        return parse_argon2(stored).matches(password)
    match = _SCRYPT.fullmatch(stored)
    if match is None:
        raise ValueError("this is no scrypt string of ours")
    salt, digest = map(b64decode, match.groups())
    return hmac.compare_digest(_scrypt(password, salt), digest)


def needs_rehash(kind: str, stored: str) -> bool:
    """Was it made with other parameters than today's?"""
    if kind == "argon2id":
        return parse_argon2(stored).parameters != ARGON2ID
    return has_argon2id()


@functools.cache
def has_argon2id() -> bool:
    """Can this machine's OpenSSL do it (3.2 and later)?"""
    try:
        Argon2("argon2id", memory_kib=8, passes=1, lanes=1).derive(b"", b"8 octets", 16)
    except Argon2Error:
        return False
    return True


def _scrypt(password: bytes, salt: bytes) -> bytes:
    n = 1 << _SCRYPT_LOG_N
    sizes = {"maxmem": _SCRYPT_MEMORY, "dklen": DIGEST_OCTETS}
    return hashlib.scrypt(password, salt=salt, n=n, r=_SCRYPT_R, p=_SCRYPT_P, **sizes)


def _scrypt_string(salt: bytes, digest: bytes) -> str:
    return f"{_SCRYPT_HEAD}${b64encode(salt).decode()}${b64encode(digest).decode()}"
