"""The line buffer of all line protocols: CR LF and nothing else ends a line, and lengths are bounded.

A line that holds a CR or LF that stands alone, or that is too long, is a *fault*: it is reported
in its place, so that the protocol can answer it, and never taken for a command.
"""

from __future__ import annotations

from enum import Enum


class LineFault(Enum):
    """What was wrong with a line."""

    TOO_LONG = "too long"
    BARE = "a CR or LF stands alone"


class LineBuffer:
    """Bytes of the peer that were not used yet.

    ``limit`` is the longest line in octets with its CRLF; of a longer one nothing is kept but the
    knowledge that it goes on.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._data = b""
        self._skipping = False  # in the rest of a line that is too long
        self.skipped = 0  # octets of such lines thrown away since the last good one

    def __len__(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data = self._data + data if self._data else data

    def clear(self) -> None:
        """Drop everything (STARTTLS, end of the connection)."""
        self._data = b""
        self._skipping = False

    def peek(self, octets: int) -> bytes:
        """Look at the front."""
        return self._data[:octets]

    def take(self, octets: int) -> bytes:
        """Remove up to ``octets`` from the front, whatever they are (DATA, BDAT)."""
        taken, self._data = self._data[:octets], self._data[octets:]
        return taken

    def put_back(self, data: bytes) -> None:
        """Return what was taken too much."""
        self._data = data + self._data

    def next_line(self) -> bytes | LineFault | None:
        """Return the next line without its CRLF, a fault in its place, or None when more is needed."""
        end = self._data.find(b"\r\n")
        if end < 0:
            self._skip_overlong()
            return None
        line, self._data = self._data[:end], self._data[end + 2 :]
        if self._skipping or end + 2 > self.limit:
            self._skipping = False
            self.skipped += end + 2
            return LineFault.TOO_LONG
        self.skipped = 0
        if b"\n" in line or b"\r" in line:
            return LineFault.BARE
        return line

    def _skip_overlong(self) -> None:
        if len(self._data) > self.limit:
            keep = self._data[-1:] if self._data.endswith(b"\r") else b""
            self.skipped += len(self._data) - len(keep)
            self._data = keep
            self._skipping = True
