"""Canonicalization (RFC 6376 3.4): what of a field or body is hashed.

A body is fed piece by piece, cut anywhere; what is kept between two pieces is some octets and a count.
Line ends are CR LF; a CR or LF alone is an octet like others.
"""

from __future__ import annotations

from collections.abc import Iterator

_EMPTY_LINES_AT_ONCE = 32 * 1024


def canonical_field(canonicalization: str, field: bytes) -> bytes:
    """A whole field with its line end (RFC 6376 3.4.1, 3.4.2); the result has one too."""
    return field if canonicalization == "simple" else relaxed_field(field)


def relaxed_field(field: bytes) -> bytes:
    """RFC 6376 3.4.2, of a whole field with its line end."""
    name, _, value = field.partition(b":")
    return name.rstrip(b" \t").lower() + b":" + _one_line(value) + b"\r\n"


def _one_line(value: bytes) -> bytes:
    """Unfolded, each run of white space one space, none around."""
    return _single_spaces(value.replace(b"\r\n", b"")).strip(b" ")


def _single_spaces(octets: bytes) -> bytes:
    """Each run of white space as one space.  Each round halves the runs, at the speed of a search."""
    octets = octets.replace(b"\t", b" ")
    while b"  " in octets:
        octets = octets.replace(b"  ", b" ")
    return octets


class SimpleBody:
    """A body on its way into hashes: ``feed`` gives what is to be hashed, ``finish`` the rest.

    RFC 6376 3.4.3.
    """

    def __init__(self) -> None:
        self._held = b""  # octets that may turn out to be part of a line end
        self._empty_lines = 0
        self._has_begun = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Canonical octets, as far as they are known; to be taken before the next piece is fed."""
        lines = self._joined(self._held, piece)
        self._held = self._undecided(lines)
        return self._lines(lines[: len(lines) - len(self._held)])

    def finish(self) -> Iterator[bytes]:
        """The rest, with the line end that a body has."""
        yield from self._lines(self._last(self._held))
        if self._has_begun or self._is_never_empty():
            yield b"\r\n"

    def _lines(self, octets: bytes) -> Iterator[bytes]:
        """All but the line ends behind it, which are counted: at the end of a body they are left out."""
        end = _before_line_ends(octets)
        if end:
            for _ in range(self._empty_lines // _EMPTY_LINES_AT_ONCE):
                yield b"\r\n" * _EMPTY_LINES_AT_ONCE
            yield b"\r\n" * (self._empty_lines % _EMPTY_LINES_AT_ONCE)
            yield octets[:end]
            self._empty_lines = 0
            self._has_begun = True
        self._empty_lines += (len(octets) - end) // 2

    def _joined(self, held: bytes, piece: bytes) -> bytes:
        return held + piece

    def _undecided(self, lines: bytes) -> bytes:
        return b"\r" if lines.endswith(b"\r") else b""

    def _last(self, held: bytes) -> bytes:
        return held

    def _is_never_empty(self) -> bool:
        return True


class RelaxedBody(SimpleBody):
    """RFC 6376 3.4.4."""

    def _joined(self, held: bytes, piece: bytes) -> bytes:
        return _single_spaces(held + piece).replace(b" \r\n", b"\r\n")

    def _undecided(self, lines: bytes) -> bytes:
        for end in (b" \r", b" ", b"\r"):
            if lines.endswith(end):
                return end
        return b""

    def _last(self, held: bytes) -> bytes:
        return held.removesuffix(b" ")

    def _is_never_empty(self) -> bool:
        return False


BODIES = {"simple": SimpleBody, "relaxed": RelaxedBody}


def _before_line_ends(octets: bytes) -> int:
    """Where the CR LF pairs begin that the octets end with."""
    if not octets.endswith(b"\r\n"):
        return len(octets)
    tail_start = len(octets.rstrip(b"\r\n"))
    # In the tail are only CR and LF; the pairs reach back to where one follows its like.
    start = max(octets.rfind(b"\r\r", tail_start), octets.rfind(b"\n\n", tail_start)) + 1
    start = max(start, tail_start)
    return start + 1 if octets[start] == 0x0A else start
