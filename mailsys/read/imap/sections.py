"""Where the sections of a message are, and what they are on the wire (RFC 9051 6.4.5.1).

A stored line may end with a bare LF, which goes out as CR LF; everything else goes as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailsys.message.headers import parse_headers
from mailsys.message.structure.parts import Kind, Part, Position
from mailsys.wire.imap.fetch import Section, Text


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a message."""

    start: Position
    end: Position

    @property
    def wire_octets(self) -> int:
        """How long it is on the wire."""
        return self.end.wire - self.start.wire

    @property
    def is_as_stored(self) -> bool:
        """Does every line of it end with CR LF?"""
        return self.start.bare == self.end.bare


def find_part(message: Part, numbers: tuple[int, ...]) -> Part | None:
    """The part with these numbers.  A message that is no multipart has one part: its body is number 1."""
    around: Part | None = message
    part = message
    for number in numbers:
        if around is None:
            return None
        if around.kind is Kind.MULTIPART and around.children:
            if number > len(around.children):
                return None
            part = around.children[number - 1]
        elif number == 1:
            part = around
        else:
            return None
        around = _inside(part)
    return part


def _inside(part: Part) -> Part | None:
    """What the next number counts in."""
    if part.kind is Kind.MESSAGE:
        return part.children[0]
    return part if part.kind is Kind.MULTIPART else None


def locate(message: Part, section: Section) -> Span | None:
    """Where a section is; of single fields, where the header is that holds them.  None when there is none."""
    part = find_part(message, section.part)
    if part is None:
        return None
    match section.text:
        case Text.ALL:
            return Span(part.body if section.part else part.start, part.end)
        case Text.MIME:
            return Span(part.start, part.body)
    inner = part if not section.part else part.children[0] if part.kind is Kind.MESSAGE else None
    if inner is None:
        return None
    return Span(inner.body, inner.end) if section.text is Text.TEXT else Span(inner.start, inner.body)


def choose_fields(header: bytes, section: Section) -> bytes:
    """The wanted fields of a header as it is stored, or all but the unwanted ones, and an empty line."""
    fields = parse_headers(header).fields
    named = [field for field in fields if field.name.lower() in section.fields]
    if section.text is Text.FIELDS:
        chosen = b"".join([_whole(header[field.start : field.end]) for field in named])
        return chosen + b"\r\n"
    kept, at = [], 0
    for field in named:
        kept.append(header[at : field.start])
        at = field.end
    return b"".join([*kept, header[at:]])


def _whole(field: bytes) -> bytes:
    return field if field.endswith(b"\n") else field + b"\r\n"


def to_wire(octets: bytes) -> bytes:
    """The octets with CR LF for each bare LF."""
    if octets.count(b"\n") == octets.count(b"\r\n"):
        return octets
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


class WireForm:
    """The same for octets that come in pieces."""

    def __init__(self) -> None:
        self._after_cr = False

    def feed(self, piece: bytes) -> bytes:
        """Return what it is on the wire."""
        if not piece:
            return piece
        joins = self._after_cr and piece.startswith(b"\n")
        self._after_cr = piece.endswith(b"\r")
        return b"\n" + to_wire(piece[1:]) if joins else to_wire(piece)
