"""Cuts what a server sends into responses: lines with literals between them (RFC 9051 2.2.2, 4.3).

A server is a stranger, too: the text of a response, each literal, all of them together and their number
have bounds.  A literal may be as large as a message, so octets are gathered without being copied again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TEXT_OCTETS = 4 * 1024 * 1024  # of one response: a SEARCH that finds 400,000 messages
LITERAL_OCTETS = 128 * 1024 * 1024  # of all literals of one response
LITERALS = 10_000  # in one response

_ANNOUNCED = re.compile(rb"~?\{(\d{1,20})\+?\}\Z")
_ANNOUNCED_OCTETS = 24  # the longest announcement


@dataclass(frozen=True, slots=True)
class ResponseFault:
    """The stream cannot be read on; ``why`` goes on from the server's name."""

    why: str


class ResponseReader:
    """Octets of the server that were not used yet."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._searched = 0  # so far there is no line end
        self._segments: list[bytes] = []
        self._text_octets = 0
        self._literal_octets = 0
        self._awaited: int | None = None  # octets of a literal that was announced

    def __len__(self) -> int:
        """Octets that belong to no whole response."""
        return len(self._data) + self._text_octets + self._literal_octets

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data += data

    def clear(self) -> None:
        """Drop everything (STARTTLS)."""
        self._data.clear()
        self._begin()

    def next_response(self) -> list[bytes] | ResponseFault | None:
        """Return the next one as text, literal, text …; None when more is needed.

        Each text but the last ends with the announcement of the literal behind it.
        """
        while True:
            if self._awaited is not None:
                if len(self._data) < self._awaited:
                    return None
                self._segments.append(self._take(self._awaited))
                self._awaited = None
            line = self._next_line()
            if not isinstance(line, bytes):
                return line
            self._segments.append(line)
            announced = _ANNOUNCED.search(line, max(0, len(line) - _ANNOUNCED_OCTETS))
            if announced is None:
                segments = self._segments
                self._begin()
                return segments
            fault = self._expect_literal(int(announced[1]))
            if fault is not None:
                return fault

    def _begin(self) -> None:
        self._segments = []
        self._searched = self._text_octets = self._literal_octets = 0
        self._awaited = None

    def _next_line(self) -> bytes | ResponseFault | None:
        end = self._data.find(b"\r\n", self._searched)
        octets = len(self._data) if end < 0 else end
        if self._text_octets + octets > TEXT_OCTETS:
            return ResponseFault(f"sent a response with more than {TEXT_OCTETS:,} octets of text")
        if end < 0:
            self._searched = max(0, len(self._data) - 1)
            return None
        line = self._take(end)
        del self._data[:2]
        self._searched = 0
        self._text_octets += len(line)
        if b"\n" in line or b"\r" in line or b"\0" in line:
            return ResponseFault("sent a line with a CR, an LF or a NUL within")
        return line

    def _expect_literal(self, octets: int) -> ResponseFault | None:
        self._literal_octets += octets
        if self._literal_octets > LITERAL_OCTETS:
            return ResponseFault(f"sent a response with more than {LITERAL_OCTETS:,} octets of literals")
        if len(self._segments) > 2 * LITERALS:
            return ResponseFault(f"sent a response with more than {LITERALS:,} literals")
        self._awaited = octets
        return None

    def _take(self, octets: int) -> bytes:
        taken = bytes(memoryview(self._data)[:octets])
        del self._data[:octets]
        return taken
