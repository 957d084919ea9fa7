"""Argon2 hashes as PHC strings (RFC 9106), within bounds that a hostile string cannot pass.

::

    $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>      base64 without padding
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass

# The strongest settings in use (256 MiB, three passes) fit; more would tie up the server.
MOST_KIB = 256 * 1024
MOST_PASSES = 64
MOST_WORK = 3 * MOST_KIB  # KiB times passes
MOST_LANES = 16

_PHC = re.compile(
    r"\$(argon2id?)\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,3}),p=([0-9]{1,3})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})"
)


class Argon2Error(ValueError):
    """The hash cannot be computed: malformed, too costly, or not supported here; the text says which."""


@dataclass(frozen=True, slots=True)
class Argon2:
    """The parameters of a hash; ``variant`` is argon2id or argon2i."""

    variant: str
    memory_kib: int
    passes: int
    lanes: int

    def derive(self, password: bytes, salt: bytes, length: int) -> bytes:
        """Compute; without the GIL.  Raises Argon2Error where OpenSSL has no Argon2."""
        # Imported late: it takes a tenth of a second, and most commands hash nothing.
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.kdf import argon2

        try:
            # AttributeError: Argon2i came to the library after Argon2id.
            algorithm = argon2.Argon2id if self.variant == "argon2id" else argon2.Argon2i
            return algorithm(
                salt=salt,
                length=length,
                iterations=self.passes,
                lanes=self.lanes,
                memory_cost=self.memory_kib,
            ).derive(password)
        except (UnsupportedAlgorithm, AttributeError) as error:
            raise Argon2Error(f"{self.variant} is missing in this machine's OpenSSL") from error


@dataclass(frozen=True, slots=True)
class Argon2Hash:
    """A hash with the parameters that led to it."""

    parameters: Argon2
    salt: bytes
    digest: bytes

    def __str__(self) -> str:
        p = self.parameters
        settings = f"m={p.memory_kib},t={p.passes},p={p.lanes}"
        return f"${p.variant}$v=19${settings}${_encoded(self.salt)}${_encoded(self.digest)}"

    def matches(self, password: bytes) -> bool:
        """Compare in constant time."""
        derived = self.parameters.derive(password, self.salt, len(self.digest))
        return hmac.compare_digest(derived, self.digest)


def parse_argon2(text: str) -> Argon2Hash:
    """Read a PHC string; raises Argon2Error."""
    match = _PHC.fullmatch(text)
    if match is None:
        raise Argon2Error("this is no Argon2 string of version 19")
    memory_kib, passes, lanes = map(int, match.group(2, 3, 4))
    if not (1 <= lanes <= MOST_LANES and 8 * lanes <= memory_kib <= MOST_KIB and 1 <= passes <= MOST_PASSES):
        raise Argon2Error("its Argon2 parameters are out of bounds (at most 256 MiB, 64 passes, 16 lanes)")
    if memory_kib * passes > MOST_WORK:
        raise Argon2Error("its Argon2 parameters cost too much (at most 256 MiB three times)")
    salt, digest = map(_decoded, match.group(5, 6))
    return Argon2Hash(Argon2(match[1], memory_kib, passes, lanes), salt, digest)


def _encoded(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise Argon2Error("its base64 is not valid") from None
