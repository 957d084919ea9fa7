"""The hash of the header fields that a signature names (RFC 6376 3.7 and 5.4.2)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from mailsys.dkim.canonical import canonical_field
from mailsys.message.content import Content
from mailsys.message.headers import Field, parse_headers, read_header_block

# RFC 6376 3.7: the value of b= is left out with all white space around it.
_SIGNATURE = re.compile(rb"((?:\A|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")


class SignedHeader:
    """A message's header, for all its signatures."""

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._headers = parse_headers(block)
        self._by_name: dict[bytes, list[Field]] = {}
        self._canonical: dict[tuple[str, int], bytes] = {}

    @property
    def is_complete(self) -> bool:
        """False when it is so large that not all of it was looked at."""
        return self._headers.complete

    @property
    def body_start(self) -> int:
        """Where in the message the body begins."""
        return len(self._block)

    def all(self, name: bytes) -> list[Field]:
        """All fields of this name, given in lower case, from the top down."""
        return self._headers.all(name)

    def count(self, name: bytes) -> int:
        """How many fields have this name, given in lower case."""
        return self._headers.count(name)

    def digest(
        self, canonicalization: str, names: Iterable[bytes], own: bytes, own_start: int | None = None
    ) -> bytes:
        """SHA-256 over the named fields, the last of a name first, and then the signature's ``own``.

        ``own`` is a whole field whose b= is left out of the hash; where it stands in the header already, at
        ``own_start``, it is none of the named ones (RFC 6376 3.5).  A name without a field is nothing.
        """
        hashed = hashlib.sha256()
        left: dict[bytes, list[Field]] = {}
        for name in names:
            if name not in left:
                left[name] = [field for field in self._named(name) if field.start != own_start]
            if left[name]:
                hashed.update(self._canonical_of(canonicalization, left[name].pop()))
        hashed.update(canonical_field(canonicalization, without_signature(own)).removesuffix(b"\r\n"))
        return hashed.digest()

    def digest_of(self, fields: Iterable[Field], own: Field) -> bytes:
        """SHA-256 over these fields, relaxed, and then over one whose b= is left out (RFC 8617 5.1.1)."""
        hashed = hashlib.sha256()
        for field in fields:
            hashed.update(canonical_field("relaxed", self.raw(field)))
        last = canonical_field("relaxed", without_signature(self.raw(own)))
        hashed.update(last.removesuffix(b"\r\n"))
        return hashed.digest()

    def raw(self, field: Field) -> bytes:
        """The octets of a field, with the CR LF that it should end with."""
        octets = self._block[field.start : field.end]
        return octets if octets.endswith(b"\r\n") else octets.removesuffix(b"\n") + b"\r\n"

    def _named(self, name: bytes) -> list[Field]:
        """Several signatures ask for the same."""
        if name not in self._by_name:
            self._by_name[name] = self._headers.all(name)
        return self._by_name[name]

    def _canonical_of(self, canonicalization: str, field: Field) -> bytes:
        key = canonicalization, field.start
        if key not in self._canonical:
            self._canonical[key] = canonical_field(canonicalization, self.raw(field))
        return self._canonical[key]


def read_signed_header(content: Content) -> SignedHeader:
    """May wait for a disk; raises OSError."""
    return SignedHeader(read_header_block(content))


def without_signature(field: bytes) -> bytes:
    """A DKIM-Signature field, or one like it, whose b= is empty."""
    name, colon, value = field.partition(b":")
    return name + colon + _SIGNATURE.sub(rb"\1", value.removesuffix(b"\r\n")) + b"\r\n"
