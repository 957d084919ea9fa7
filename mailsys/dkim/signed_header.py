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
        self._canonical: dict[tuple[str, bytes], list[bytes]] = {}

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

    def digest(self, canonicalization: str, names: Iterable[bytes], own: bytes) -> bytes:
        """SHA-256 over the named fields, the last of a name first, and then the signature's ``own``.

        ``own`` is a whole field whose b= is left out of the hash.  A name without a field is nothing.
        """
        hashed = hashlib.sha256()
        used: dict[bytes, int] = {}
        for name in names:
            fields = self._fields(canonicalization, name)
            taken = used.get(name, 0)
            if taken < len(fields):
                hashed.update(fields[-1 - taken])
                used[name] = taken + 1
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

    def _fields(self, canonicalization: str, name: bytes) -> list[bytes]:
        known = self._canonical.get((canonicalization, name))
        if known is None:
            fields = [self.raw(field) for field in self._headers.all(name)]
            known = [canonical_field(canonicalization, field) for field in fields]
            self._canonical[canonicalization, name] = known
        return known


def read_signed_header(content: Content) -> SignedHeader:
    """May wait for a disk; raises OSError."""
    return SignedHeader(read_header_block(content))


def without_signature(field: bytes) -> bytes:
    """A DKIM-Signature field, or one like it, whose b= is empty."""
    name, colon, value = field.partition(b":")
    return name + colon + _SIGNATURE.sub(rb"\1", value.removesuffix(b"\r\n")) + b"\r\n"
