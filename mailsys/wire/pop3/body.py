"""A message as the body of a multi-line response: CRLF line ends, dots stuffed, an end mark (RFC 1939 3).

It goes piece by piece and is the same however the pieces are cut.  All work on the octets is done by
``bytes`` methods, none by a loop over lines.
"""

from __future__ import annotations

import re

from mailsys.wire.pop3.responses import END

# An LF without CR, or a dot behind an LF.  One search for both is three times as fast as counting.
_NEEDS_WORK = re.compile(rb"\n(?:(?<=[^\r]\n)|\.)")


class BodyEncoder:
    """Makes the wire form of one message.

    A bare LF becomes CRLF, since Maildirs of other programs hold such lines.  A bare CR stays: it
    ends no line.
    """

    def __init__(self) -> None:
        self._held = b""  # a CR at the end of the last piece, until we know what follows
        self._at_line_start = True

    def encode(self, piece: bytes) -> bytes:
        """Return what can be sent so far."""
        if self._held:
            piece, self._held = self._held + piece, b""
        if piece.endswith(b"\r"):
            piece, self._held = piece[:-1], b"\r"
        return self._encode_whole(piece)

    def end(self) -> bytes:
        """Return the rest, with the end mark on a line of its own."""
        rest = self._encode_whole(self._held)
        return rest + (END if self._at_line_start else b"\r\n" + END)

    def _encode_whole(self, piece: bytes) -> bytes:
        """Encode a piece that does not end between CR and LF."""
        if not piece:
            return piece
        stuffed_first = self._at_line_start and piece.startswith(b".")
        self._at_line_start = piece.endswith(b"\n")
        if _NEEDS_WORK.search(piece) or piece.startswith(b"\n"):
            piece = piece.replace(b"\r\n", b"\n").replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")
        return b"." + piece if stuffed_first else piece


def encode_body(message: bytes) -> bytes:
    """The wire form of a message that is in memory as a whole, with the end mark."""
    encoder = BodyEncoder()
    return encoder.encode(message) + encoder.end()


class TopCut:
    """Cuts a message, as stored, behind its header and so many lines of its body (TOP)."""

    def __init__(self, body_lines: int) -> None:
        self._body_lines_left = body_lines
        self._in_header = True
        self._tail = b"\n"  # the last octets of the header so far; an empty first line ends it, too
        self.is_done = False

    def take(self, piece: bytes) -> bytes:
        """Return the part of the piece that belongs to the top; then look at ``is_done``."""
        start = self._end_of_header(piece) if self._in_header else 0
        end = len(piece) if self._in_header else self._end_of_lines(piece, start)
        return piece[:end]

    def _end_of_header(self, piece: bytes) -> int:
        """Where the body begins in this piece: behind the first empty line."""
        seen = self._tail + piece
        ends = [at + len(mark) for mark in (b"\n\n", b"\n\r\n") if (at := seen.find(mark)) >= 0]
        if not ends:
            self._tail = seen[-2:]
            return len(piece)
        self._in_header = False
        return min(ends) - len(self._tail)

    def _end_of_lines(self, piece: bytes, start: int) -> int:
        """Where the last wanted line ends in this piece."""
        rest = piece[start:]
        lines = rest.count(b"\n")
        if lines < self._body_lines_left:
            self._body_lines_left -= lines
            return len(piece)
        self.is_done = True
        unwanted = rest.split(b"\n", self._body_lines_left)[-1]
        return len(piece) - len(unwanted)
