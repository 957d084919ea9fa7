"""The parts of a message as a tree, with where each begins and ends (RFC 2045, RFC 2046).

There are two ways of counting octets: as the message lies in its file, and as it goes over the wire,
where each line ends with CRLF.  They differ by one for each bare LF.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from mailsys.message.headers import parse_headers
from mailsys.message.structure.parameters import Parameters

NO_HEADERS = parse_headers(b"")


class Position(NamedTuple):
    """A place in a message: octets, line ends, and bare LFs before it."""

    offset: int
    lines: int
    bare: int

    @property
    def wire(self) -> int:
        """The octets before it on the wire."""
        return self.offset + self.bare


class Kind(Enum):
    """What a part holds.  Of an OPAQUE one the parts are not told: it is too deep, or they are too many."""

    LEAF = "octets"
    MULTIPART = "parts"
    MESSAGE = "a message"
    OPAQUE = "octets of what should be parts"


class Part:
    """One part; the only child of a MESSAGE is the outermost part of that message.

    From ``start`` to ``body`` is its header with the empty line, from ``body`` to ``end`` its body,
    without the line end that belongs to the boundary.  ``type`` and ``subtype`` are as written.
    """

    __slots__ = ("body", "children", "end", "headers", "kind", "parameters", "start", "subtype", "type")

    def __init__(self, start: Position) -> None:
        self.start = self.body = self.end = start
        self.headers = NO_HEADERS
        self.kind = Kind.LEAF
        self.type = b"text"
        self.subtype = b"plain"
        self.parameters: Parameters = ()
        self.children: list[Part] = []

    @property
    def octets(self) -> int:
        """Of the body, on the wire."""
        return self.end.wire - self.body.wire

    @property
    def lines(self) -> int:
        """Line ends in the body."""
        return self.end.lines - self.body.lines

    @property
    def media_type(self) -> bytes:
        """As ``text/plain``, in lower case."""
        return b"%s/%s" % (self.type.lower(), self.subtype.lower())
