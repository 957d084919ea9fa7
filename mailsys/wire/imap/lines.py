"""The lines of IMAP commands: CR LF ends one and nothing else, and lengths are bounded.

Of a line that is too long its two ends are kept: the tag, for the answer, and what may announce a literal
that must not be taken for commands.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailsys.wire.lines import LineFault

HEAD_OCTETS = 128
TAIL_OCTETS = 32


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its CR LF; when there is a ``fault``, it is no more than its ends."""

    text: bytes
    fault: LineFault | None = None


class CommandLines:
    """Bytes of the peer that were not used yet; ``limit`` is the longest line with its CR LF."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.skipped = 0  # octets of the overlong line that goes on
        self._data = b""
        self._at = 0  # what is before it was used: to cut it off each time would copy all the rest
        self._head: bytes | None = None  # of the line that is too long

    def __len__(self) -> int:
        return len(self._data) - self._at

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data = self._data[self._at :] + data if len(self) else data
        self._at = 0

    def take(self, octets: int) -> bytes:
        """Remove up to ``octets`` from the front, whatever they are."""
        taken = self._data[self._at : self._at + octets]
        self._at += len(taken)
        return taken

    def next_line(self) -> Line | None:
        """Return the next line, or None when more is needed."""
        end = self._data.find(b"\r\n", self._at)
        if end < 0:
            self._shorten()
            return None
        text, octets = self._data[self._at : end], end + 2 - self._at
        self._at = end + 2
        if self._head is not None or octets > self.limit:
            head = text[:HEAD_OCTETS] if self._head is None else self._head
            self._head, self.skipped = None, 0
            return Line(head + text[-TAIL_OCTETS:], LineFault.TOO_LONG)
        if b"\n" in text or b"\r" in text:
            return Line(text, LineFault.BARE)
        return Line(text)

    def _shorten(self) -> None:
        if len(self) <= self.limit:
            return
        rest = self._data[self._at :]
        if self._head is None:
            self._head = rest[:HEAD_OCTETS]
        self.skipped += len(rest) - TAIL_OCTETS
        self._data, self._at = rest[-TAIL_OCTETS:], 0
