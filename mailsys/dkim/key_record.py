"""Key records: the public key of a signature, as DNS has it (RFC 6376 3.6.1, RFC 8463 4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailsys.dkim.tags import NoTagList, colon_list, decode_base64, parse_tags

# RFC 8301 3.2: smaller ones are not safe.  Larger ones are seen nowhere, and cost time.
SMALLEST_BITS = 1024
LARGEST_BITS = 4096
LARGEST_EXPONENT = 2**32  # a larger one would make strangers' keys dear to us
MOST_OCTETS = 8 * 1024
ED25519_OCTETS = 32

_PREHASHED = Prehashed(SHA256())
_PADDING = padding.PKCS1v15()


class NoKey(Exception):  # noqa: N818 - becomes a permerror
    """The record has no key for a signature; the message says why, in words for people."""


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A usable key.  ``is_strict`` (t=s) wants i= to be of d= itself; ``is_testing`` is t=y."""

    key: RSAPublicKey | Ed25519PublicKey
    is_strict: bool
    is_testing: bool

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Is this the signature of the SHA-256 digest?"""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, digest, _PADDING, _PREHASHED)
            else:
                self.key.verify(signature, digest)  # RFC 8463 3: what is signed is the digest
        except InvalidSignature:
            return False
        return True


@lru_cache(maxsize=256)
def parse_key_record(text: bytes, kind: str) -> KeyRecord:
    """Read a TXT record for a signature with this kind of key, "rsa" or "ed25519"; raises NoKey."""
    if len(text) > MOST_OCTETS:
        raise NoKey("the key record is too large")
    try:
        tags = parse_tags(text)
        _check(tags, kind)
        octets = decode_base64(tags["p"], "p")
    except NoTagList as error:
        raise NoKey(f"the key record cannot be read: {error}") from None
    flags = colon_list(tags.get("t", b""))
    key = _rsa_key(octets) if kind == "rsa" else _ed25519_key(octets)
    return KeyRecord(key, b"s" in flags, b"y" in flags)


def _check(tags: dict[str, bytes], kind: str) -> None:
    """RFC 6376 6.1.2."""
    if "v" in tags and (tags["v"] != b"DKIM1" or next(iter(tags)) != "v"):
        raise NoKey("the key record is of an unknown version")
    if "p" not in tags:
        raise NoKey("the key record has no p=")
    if not tags["p"]:
        raise NoKey("the key was revoked")
    if tags.get("k", b"rsa").lower() != kind.encode():
        raise NoKey("the key is of another kind than the signature")
    if "h" in tags and b"sha256" not in colon_list(tags["h"].lower()):
        raise NoKey("the key is not for SHA-256")
    if "s" in tags and not {b"*", b"email"} & set(colon_list(tags["s"].lower())):
        raise NoKey("the key is not for mail")


def _rsa_key(octets: bytes) -> RSAPublicKey:
    """Both forms are seen: SubjectPublicKeyInfo, and the RSAPublicKey that RFC 6376 3.6.1 names."""
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise NoKey("the key cannot be read") from None
    if not isinstance(key, RSAPublicKey):
        raise NoKey("the key is of another kind than its record says")
    if key.key_size < SMALLEST_BITS:
        raise NoKey(f"the key has only {key.key_size} bits")
    if key.key_size > LARGEST_BITS:
        raise NoKey(f"the key has more than {LARGEST_BITS} bits")
    if key.public_numbers().e > LARGEST_EXPONENT:
        raise NoKey("the exponent of the key is too large")
    return key


def _ed25519_key(octets: bytes) -> Ed25519PublicKey:
    if len(octets) != ED25519_OCTETS:
        raise NoKey("the key cannot be read")
    return Ed25519PublicKey.from_public_bytes(octets)
