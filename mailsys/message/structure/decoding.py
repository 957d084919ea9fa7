"""Bodies without their transfer encoding (RFC 2045 6), piece by piece."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_PLAIN = (b"", b"7bit", b"8bit", b"binary")
_LINE_OCTETS = 64 * 1024
_SOFT = re.compile(rb"=[ \t]*\r?\n")


def is_known(encoding: bytes) -> bool:
    """Can :func:`decode` take this Content-Transfer-Encoding off?"""
    return encoding.lower() in (*_PLAIN, b"base64", b"quoted-printable")


def decode(pieces: Iterable[bytes], encoding: bytes) -> Iterator[bytes]:
    """What is behind an encoding; of an unknown one the octets as they are.  Blocks as the pieces do.

    What is no base64 is passed over, up to the first padding; an escape that is none stays.
    """
    match encoding.lower():
        case b"base64":
            return _base64(pieces)
        case b"quoted-printable":
            return _quoted_printable(pieces)
        case _:
            return iter(pieces)


def decode_octets(octets: bytes, encoding: bytes) -> bytes:
    """The same for what is in memory."""
    return b"".join(decode((octets,), encoding))


def _base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        held += piece.translate(None, _NOT_BASE64)
        if (end := held.find(b"=")) >= 0:
            held = held[:end]
            break
        whole = len(held) - len(held) % 4
        yield binascii.a2b_base64(held[:whole])
        held = held[whole:]
    if len(held) % 4 == 1:
        held = held[:-1]  # cut off within a character
    yield binascii.a2b_base64(held + b"==")


def _quoted_printable(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        held += piece
        end = held.rfind(b"\n") + 1
        if not end and len(held) > _LINE_OCTETS:
            end = held.rfind(b"=", -8)
            end = end if end > 0 else len(held)
        if end:
            yield _unquoted(held[:end])
            held = held[end:]
    yield _unquoted(held)


def _unquoted(octets: bytes) -> bytes:
    if b"=" not in octets:
        return octets
    return binascii.a2b_qp(_SOFT.sub(b"", octets))
