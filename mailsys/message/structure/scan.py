"""Finds the parts of a message, in one pass over its pieces (RFC 2045, RFC 2046).

Nothing is copied but headers, and nothing recurses.  Octets are only looked at by searching for the
next line that could end the part: the boundaries of all multiparts that are open.  Where each comes
next is remembered, and an inner one is searched only before the next of an outer one, so that
nested parts cost little more than one search.

What is broken has this result: a boundary matches the beginning of a line (RFC 2046 5.1.1), the longest
one that does, of equal ones the innermost.  A part whose boundary does not come ends with the part
around it.  A multipart without boundary has no parts.  A Content-Type that cannot be read is text/plain.
Parts beyond the bounds are not told: they belong to the part around them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from mailsys.message.content import Content
from mailsys.message.headers import HeaderLimits, parse_headers
from mailsys.message.structure.parameters import parse_type, value_of
from mailsys.message.structure.parts import NO_HEADERS, Kind, Part, Position

BOUNDARY_OCTETS = 998  # RFC 5322 2.1.1: a line; RFC 2046 allows 70
SMALL_OCTETS = 512 * 1024  # A message that is looked at as one piece
_MESSAGES = (b"message/rfc822", b"message/global")  # RFC 2046 5.2.1, RFC 6532 3.7


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """How much of a message is taken apart; ``all_headers_octets`` counts those of all its parts.

    ``searches`` is about boundaries that begin with one another.
    """

    depth: int = 100
    parts: int = 10_000
    header: HeaderLimits = field(default_factory=HeaderLimits)
    all_headers_octets: int = 4 * 1024 * 1024
    searches: int = 20_000


LIMITS = ScanLimits()


class _Mode(Enum):
    HEADER = "in a header"
    LONG_HEADER = "in a header, of which enough is kept"
    BODY = "in a body, or between parts"
    BOUNDARY = "in the rest of a boundary line, before a header"
    LAST_BOUNDARY = "in the rest of a boundary line that is the last"


@dataclass(slots=True)
class _Level:
    """One open part that holds others.  A message has no ``needle``.

    ``next`` is where this needle or that of a level further out comes next, and of which level it is;
    None when there is none in the window.  Before ``searched`` this one does not come.
    """

    part: Part
    needle: bytes
    digest: bool
    next: tuple[int, int] | None = None
    searched: int = 0


def scan(content: Content, limits: ScanLimits = LIMITS) -> Part:
    """Take a message apart.  May wait for a disk; raises OSError."""
    if content.size <= SMALL_OCTETS:
        return scan_octets(content.read(0, content.size), limits)
    return scan_pieces(content.pieces(), limits)


def scan_octets(octets: bytes, limits: ScanLimits = LIMITS) -> Part:
    """Take a small message apart."""
    scanner = Scanner(limits)
    scanner.feed(octets, last=True)
    return scanner.message


def scan_pieces(pieces: Iterable[bytes], limits: ScanLimits = LIMITS) -> Part:
    """Take a message apart; blocks as the pieces do."""
    scanner = Scanner(limits)
    for piece in pieces:
        scanner.feed(piece)
    scanner.feed(b"", last=True)
    return scanner.message


class Scanner:
    """Takes pieces; after the last one ``message`` is the outermost part, whole."""

    def __init__(self, limits: ScanLimits = LIMITS) -> None:
        self.message = Part(Position(0, 0, 0))
        self._limits = limits
        self._levels: list[_Level] = []
        self._part = self.message  # where we are
        self._mode = _Mode.HEADER
        self._window = b""
        self._begin = 0  # the window's place in the message
        self._at = self.message.start  # up to where all is known
        self._last = False
        self._parts = 1
        self._searches = 0
        self._headers_octets = 0
        self._block = b""  # what is kept of a long header

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        """Take the next piece."""
        self._last = last
        kept = max(self._at.offset - 1, 0)  # with the octet before, which may be CR or LF
        self._window = self._window[kept - self._begin :] + piece
        self._begin = kept
        for number in range(len(self._levels)):
            self._search(number)
        while self._step():
            pass
        if last:
            self._close(0)

    def _step(self) -> bool:
        """Go to where something ends; False when that needs another piece, or all is done."""
        match self._mode:
            case _Mode.HEADER | _Mode.LONG_HEADER:
                return self._read_header()
            case _Mode.BODY:
                return self._read_body()
            case _:
                return self._read_boundary_line()

    @property
    def _end(self) -> int:
        return self._begin + len(self._window)

    def _advance(self, offset: int) -> None:
        """Count what lies up to there."""
        begin, end = self._at.offset - self._begin, offset - self._begin
        if end > begin:
            lines = self._window.count(b"\n", begin, end)
            with_cr = self._window.count(b"\r\n", max(begin - 1, 0), end) if lines else 0
            self._at = Position(offset, self._at.lines + lines, self._at.bare + lines - with_cr)

    # Boundaries

    def _search(self, number: int) -> None:
        """Find where the needle of a level comes next, given those further out."""
        level = self._levels[number]
        outer = self._levels[number - 1].next if number else None
        level.next = outer
        if not level.needle or self._searches > self._limits.searches:
            return
        start = max(level.searched, self._at.offset - 1, self._begin)
        stop = self._end if outer is None else min(self._end, outer[0] + len(level.needle))
        found = self._window.find(level.needle, start - self._begin, max(0, stop - self._begin))
        if found < 0:
            level.searched = max(start, stop - len(level.needle) + 1)
            return
        level.searched = offset = found + self._begin
        if outer is None or offset < outer[0] or len(level.needle) >= len(self._levels[outer[1]].needle):
            level.next = offset, number

    def _search_again(self) -> None:
        """After a boundary: the innermost must be sought, and outer ones of which it was the beginning."""
        number = max(0, len(self._levels) - 1)
        while number > 0 and self._is_past(self._levels[number - 1]):
            number -= 1
        self._searches += len(self._levels) - number
        for stale in range(number, len(self._levels)):
            self._search(stale)

    def _is_past(self, level: _Level) -> bool:
        return level.next is not None and level.next[0] < self._at.offset - 1

    def _next(self) -> tuple[int, int] | None:
        if not self._levels or self._searches > self._limits.searches:
            return None
        return self._levels[-1].next

    def _reach(self, offset: int, number: int) -> bool:
        """Come to a boundary: end what it ends, and see whether it is the last one."""
        level = self._levels[number]
        before = offset - self._begin
        after = before + len(level.needle)
        if not self._last and len(self._window) < before + self._held():
            return False  # a longer boundary may begin with this one
        has_cr = before > 0 and self._window[before - 1 : before] == b"\r"
        self._advance(max(self._at.offset, offset - has_cr))
        self._close(number + 1)
        self._part = level.part
        self._advance(self._begin + after)
        is_last = self._window[after : after + 2] == b"--"
        self._mode = _Mode.LAST_BOUNDARY if is_last else _Mode.BOUNDARY
        return True

    def _close(self, number: int) -> None:
        """Here end the levels from this one on, and the part we are in if it is within them."""
        if number == 0 or self._part is not self._levels[number - 1].part:
            self._end_part()
        for level in self._levels[number:]:
            level.part.end = self._at
        del self._levels[number:]

    def _read_boundary_line(self) -> bool:
        found = self._window.find(b"\n", self._at.offset - self._begin)
        if found < 0:
            self._advance(self._end)
            return False
        self._advance(self._begin + found + 1)
        if self._mode is _Mode.LAST_BOUNDARY:
            self._levels.pop()
            self._mode = _Mode.BODY
        elif self._parts < self._limits.parts:
            self._begin_part(self._part)
        else:
            self._searches = self._limits.searches + 1
            self._mode = _Mode.BODY
        self._search_again()
        return True

    # Headers and bodies

    def _begin_part(self, outer: Part) -> None:
        self._part = Part(self._at)
        outer.children.append(self._part)
        self._parts += 1
        self._mode = _Mode.HEADER

    def _read_header(self) -> bool:
        hit = self._next()
        end = self._end_of_header(self._end if hit is None else hit[0] + 1)
        if end is not None:
            self._take_header(end)
            self._enter()
            return True
        if hit is not None:
            return self._reach(*hit)
        if self._last:
            self._advance(self._end)
        elif self._mode is _Mode.LONG_HEADER or self._end - self._at.offset > self._limits.header.octets:
            self._keep_beginning()
            self._advance(max(self._at.offset, self._end - self._held()))
        return False

    def _end_of_header(self, stop: int) -> int | None:
        """The place after the first empty line that ends before ``stop``."""
        window, begin, last = self._window, self._at.offset - self._begin, stop - self._begin
        if self._mode is _Mode.HEADER and window.startswith((b"\n", b"\r\n"), begin, max(begin, last)):
            return window.index(b"\n", begin) + 1 + self._begin
        strict = window.find(b"\n\r\n", begin, max(begin, last))
        bare = window.find(b"\n\n", begin, max(begin, last if strict < 0 else strict + 1))
        if bare >= 0:
            return bare + 2 + self._begin
        return strict + 3 + self._begin if strict >= 0 else None

    def _keep_beginning(self) -> None:
        if self._mode is _Mode.HEADER:
            begin = self._at.offset - self._begin
            self._block = self._window[begin : begin + self._limits.header.octets + 1]
            self._mode = _Mode.LONG_HEADER

    def _take_header(self, end: int) -> None:
        """The header of the part we are in ends there."""
        part, block = self._part, self._block
        if self._mode is _Mode.HEADER:
            block = self._window[part.start.offset - self._begin : end - self._begin]
        self._block = b""
        self._headers_octets += len(block)
        if self._headers_octets <= self._limits.all_headers_octets:
            part.headers = parse_headers(block, self._limits.header)
        self._advance(end)
        part.body = self._at
        self._mode = _Mode.BODY
        self._set_type(part)

    def _set_type(self, part: Part) -> None:
        value = part.headers.first(b"content-type")
        known = parse_type(value.value) if value is not None else None
        if known is not None:
            part.type, part.subtype, part.parameters = known
        elif self._levels and self._levels[-1].digest and part.headers is not NO_HEADERS:
            part.type, part.subtype = _MESSAGES[0].split(b"/")  # RFC 2046 5.1.5
        if part.type.lower() == b"multipart":
            part.kind = Kind.MULTIPART
        elif part.media_type in _MESSAGES:
            part.kind = Kind.MESSAGE
        if part.kind is not Kind.LEAF and (
            len(self._levels) >= self._limits.depth or self._parts >= self._limits.parts
        ):
            part.kind = Kind.OPAQUE

    def _enter(self) -> None:
        """Look for parts within the one whose body begins."""
        part = self._part
        if part.kind is Kind.MULTIPART:
            boundary = value_of(part.parameters, b"boundary").rstrip()[:BOUNDARY_OCTETS]
            if not boundary:
                return
            self._levels.append(_Level(part, b"\n--" + boundary, part.subtype.lower() == b"digest"))
        elif part.kind is Kind.MESSAGE:
            self._levels.append(_Level(part, b"", digest=False))
            self._begin_part(part)
        else:
            return
        self._search(len(self._levels) - 1)

    def _read_body(self) -> bool:
        hit = self._next()
        if hit is not None:
            return self._reach(*hit)
        self._advance(self._end if self._last else max(self._at.offset, self._end - self._held()))
        return False

    def _held(self) -> int:
        """How much of a window's end may be the beginning of a boundary or of an empty line."""
        return max((len(level.needle) for level in self._levels), default=0) + 4

    def _end_part(self) -> None:
        """The part we are in ends here, perhaps within its header."""
        part = self._part
        if self._mode in (_Mode.HEADER, _Mode.LONG_HEADER):
            self._take_header(self._at.offset)
            if part.kind is Kind.MESSAGE:
                part.children.append(Part(self._at))
        part.end = self._at
