"""Which octets of a message a client means by the numbers of a part (RFC 9051 6.4.5.1), and reading them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from mailsys.message.content import Content
from mailsys.message.headers import parse_headers
from mailsys.message.structure.body_forms import encoding_of
from mailsys.message.structure.decoding import decode
from mailsys.message.structure.parts import Kind, Part, Position

READ_OCTETS = 64 * 1024


class Span(NamedTuple):
    """A range of a message."""

    start: Position
    end: Position

    @property
    def octets(self) -> int:
        """On the wire."""
        return self.end.wire - self.start.wire


def find_part(message: Part, numbers: Sequence[int]) -> Part | None:
    """The part that is so numbered; None when there is none.

    The text of a message that is no multipart is its part 1, and so is that of a message within a part.
    """
    inner: Part | None = message
    found: Part | None = None
    for number in numbers:
        if inner is None:
            return None
        if inner.kind is Kind.MULTIPART:
            found = inner.children[number - 1] if number <= len(inner.children) else None
        else:
            found = inner if number == 1 else None
        if found is None:
            return None
        inner = _inside(found)
    return found


def find_message(message: Part, numbers: Sequence[int]) -> Part | None:
    """Whose HEADER and TEXT are meant: the message itself, or one within; None for no message."""
    if not numbers:
        return message
    part = find_part(message, numbers)
    return part.children[0] if part is not None and part.kind is Kind.MESSAGE else None


def _inside(part: Part) -> Part | None:
    """Where the next number counts; None when there are no parts within."""
    match part.kind:
        case Kind.MULTIPART:
            return part
        case Kind.MESSAGE:
            return part.children[0]
        case _:
            return None


def header_span(part: Part) -> Span:
    """The header with its empty line: HEADER of a message, MIME of a part."""
    return Span(part.start, part.body)


def body_span(part: Part) -> Span:
    """What follows the header: TEXT of a message, the part itself otherwise."""
    return Span(part.body, part.end)


def whole_span(part: Part) -> Span:
    """Both."""
    return Span(part.start, part.end)


def read_wire(content: Content, span: Span, first: int = 0, octets: int | None = None) -> Iterator[bytes]:
    """What a client gets: lines end with CRLF, from an octet on, as many as are wanted.

    Pieces are bounded.  May wait for a disk between them; raises OSError, also when it is too short.
    """
    wanted = max(0, span.octets - first)
    if octets is not None:
        wanted = min(wanted, octets)
    if span.end.bare == span.start.bare:
        yield from _read(content, span.start.offset + first, wanted)
        return
    raw = _read(content, span.start.offset, span.end.offset - span.start.offset)
    for piece in _with_crlf(raw, span.start.offset and content.read(span.start.offset - 1, 1) == b"\r"):
        if first >= len(piece):
            first -= len(piece)
            continue
        part = piece[first : first + wanted]
        first, wanted = 0, wanted - len(part)
        yield part
        if not wanted:
            return


def _read(content: Content, offset: int, octets: int) -> Iterator[bytes]:
    while octets:
        piece = content.read(offset, min(octets, READ_OCTETS))
        if not piece:
            raise OSError("a message is shorter than it was")
        yield piece
        offset, octets = offset + len(piece), octets - len(piece)


def _with_crlf(pieces: Iterator[bytes], after_cr: int | bool) -> Iterator[bytes]:
    for piece in pieces:
        starts_within = after_cr and piece.startswith(b"\n")
        after_cr = piece.endswith(b"\r")
        line_ends = piece.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        yield line_ends[1:] if starts_within else line_ends


def read_decoded(content: Content, part: Part) -> Iterator[bytes]:
    """A part's body without its transfer encoding (RFC 3516 4.2); of an unknown one as it is."""
    return decode(read_wire(content, body_span(part)), encoding_of(part.headers))


def select_fields(header: bytes, names: Collection[bytes], *, without: bool = False) -> bytes:
    """The header with only these fields, or all but these, and the empty line; names are in lower case."""
    fields = parse_headers(header).fields
    kept = b"".join([header[f.start : f.end] for f in fields if (f.name.lower() in names) is not without])
    if kept and not kept.endswith(b"\n"):
        kept += b"\r\n"
    return kept + b"\r\n"
