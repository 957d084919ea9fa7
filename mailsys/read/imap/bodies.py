"""BODY[…] and BINARY[…]: octets of messages, as literals (RFC 9051 7.5.2, RFC 3516).

A stored line may end with a bare LF, which goes out as CR LF; everything else goes as it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from mailsys.interfaces import IWorkers
from mailsys.message.content import MemoryContent
from mailsys.message.structure.body_forms import encoding_of
from mailsys.message.structure.decoding import is_known
from mailsys.message.structure.describe import QUICK_HEADER_OCTETS
from mailsys.message.structure.parts import Kind, Part
from mailsys.message.structure.sections import (
    Span,
    body_span,
    find_message,
    find_part,
    header_span,
    read_decoded,
    read_wire,
    select_fields,
    whole_span,
)
from mailsys.read.imap.reading import Large, Small
from mailsys.read.imap.session import CannotDo
from mailsys.wire.imap.fetch import BodyItem, Form, Section, Text
from mailsys.wire.imap.responses import no

HEADER_OCTETS = 1024 * 1024  # of a header of which single fields are wanted; more is nobody's
NIL = b" NIL"
UNKNOWN_CTE = no("The part has an encoding that is not known here", "UNKNOWN-CTE")
_ENCODED = (b"base64", b"quoted-printable")


@dataclass(frozen=True, slots=True)
class Streamed:
    """Octets that are still to be read, in pieces.  An OSError on the way ends the connection."""

    pieces: AsyncIterator[bytes]


Value = bytes | Streamed


async def require_known(message: Small | Large, items: Sequence[BodyItem]) -> None:
    """Whatever may be refused is, before anything is told; raises OSError, CannotDo."""
    binary = [item.section for item in items if item.form is not Form.BODY and item.section.part]
    if isinstance(message, Large):
        structure = await message.structure()
    elif binary:
        structure = await message.run(message.structure)
    for section in binary:
        _decodable(structure, section)


async def body_value(message: Small | Large, item: BodyItem) -> list[Value]:
    """What stands behind the label; raises OSError, and CannotDo unless ``require_known`` did."""
    if isinstance(message, Small):
        if _is_copied(message, item.section):
            return [_small(message, item)]
        return [await message.run(_small, message, item)]
    return await _large(message, item)


def literal(octets: bytes, *, binary: bool = False) -> bytes:
    """Octets with their count in front.  No literal but literal8 may hold NUL."""
    if b"\0" in octets:
        if binary:
            return b" ~{%d}\r\n%b" % (len(octets), octets)
        octets = _without_nul(octets)
    return b" {%d}\r\n%b" % (len(octets), octets)


def _without_nul(octets: bytes) -> bytes:
    return octets.replace(b"\0", b"\x80")


def _cut(octets: bytes, partial: tuple[int, int] | None) -> bytes:
    return octets if partial is None else octets[partial[0] : partial[0] + partial[1]]


def span_of(message: Part, section: Section) -> Span | None:
    """Where a section is; of single fields, the header that holds them.  None when there is none."""
    match section.text:
        case Text.ALL if not section.part:
            return whole_span(message)
        case Text.ALL | Text.MIME:
            part = find_part(message, section.part)
        case _:
            part = find_message(message, section.part)
    if part is None:
        return None
    return body_span(part) if section.text in (Text.ALL, Text.TEXT) else header_span(part)


def _decodable(message: Part, section: Section) -> Part | None:
    """The part that BINARY means.  What holds parts is not encoded (RFC 2045 6.4); raises CannotDo."""
    part = find_part(message, section.part)
    if part is not None and not is_known(_encoding(part)):
        raise CannotDo(UNKNOWN_CTE)
    return part


def _encoding(part: Part) -> bytes:
    return encoding_of(part.headers).lower() if part.kind is Kind.LEAF else b""


# ---------------------------------------------------------------------- in memory


def _is_copied(message: Small, section: Section) -> bool:
    """Can it be told without looking at parts, and at no more than a short header?"""
    if section.part or section.text is Text.TEXT:
        return False
    return not section.fields or len(_header(message.octets)) <= QUICK_HEADER_OCTETS


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
        span = span_of(message.structure(), section)
        if span is None:
            return NIL
        octets = message.octets[span.start.offset : span.end.offset]
    if section.fields:
        octets = select_fields(octets, section.fields, without=section.text is Text.FIELDS_NOT)
    return literal(_cut(to_wire(octets), item.partial))


def _header(octets: bytes) -> bytes:
    """The header of a message with its empty line, without looking at the rest."""
    if octets.startswith((b"\r\n", b"\n")):
        return octets[: octets.index(b"\n") + 1]
    strict = octets.find(b"\n\r\n")
    bare = octets.find(b"\n\n", 0, strict + 1 if strict >= 0 else len(octets))
    if bare >= 0:
        return octets[: bare + 2]
    return octets[: strict + 3] if strict >= 0 else octets


def to_wire(octets: bytes) -> bytes:
    """The octets with CR LF for each bare LF."""
    if octets.count(b"\n") == octets.count(b"\r\n"):
        return octets
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _small_binary(message: Small, item: BodyItem) -> bytes:
    part = _decodable(message.structure(), item.section)
    if part is None:
        return NIL
    octets = _decoded(message, item.section, part)
    if item.form is Form.BINARY_SIZE:
        return b" %d" % len(octets)
    return literal(_cut(octets, item.partial), binary=True)


def _decoded(message: Small, section: Section, part: Part) -> bytes:
    """Once for all items of a command; parts that are encoded hold no others, so it is not much to keep."""
    octets = message.decoded.get(section.part)
    if octets is None:
        octets = b"".join(_binary(MemoryContent([message.octets]), part))
        if _encoding(part) in _ENCODED:
            message.decoded[section.part] = octets
    return octets


def _binary(content: MemoryContent | Large, part: Part) -> Iterator[bytes]:
    whole = content.content if isinstance(content, Large) else content
    if _encoding(part) in _ENCODED:
        return read_decoded(whole, part)
    return read_wire(whole, body_span(part))


# ---------------------------------------------------------------------- piece by piece


async def _large(message: Large, item: BodyItem) -> list[Value]:
    structure = await message.structure()
    section = item.section
    if item.form is not Form.BODY and section.part:
        return await _large_binary(message, structure, item)
    span = span_of(structure, section)
    if span is None:
        return [NIL]
    if item.form is Form.BINARY_SIZE:
        return [b" %d" % span.octets]
    if section.fields:
        fields = await message.workers.run(_fields, message, span, section)
        return [literal(_cut(fields, item.partial))]
    first, octets = _range(span.octets, item.partial)
    pieces = read_wire(message.content, span, first, octets)
    return [b" {%d}\r\n" % octets, Streamed(_in_thread(map(_without_nul, pieces), message.workers))]


def _range(length: int, partial: tuple[int, int] | None) -> tuple[int, int]:
    if partial is None:
        return 0, length
    first = min(partial[0], length)
    return first, min(partial[1], length - first)


def _fields(message: Large, span: Span, section: Section) -> bytes:
    header = b"".join(read_wire(message.content, span, 0, HEADER_OCTETS))
    return select_fields(header, section.fields, without=section.text is Text.FIELDS_NOT)


async def _in_thread(pieces: Iterator[bytes], workers: IWorkers) -> AsyncIterator[bytes]:
    while (piece := await workers.run(next, pieces, None)) is not None:
        yield piece


async def _large_binary(message: Large, structure: Part, item: BodyItem) -> list[Value]:
    part = _decodable(structure, item.section)
    if part is None:
        return [NIL]
    length = body_span(part).octets
    if _encoding(part) in _ENCODED:
        length = await _decoded_octets(message, item.section, part)
    if item.form is Form.BINARY_SIZE:
        return [b" %d" % length]
    first, octets = _range(length, item.partial)
    pieces = _in_thread(_binary(message, part), message.workers)
    return [b" ~{%d}\r\n" % octets, Streamed(_within(pieces, first, octets))]


async def _decoded_octets(message: Large, section: Section, part: Part) -> int:
    if section.part not in message.outline.decoded_octets:
        message.outline.decoded_octets[section.part] = await message.workers.run(_octets_of, message, part)
    return message.outline.decoded_octets[section.part]


def _octets_of(message: Large, part: Part) -> int:
    return sum(map(len, _binary(message, part)))


async def _within(pieces: AsyncIterator[bytes], first: int, octets: int) -> AsyncIterator[bytes]:
    """So many octets from the first on; raises OSError when there are fewer."""
    async for whole in pieces:
        piece = whole[first : first + octets]
        first = max(0, first - len(whole))
        octets -= len(piece)
        if piece:
            yield piece
        if not octets:
            return
    if octets:
        raise OSError("the message is shorter than it was")
