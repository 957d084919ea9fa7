"""Makes DKIM signatures (RFC 6376 5, RFC 8301, RFC 8463).

A signature covers the fields that people and programs act on, and once more than the message has them, so
that nobody can add one that is shown instead (*oversigning*).  It ends some days later (``x=``), so that what
leaks cannot be sent again for ever.  Header and body are relaxed: relays that only fold anew do no harm.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from mailsys.dkim.body_hash import WantedHash
from mailsys.dkim.signed_header import SignedHeader

CANONICALIZATION = "relaxed"
WANTED = WantedHash(CANONICALIZATION)
MOST_OF_A_NAME = 20  # fields of one name that are signed; who has more of To has something else in mind

# Once more than they are there.
OVERSIGNED = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"in-reply-to",
    b"references",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)
# Only where they are: lists add these, and leave the rest of a message whole.
SIGNED = (
    b"sender",
    b"content-disposition",
    b"content-id",
    b"auto-submitted",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-post",
    b"list-help",
)

_LINE = 72
_PREHASHED = Prehashed(SHA256())
_PADDING = padding.PKCS1v15()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key of a domain; ``algorithm`` is a= of its signatures."""

    domain: str
    selector: str
    algorithm: str
    key: RSAPrivateKey | Ed25519PrivateKey

    def sign(self, digest: bytes) -> bytes:
        """Sign a SHA-256 digest."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(digest, _PADDING, _PREHASHED)
        return self.key.sign(digest)  # RFC 8463 3


def signature_fields(
    header: SignedHeader,
    body_digest: bytes,
    keys: Sequence[SigningKey],
    signed_at: int,
    expires_at: int | None,
) -> list[bytes]:
    """A DKIM-Signature field for each key; times are in seconds since 1970, None for no end."""
    names = _signed_names(header)
    fields = []
    for key in keys:
        unsigned = _unsigned(key, names, body_digest, signed_at, expires_at)
        signature = key.sign(header.digest(CANONICALIZATION, names, unsigned + b"\r\n"))
        fields.append(unsigned + b"".join(_folded(base64.b64encode(signature))) + b"\r\n")
    return fields


def _signed_names(header: SignedHeader) -> list[bytes]:
    names: list[bytes] = []
    for name in OVERSIGNED:
        names += [name] * (min(header.count(name), MOST_OF_A_NAME) + 1)
    for name in SIGNED:
        names += [name] * min(header.count(name), MOST_OF_A_NAME)
    return names


def _unsigned(
    key: SigningKey, names: Sequence[bytes], body_digest: bytes, signed_at: int, expires_at: int | None
) -> bytes:
    """The field as it is hashed: b= is last and empty."""
    lines = [
        f"DKIM-Signature: v=1; a={key.algorithm}; c={CANONICALIZATION}/{CANONICALIZATION};",
        f"d={key.domain}; s={key.selector};",
        f"t={signed_at};" + (f" x={expires_at};" if expires_at is not None else ""),
        *_listed(name.decode() for name in names),
        f"bh={base64.b64encode(body_digest).decode()};",
        "b=",
    ]
    return "\r\n\t".join(lines).encode()


def _listed(names: Iterable[str]) -> Iterator[str]:
    """h= in lines of bounded length."""
    line = "h="
    for name in names:
        if len(line) + len(name) > _LINE:
            yield line
            line = ""
        line += f"{name}:"
    yield line.removesuffix(":") + ";"


def _folded(signature: bytes) -> Iterator[bytes]:
    for start in range(0, len(signature), _LINE):
        yield (b"\r\n\t" if start else b"") + signature[start : start + _LINE]
