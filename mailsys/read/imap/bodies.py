"""BODY[…] and BINARY[…]: octets of messages, as literals (RFC 9051 7.5.2, RFC 3516)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from mailsys.message.content import Content
from mailsys.message.structure.decoding import decode, decode_octets, is_known
from mailsys.message.structure.parts import Kind, Part
from mailsys.read.imap.reading import Large, Small
from mailsys.read.imap.sections import Span, WireForm, choose_fields, find_part, locate, to_wire
from mailsys.read.imap.session import CannotDo
from mailsys.wire.imap.fetch import BodyItem, Form, Section, Text
from mailsys.wire.imap.responses import no

PIECE_OCTETS = 64 * 1024
NIL = b" NIL"
UNKNOWN_CTE = no("The part has an encoding that is not known here", "UNKNOWN-CTE")


@dataclass(frozen=True, slots=True)
class Streamed:
    """Octets that are still to be read: so many, in pieces.  An OSError on the way ends the connection."""

    octets: int
    pieces: AsyncIterator[bytes]


Value = bytes | Streamed


async def body_value(message: Small | Large, item: BodyItem) -> list[Value]:
    """What stands behind the label; raises OSError, CannotDo."""
    if isinstance(message, Small):
        return [_small(message, item)]
    return await _large(message, item)


def literal(octets: bytes, *, binary: bool = False) -> bytes:
    """Octets with their count in front.  No literal but literal8 may hold NUL."""
    if b"\0" in octets:
        if binary:
            return b" ~{%d}\r\n%b" % (len(octets), octets)
        octets = octets.replace(b"\0", b"\x80")
    return b" {%d}\r\n%b" % (len(octets), octets)


def _cut(octets: bytes, partial: tuple[int, int] | None) -> bytes:
    return octets if partial is None else octets[partial[0] : partial[0] + partial[1]]


# ---------------------------------------------------------------------- in memory


def _small(message: Small, item: BodyItem) -> bytes:
    section = item.section
    if item.form is not Form.BODY and section.part:
        return _small_binary(message, item)
    if item.form is Form.BINARY_SIZE:
        return b" %d" % len(to_wire(message.octets))
    if section == Section():
        return literal(_cut(to_wire(message.octets), item.partial), binary=item.form is Form.BINARY)
    if not section.part and section.text is not Text.TEXT:
        octets = _header(message.octets)
    else:
        span = locate(message.structure(), section)
        if span is None:
            return NIL
        octets = message.octets[span.start.offset : span.end.offset]
    if section.fields:
        octets = choose_fields(octets, section)
    return literal(_cut(to_wire(octets), item.partial))


def _header(octets: bytes) -> bytes:
    """The header of a message with its empty line, without looking at the rest."""
    if octets.startswith((b"\r\n", b"\n")):
        return octets[: octets.index(b"\n") + 1]
    strict = octets.find(b"\n\r\n")
    bare = octets.find(b"\n\n", 0, strict if strict >= 0 else len(octets))
    if bare >= 0:
        return octets[: bare + 2]
    return octets[: strict + 3] if strict >= 0 else octets


def _small_binary(message: Small, item: BodyItem) -> bytes:
    part = find_part(message.structure(), item.section.part)
    if part is None:
        return NIL
    encoding = _encoding(part)
    octets = message.octets[part.body.offset : part.end.offset]
    octets = to_wire(octets) if _is_plain(encoding) else decode_octets(octets, encoding)
    if item.form is Form.BINARY_SIZE:
        return b" %d" % len(octets)
    return literal(_cut(octets, item.partial), binary=True)


def _encoding(part: Part) -> bytes:
    """How the part is encoded; what holds other parts is not (RFC 2045 6.4).  Raises CannotDo."""
    field = part.headers.first(b"content-transfer-encoding")
    encoding = field.unfolded.lower() if field and part.kind is Kind.LEAF else b""
    if not is_known(encoding):
        raise CannotDo(UNKNOWN_CTE)
    return encoding


def _is_plain(encoding: bytes) -> bool:
    return encoding not in (b"base64", b"quoted-printable")


# ---------------------------------------------------------------------- piece by piece


async def _large(message: Large, item: BodyItem) -> list[Value]:
    structure = await message.structure()
    section = item.section
    if item.form is not Form.BODY and section.part:
        return await _large_binary(message, structure, item)
    span = locate(structure, section)
    if span is None:
        return [NIL]
    if item.form is Form.BINARY_SIZE:
        return [b" %d" % span.wire_octets]
    if section.fields:
        header = await _whole(message, span)
        return [literal(_cut(to_wire(choose_fields(header, section)), item.partial))]
    start, octets = _range(span.wire_octets, item.partial)
    return [b" {%d}\r\n" % octets, Streamed(octets, _stream(message, span, start, octets))]


def _range(length: int, partial: tuple[int, int] | None) -> tuple[int, int]:
    if partial is None:
        return 0, length
    start = min(partial[0], length)
    return start, min(partial[1], length - start)


async def _whole(message: Large, span: Span) -> bytes:
    """A header; of one that is larger than anybody's, its beginning."""
    pieces, at = [], span.start.offset
    end = min(span.end.offset, at + 4 * PIECE_OCTETS)
    while at < end:
        pieces.append(await message.read(at, end - at))
        at += len(pieces[-1])
    return b"".join(pieces)


async def _stream(message: Large, span: Span, start: int, octets: int) -> AsyncIterator[bytes]:
    """``octets`` of the wire form of a span, from ``start`` on."""
    at = span.start.offset
    if span.is_as_stored:
        at, start = at + start, 0
    form = WireForm()
    while octets:
        stored = await message.read(at, min(PIECE_OCTETS, span.end.offset - at))
        at += len(stored)
        wire = form.feed(stored)
        piece = wire[start : start + octets]
        start = max(0, start - len(wire))
        octets -= len(piece)
        if piece:
            yield piece.replace(b"\0", b"\x80")


async def _large_binary(message: Large, structure: Part, item: BodyItem) -> list[Value]:
    part = find_part(structure, item.section.part)
    if part is None:
        return [NIL]
    encoding, span = _encoding(part), Span(part.body, part.end)
    if _is_plain(encoding):
        length = span.wire_octets
    else:
        length = await message.workers.run(_decoded_octets, message.content, span, encoding)
    if item.form is Form.BINARY_SIZE:
        return [b" %d" % length]
    start, octets = _range(length, item.partial)
    if _is_plain(encoding):
        return [b" {%d}\r\n" % octets, Streamed(octets, _stream(message, span, start, octets))]
    return [b" ~{%d}\r\n" % octets, Streamed(octets, _stream_decoded(message, span, encoding, start, octets))]


def _stored(content: Content, span: Span) -> Iterator[bytes]:
    """In a thread: the octets of a span."""
    at, end = span.start.offset, span.end.offset
    while at < end:
        piece = content.read(at, min(PIECE_OCTETS, end - at))
        if not piece:
            raise OSError("the message is shorter than it should be")
        at += len(piece)
        yield piece


def _decoded_octets(content: Content, span: Span, encoding: bytes) -> int:
    return sum(map(len, decode(_stored(content, span), encoding)))


async def _stream_decoded(
    message: Large, span: Span, encoding: bytes, start: int, octets: int
) -> AsyncIterator[bytes]:
    pieces = decode(_stored(message.content, span), encoding)
    while octets:
        whole = await message.workers.run(next, pieces, None)
        if whole is None:
            raise OSError("the message is shorter than it was")
        piece = whole[start : start + octets]
        start = max(0, start - len(whole))
        octets -= len(piece)
        if piece:
            yield piece
