"""The parts of a message in the order in which they stand, line by line (RFC 2045, RFC 2046).

For whoever must rewrite parts of a message that a stranger made: one pass, bounded in depth, in the
number of parts and in the size of a header; memory does not grow with the message.  What goes beyond
the bounds, or contradicts itself, raises :class:`TooOdd`: then nothing should be rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from mailsys.message.headers import Headers, parse_headers
from mailsys.message.structure.parameters import Parameters, parse_type, value_of

DEPTH = 50
PARTS = 1000
HEADER_OCTETS = 64 * 1024
LINE_OCTETS = 8 * 1024  # longer lines come in several pieces
BOUNDARY_OCTETS = 998  # RFC 5322 2.1.1: a line; RFC 2046 allows 70

_NESTED = (b"message/rfc822", b"message/global", b"message/news")


class TooOdd(Exception):  # noqa: N818 - strangers' messages are like that
    """The structure is beyond the bounds, or cannot be told; the text goes on from "it"."""


class Kind(Enum):
    """What a part holds."""

    LEAF = "octets"
    MULTIPART = "parts"
    MESSAGE = "a message"


@dataclass(slots=True)
class Part:
    """``number`` counts from 0 in the order of appearance; ``type`` is as ``text/plain``, lower case.

    ``encoding`` is the Content-Transfer-Encoding in lower case; ``signed`` says that a signature
    covers the part.
    """

    number: int
    headers: Headers
    type: bytes
    kind: Kind
    encoding: bytes
    boundary: bytes
    signed: bool


class Place(Enum):
    """Where in a part a line stands."""

    HEADER = "header"
    BODY = "body"
    BETWEEN = "boundary line, preamble or epilogue"


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its line end, or a piece of a long one; for HEADER the whole block, empty line and all.

    ``starts`` and ``ends`` tell whether it is the beginning and the end of a line.
    """

    place: Place
    part: Part
    octets: bytes
    starts: bool = True
    ends: bool = True


def cut_lines(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Lines with their LF, none longer than ``LINE_OCTETS``, each with whether it begins a line."""
    held, starts = b"", True
    for piece in pieces:
        lines = _split(held + piece)
        held = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            for octets in _bounded(line):
                yield octets, starts
                starts = octets.endswith(b"\n")
        while len(held) > LINE_OCTETS:
            yield held[:LINE_OCTETS], starts
            held, starts = held[LINE_OCTETS:], False
    if held:
        yield held, starts


def _split(data: bytes) -> list[bytes]:
    """At LF, and not at CR as ``splitlines`` does."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _bounded(line: bytes) -> Iterator[bytes]:
    if len(line) <= LINE_OCTETS:
        yield line
        return
    for start in range(0, len(line), LINE_OCTETS):
        yield line[start : start + LINE_OCTETS]


@dataclass(slots=True)
class _Walk:
    """Where the walk stands: the open parts from the outermost in, and the header being read."""

    open: list[Part] = field(default_factory=list)
    header: list[bytes] | None = field(default_factory=list)
    header_octets: int = 0
    number: int = 0


def walk(pieces: Iterable[bytes]) -> Iterator[Line]:
    """Tell of each line where it stands; raises TooOdd."""
    state = _Walk()
    for octets, starts in cut_lines(pieces):
        if starts and octets.startswith(b"--") and (level := _closed_by(state, octets)) is not None:
            yield from _finish_header(state)
            del state.open[level + 1 :]
            closes = octets.startswith(b"--", 2 + len(state.open[level].boundary))
            yield Line(Place.BETWEEN, state.open[level], octets)
            state.header, state.header_octets = (None if closes else []), 0
            if closes:
                state.open[level].boundary = b""  # what follows is of no part
        elif state.header is not None:
            yield from _add_to_header(state, octets, starts)
        else:
            part = state.open[-1]
            place = Place.BETWEEN if part.kind is Kind.MULTIPART else Place.BODY
            yield Line(place, part, octets, starts, octets.endswith(b"\n"))
    yield from _finish_header(state)


def _closed_by(state: _Walk, line: bytes) -> int | None:
    """The level of the multipart whose boundary begins this line (RFC 2046 5.1.1).

    The longest one, of equal ones the innermost, as ``structure.scan`` has it.
    """
    found, longest = None, 0
    for level, part in enumerate(state.open):
        boundary = part.boundary
        if boundary and len(boundary) >= longest and line.startswith(b"--" + boundary):
            found, longest = level, len(boundary)
    return found


def _add_to_header(state: _Walk, octets: bytes, starts: bool) -> Iterator[Line]:
    assert state.header is not None  # noqa: S101 - the caller has looked
    state.header.append(octets)
    state.header_octets += len(octets)
    if state.header_octets > HEADER_OCTETS:
        raise TooOdd("has a header that is too long")
    if starts and octets in (b"\r\n", b"\n"):
        yield from _finish_header(state)


def _finish_header(state: _Walk) -> Iterator[Line]:
    """The header is whole: a part begins."""
    if state.header is None:
        return
    block = b"".join(state.header)
    part = _make_part(state, block)
    state.open.append(part)
    if state.number > PARTS or len(state.open) > DEPTH:
        raise TooOdd("has too many parts")
    state.header, state.header_octets = ([] if part.kind is Kind.MESSAGE else None), 0
    yield Line(Place.HEADER, part, block)


def _make_part(state: _Walk, block: bytes) -> Part:
    headers = parse_headers(block)
    outer = state.open[-1] if state.open else None
    type_, parameters = _type(headers, outer)
    encoding = _value(headers, b"content-transfer-encoding").strip().lower()
    kind, boundary = Kind.LEAF, b""
    if type_.startswith(b"multipart/"):
        boundary = value_of(parameters, b"boundary").rstrip()
        if not boundary:
            raise TooOdd("has a multipart without boundary")
        if len(boundary) > BOUNDARY_OCTETS:
            raise TooOdd("has a boundary that is too long")
        if not boundary.isascii():
            raise TooOdd("has a boundary that is not ASCII")
        kind = Kind.MULTIPART
    elif type_ in _NESTED and encoding in (b"", b"7bit", b"8bit", b"binary"):
        kind = Kind.MESSAGE
    signed = outer is not None and (outer.signed or outer.type == b"multipart/signed")
    part = Part(state.number, headers, type_, kind, encoding, boundary, signed)
    state.number += 1
    return part


def _type(headers: Headers, outer: Part | None) -> tuple[bytes, Parameters]:
    known = parse_type(_value(headers, b"content-type"))
    if known is None:
        is_digest = outer is not None and outer.type == b"multipart/digest"
        return b"message/rfc822" if is_digest else b"text/plain", ()
    type_, subtype, parameters = known
    return b"%s/%s" % (type_.lower(), subtype.lower()), parameters


def _value(headers: Headers, name: bytes) -> bytes:
    if headers.count(name) > 1:
        raise TooOdd(f"has two fields {name.decode()} in one header")
    found = headers.first(name)
    return found.unfolded[:2000] if found else b""
