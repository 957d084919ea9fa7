"""The keys by which a server checks SCRAM-SHA-256 without knowing the password (RFC 5802, RFC 7677).

They are stored in the form of RFC 5803, each part in base64::

    SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode

# RFC 7677 asks for 4096 at least.  Who steals the file may attack these keys in place of the
# Argon2id hash beside them, so they must cost an attacker something too.
ITERATIONS = 100_000
SALT_OCTETS = 16


def stored_keys(password: bytes, salt: bytes, iterations: int = ITERATIONS) -> str:
    """The form that is stored; takes about 25 ms."""
    stored_key, server_key = derive_keys("sha256", password, salt, iterations)
    encoded = [b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *encoded)


def derive_keys(digest: str, password: bytes, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    """StoredKey and ServerKey (RFC 5802 section 3); ``digest`` is hashlib's name."""
    salted_password = hashlib.pbkdf2_hmac(digest, password, salt, iterations)
    client_key = hmac.digest(salted_password, b"Client Key", digest)
    server_key = hmac.digest(salted_password, b"Server Key", digest)
    return hashlib.new(digest, client_key).digest(), server_key
