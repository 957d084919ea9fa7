"""``$2a$``, ``$2b$``, ``$2y$``: bcrypt, to read old hashes.

Blowfish is nothing to write in Python, so this asks the package ``bcrypt`` (``pip install
mailsys[import]``), or else the system's crypt(3), which knows it on most Linux systems.
"""

from __future__ import annotations

import ctypes
import functools
import hmac
import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass

MOST_LOG_ROUNDS = 15  # two seconds; 10 to 13 are usual
PASSWORD_OCTETS = 72  # bcrypt looks at no more, and the package refuses longer ones

_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./0-9A-Za-z]{53}")
_CRYPT_DATA_OCTETS = 32768  # sizeof(struct crypt_data) of libxcrypt
_PROBE = b"$2b$04$abcdefghijklmnopqrstuu"

# Takes a password, and a hash whose settings are to be used; returns the password's hash.
Crypt = Callable[[bytes, bytes], bytes]


class BcryptError(ValueError):
    """The hash cannot be computed: malformed, too costly, or not supported here; the text says which."""


@dataclass(frozen=True, slots=True)
class Bcrypt:
    """A whole bcrypt string."""

    text: str

    def matches(self, password: bytes) -> bool:
        """Compare in constant time; raises BcryptError when nothing here can compute it."""
        expected = self.text.encode()
        return hmac.compare_digest(_crypt()(password[:PASSWORD_OCTETS], expected), expected)


def parse_bcrypt(text: str) -> Bcrypt:
    """Read ``$2y$<log2 of the rounds>$<salt><hash>``; raises BcryptError."""
    match = _BCRYPT.fullmatch(text)
    if match is None:
        raise BcryptError("this is no bcrypt string")
    if not 4 <= int(match[1]) <= MOST_LOG_ROUNDS:
        raise BcryptError(f"its bcrypt cost is {match[1]}; 04 to {MOST_LOG_ROUNDS} are allowed")
    _crypt()
    return Bcrypt(text)


@functools.cache
def _crypt() -> Crypt:
    found = _from_package() or _from_system()
    if found is None:
        raise BcryptError("it needs the package bcrypt; install it with 'pip install mailsys[import]'")
    return found


def _from_package() -> Crypt | None:
    try:
        hashpw: Crypt = importlib.import_module("bcrypt").hashpw
    except ImportError:
        return None
    return hashpw


def _from_system() -> Crypt | None:
    """Libxcrypt's crypt(3), if it is there and knows bcrypt."""
    for name in ("libcrypt.so.1", "libcrypt.so.2"):
        try:
            return _bound(ctypes.CDLL(name).crypt_rn)
        except (OSError, AttributeError):
            continue  # no such library, or one of another kind
    return None


def _bound(crypt_rn: ctypes._NamedFuncPointer) -> Crypt | None:
    crypt_rn.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int)
    crypt_rn.restype = ctypes.c_char_p

    def crypt(password: bytes, settings: bytes) -> bytes:
        data = ctypes.create_string_buffer(_CRYPT_DATA_OCTETS)
        result: bytes | None = crypt_rn(password, settings, data, _CRYPT_DATA_OCTETS)
        return result or b""

    return crypt if crypt(b"", _PROBE).startswith(_PROBE) else None
