"""The keys by which a server checks SCRAM-SHA-256 without knowing the password (RFC 5802, RFC 7677).

They are stored in the form of RFC 5803, each part in base64::

    SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode

from mailsys.wire.sasl import ScramKeys

# RFC 7677 asks for 4096 at least.  Who steals the file may attack these keys in place of the
# Argon2id hash beside them, so they must cost an attacker something too.  Programs on Cyrus SASL, as mbsync,
# take no more than this, and having seen SCRAM they try nothing else.
ITERATIONS = 65_536
SALT_OCTETS = 16
BEGINNING = f"SCRAM-SHA-256${ITERATIONS}:"  # of all keys that are made today

_STORED = re.compile(
    r"SCRAM-SHA-256\$([0-9]{1,7}):([A-Za-z0-9+/]{22}==)\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)"
)


def stored_keys(password: bytes, salt: bytes, iterations: int = ITERATIONS) -> str:
    """The form that is stored; takes about 17 ms."""
    stored_key, server_key = derive_keys("sha256", password, salt, iterations)
    encoded = [b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *encoded)


def derive_keys(digest: str, password: bytes, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    """StoredKey and ServerKey (RFC 5802 section 3); ``digest`` is hashlib's name."""
    salted_password = hashlib.pbkdf2_hmac(digest, password, salt, iterations)
    client_key = hmac.digest(salted_password, b"Client Key", digest)
    server_key = hmac.digest(salted_password, b"Server Key", digest)
    return hashlib.new(digest, client_key).digest(), server_key


def parse_keys(stored: str) -> ScramKeys:
    """Read the form that is stored; raises ValueError."""
    match = _STORED.fullmatch(stored)
    if match is None:
        raise ValueError("these are no SCRAM keys of ours")
    salt, stored_key, server_key = map(b64decode, match.group(2, 3, 4))
    return ScramKeys(salt, int(match[1]), stored_key, server_key)


class Decoys:
    """Keys for names that have none: no password fits, and the salt of a name is always the same.

    ``secret`` should outlive the process, or a salt that changes would tell that the name is not there.
    """

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    def keys(self, name: str) -> ScramKeys:
        """The keys that this name would have."""
        salt, stored_key, server_key = (self._derived(part, name) for part in ("salt", "stored", "server"))
        return ScramKeys(salt[:SALT_OCTETS], ITERATIONS, stored_key, server_key)

    def _derived(self, part: str, name: str) -> bytes:
        return hmac.digest(self.secret, f"{part}\0{name}".encode(errors="replace"), "sha256")
