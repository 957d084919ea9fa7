"""The header of a message, as far as a stranger's bytes allow (RFC 5322 2.2 and 3.6, RFC 6532).

One pass over the raw bytes, without copies of the message and without exceptions: whatever comes
has a result.  A field is what begins with a name of printable ASCII and a colon (white space
between them is obsolete and taken).  A line that begins otherwise is a *stray* line, with all that
is folded to it: it is skipped, but kept for whoever must know, since other programs may take it
for a field.  CRLF and LF both end a line; only an empty line ends the header.

What goes beyond the limits is left out of the parse, ``complete`` says so, and the message itself
is never changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailsys.message.content import Content
from mailsys.message.encoded_words import decode_words, unfold

FIRST_READ = 16 * 1024  # Nearly every header ends within it.


@dataclass(frozen=True, slots=True)
class HeaderLimits:
    """How much of a header is parsed."""

    octets: int = 256 * 1024
    fields: int = 10_000  # stray lines count


LIMITS = HeaderLimits()

# RFC 5322 3.6.8: field-name = 1*ftext; ftext = %d33-57 / %d59-126.  The second group is the rest of
# the line with what is folded to it (2.2.3).  Runs are possessive, and what follows a group always
# matches, so no input makes it go back.  Groups are not possessive: Python before 3.11.5 goes on in
# the wrong place after one that matched in part.
_LINE = re.compile(rb"(?:([!-9;-~]++)[ \t]*+:)?([^\n]*+(?:\n[ \t][^\n]*+)*)(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``name`` as written, ``value`` raw and folded, without its last line end.

    It stands in the message from ``start`` to ``end``, its last line end included.
    """

    name: bytes
    value: bytes
    start: int
    end: int

    @property
    def unfolded(self) -> bytes:
        """The value as one line, without white space around it."""
        return unfold(self.value).strip()

    @property
    def text(self) -> str:
        """For people: encoded words decoded, one line."""
        return decode_words(self.value.strip())


class Headers:
    """The fields of one header in their order.

    ``complete`` is False when the limits cut the parse: then there may be more of any field.
    Every message that comes in is parsed, so a :class:`Field` is only made when it is asked for.
    """

    __slots__ = ("_by_name", "_lines", "complete")

    def __init__(self, lines: Sequence[re.Match[bytes]], *, complete: bool) -> None:
        self.complete = complete
        self._lines = lines
        self._by_name: dict[bytes, list[re.Match[bytes]]] = {}
        for line in lines:
            name = (line[1] or b"").lower()
            if name in self._by_name:
                self._by_name[name].append(line)
            else:
                self._by_name[name] = [line]

    @property
    def fields(self) -> list[Field]:
        """All fields, from the top down."""
        return [_field(line) for line in self._lines if line[1]]

    @property
    def stray(self) -> list[bytes]:
        """The lines that are no fields, each with what is folded to it."""
        return [line[2].removesuffix(b"\r") for line in self._by_name.get(b"", ())]

    def count(self, name: bytes) -> int:
        """How many fields have this name, given in lower case."""
        return len(self._by_name.get(name, ()))

    def all(self, name: bytes) -> list[Field]:
        """All fields of this name, given in lower case, from the top down."""
        return [_field(line) for line in self._by_name.get(name, ())]

    def first(self, name: bytes) -> Field | None:
        """The topmost field of this name, given in lower case."""
        lines = self._by_name.get(name)
        return _field(lines[0]) if lines else None

    def text(self, name: bytes) -> str:
        """The topmost field's text for people, or nothing."""
        field = self.first(name)
        return field.text if field else ""


def _field(line: re.Match[bytes]) -> Field:
    return Field(line[1], line[2].removesuffix(b"\r"), line.start(), line.end())


def parse_headers(block: bytes, limits: HeaderLimits = LIMITS) -> Headers:
    """Parse a header; what follows its empty line, if anything, is not looked at."""
    end = _end_of_header(block, limits.octets)
    complete = end is not None
    stop = limits.octets if end is None else end
    lines: list[re.Match[bytes]] = []
    for line in _LINE.finditer(block, 0, stop):
        if not line[1] and line[2] in (b"", b"\r"):
            continue  # the empty line, or the end of the block
        if len(lines) == limits.fields:
            complete = False
            break
        lines.append(line)
    return Headers(lines, complete=complete)


def read_headers(content: Content, limits: HeaderLimits = LIMITS) -> Headers:
    """Parse a message's header.  May wait for a disk; raises OSError."""
    return parse_headers(read_header_block(content, limits), limits)


def read_header_block(content: Content, limits: HeaderLimits = LIMITS) -> bytes:
    """The header's octets with its empty line if there is one; of one over the limit a little more.

    Reads from the start again, four times as much, until the end is found.  May wait for a disk;
    raises OSError.
    """
    wanted = FIRST_READ
    while True:
        block = content.read(0, min(wanted, limits.octets + 1))
        end = _empty_line(block)
        if end is not None:
            return block[:end]
        if wanted > limits.octets or len(block) >= content.size:
            return block
        wanted *= 4


def _end_of_header(block: bytes, limit: int) -> int | None:
    """Where the header ends; None when that is beyond the limit."""
    end = _empty_line(block)
    if end is None:
        end = len(block)
    return end if end <= limit else None


def _empty_line(block: bytes) -> int | None:
    """The offset after the first empty line."""
    if block.startswith((b"\r\n", b"\n")):
        return block.index(b"\n") + 1
    strict = block.find(b"\n\r\n")
    bare = block.find(b"\n\n", 0, strict + 1 if strict >= 0 else len(block))
    if bare >= 0:
        return bare + 2
    return strict + 3 if strict >= 0 else None
