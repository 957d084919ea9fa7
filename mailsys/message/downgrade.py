"""Writes a message in ASCII, or in lines, for a host that takes nothing else (RFC 6152 3, RFC 3030 3).

Part by part, and only where it is needed: text becomes quoted-printable, all else base64
(RFC 2045 6).  Two passes over the content, each bounded in memory: the first finds out what each part
needs, the second writes.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from mailsys.message.parts import Kind, Line, Part, Place, TooOdd, walk

LONGEST_LINE = 998  # RFC 5322 2.1.1
_BASE64_LINE = 57  # octets that make 76 characters
_NOT_ASCII = bytes(range(128)) + b"?" * 128


class Unconvertible(Exception):  # noqa: N818 - an answer like others
    """It cannot be done; the text says why, and goes on from "the message"."""


class Encoding(Enum):
    """How the body of a part will be written."""

    AS_IT_IS = ""
    QUOTED_PRINTABLE = "quoted-printable"
    BASE64 = "base64"


@dataclass(slots=True)
class _Finding:
    """What one part holds."""

    part: Part
    eight_bit: bool = False
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Conversion:
    """What each part needs, by its number; ``allow_8bit`` leaves lines of 8-bit octets alone."""

    encodings: tuple[Encoding, ...]
    allow_8bit: bool

    def pieces(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The message anew, from the same octets that were surveyed; blocks as they do."""
        writer = _Writer(self)
        gathered: list[bytes] = []
        size = 0
        for line in walk(pieces):
            for octets in writer.write(line):
                gathered.append(octets)
                size += len(octets)
            if size > 64 * 1024:
                yield b"".join(gathered)
                gathered, size = [], 0
        gathered += writer.end()
        yield b"".join(gathered)


def survey(pieces: Iterable[bytes], is_binary: bool, allow_8bit: bool) -> Conversion:
    """Find out what each part needs; blocks as the pieces do.  Raises Unconvertible.

    ``is_binary`` says that CR, LF and NUL may mean something of their own in a body (BINARYMIME);
    else a line end is a line end, however it is written.
    """
    findings: list[_Finding] = []
    try:
        for line in walk(pieces):
            if line.place is Place.HEADER:
                findings.append(_Finding(line.part))
            elif line.place is Place.BODY:
                _look(findings[line.part.number], line, is_binary)
    except TooOdd as odd:
        raise Unconvertible(f"it {odd}") from None
    return Conversion(tuple(_choose(finding, allow_8bit) for finding in findings), allow_8bit)


def _look(finding: _Finding, line: Line, is_binary: bool) -> None:
    octets = line.octets
    finding.eight_bit = finding.eight_bit or not octets.isascii()
    if is_binary and not finding.binary:
        body = octets[:-2] if octets.endswith(b"\r\n") else octets
        odd = b"\r" in body or b"\n" in body or b"\0" in body
        finding.binary = odd or len(octets) > LONGEST_LINE + 2 or not line.ends


def _choose(finding: _Finding, allow_8bit: bool) -> Encoding:
    part = finding.part
    if part.kind is not Kind.LEAF or not (finding.binary or (finding.eight_bit and not allow_8bit)):
        return Encoding.AS_IT_IS
    if part.encoding not in (b"", b"7bit", b"8bit", b"binary"):
        raise Unconvertible(
            f"a part that claims to be {part.encoding[:30].decode('ascii', 'replace')} is not"
        )
    if part.type.startswith(b"message/"):
        raise Unconvertible("a message inside it must stay as it is")
    if part.signed:
        raise Unconvertible("it is signed, and would be no more")
    is_text = part.type.startswith(b"text/") and not finding.binary
    return Encoding.QUOTED_PRINTABLE if is_text else Encoding.BASE64


class _Writer:
    """The second pass.

    The line end before a boundary belongs to the boundary, so the last line end of a body in base64
    is held until it is known what follows.
    """

    def __init__(self, conversion: Conversion) -> None:
        self._conversion = conversion
        self._base64 = b""  # octets not written yet
        self._in_base64 = False

    def write(self, line: Line) -> Iterator[bytes]:
        encoding = self._conversion.encodings[line.part.number]
        if line.place is not Place.BODY:
            yield from self.end()
        match line.place, encoding:
            case Place.HEADER, _:
                yield self._header(line.octets, line.part, encoding)
            case Place.BETWEEN, _:
                octets = line.octets.replace(b"\0", b"?")
                yield octets if self._conversion.allow_8bit else octets.translate(_NOT_ASCII)
            case Place.BODY, Encoding.QUOTED_PRINTABLE:
                yield _quoted(line)
            case Place.BODY, Encoding.BASE64:
                self._in_base64 = True
                self._base64 += line.octets
                yield self._whole_lines()
            case _:
                yield line.octets

    def end(self) -> list[bytes]:
        """Finish a body in base64."""
        if not self._in_base64:
            return []
        rest, self._base64, self._in_base64 = self._base64, b"", False
        line_end = next((end for end in (b"\r\n", b"\n") if rest.endswith(end)), b"")
        rest = rest.removesuffix(line_end)
        return [_base64_lines(rest)]

    def _whole_lines(self) -> bytes:
        """All but the last two octets at least, which may be the boundary's line end."""
        whole = max(0, (len(self._base64) - 2) // _BASE64_LINE * _BASE64_LINE)
        taken, self._base64 = self._base64[:whole], self._base64[whole:]
        return _base64_lines(taken)

    def _header(self, block: bytes, part: Part, encoding: Encoding) -> bytes:
        """The same but for Content-Transfer-Encoding, which says what is true now."""
        old = part.headers.first(b"content-transfer-encoding")
        new = encoding.value or self._new_label(part)
        if new is None:
            return block
        field = f"Content-Transfer-Encoding: {new}\r\n".encode()
        if old is not None:
            return block[: old.start] + field + block[old.end :]
        return _insert(block, field)

    def _new_label(self, part: Part) -> str | None:
        """RFC 2045 6.4: a multipart or message is labelled by what is inside; None leaves the label."""
        if part.encoding == b"binary":
            return "8bit" if self._conversion.allow_8bit else "7bit"
        return "7bit" if part.encoding == b"8bit" and not self._conversion.allow_8bit else None


def _insert(block: bytes, field: bytes) -> bytes:
    """At the end of the fields, before the empty line if there is one."""
    for empty in (b"\r\n", b"\n"):
        if block.endswith(b"\n" + empty) or block == empty:
            return block[: -len(empty)] + field + empty
    return block + (b"" if block.endswith(b"\n") or not block else b"\r\n") + field + b"\r\n"


def _quoted(line: Line) -> bytes:
    """RFC 2045 6.7; a piece of a long line ends softly."""
    octets = line.octets.rstrip(b"\r\n")
    quoted = binascii.b2a_qp(octets, istext=True).replace(b"=\n", b"=\r\n")
    return quoted + (b"\r\n" if line.ends else b"=\r\n")


def _base64_lines(octets: bytes) -> bytes:
    """RFC 2045 6.8."""
    return b"".join(
        binascii.b2a_base64(octets[start : start + _BASE64_LINE], newline=False) + b"\r\n"
        for start in range(0, len(octets), _BASE64_LINE)
    )
