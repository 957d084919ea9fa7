"""The base64 of crypt(3): an alphabet of its own, and the low bits first."""

from __future__ import annotations

from collections.abc import Sequence

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def encode(digest: bytes, groups: Sequence[Sequence[int]]) -> str:
    """Encode the digest's octets in the given order: each group is one number, high octet first."""
    return "".join(_group([digest[index] for index in group]) for group in groups)


def _group(octets: Sequence[int]) -> str:
    number = int.from_bytes(bytes(octets), "big")
    characters = []
    for _ in range(len(octets) + 1):
        characters.append(ALPHABET[number & 0x3F])
        number >>= 6
    return "".join(characters)
