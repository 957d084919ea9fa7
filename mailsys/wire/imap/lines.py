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
        self._head: bytes | None = None  # of the line that is too long

    def __len__(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._data = self._data + data if self._data else data

    def take(self, octets: int) -> bytes:
        """Remove up to ``octets`` from the front, whatever they are."""
        taken, self._data = self._data[:octets], self._data[octets:]
        return taken

    def next_line(self) -> Line | None:
        """Return the next line, or None when more is needed."""
        end = self._data.find(b"\r\n")
        if end < 0:
            self._shorten()
            return None
        text = self.take(end + 2)[:-2]
        if self._head is not None or end + 2 > self.limit:
            head = text[:HEAD_OCTETS] if self._head is None else self._head
            self._head, self.skipped = None, 0
            return Line(head + text[-TAIL_OCTETS:], LineFault.TOO_LONG)
        if b"\n" in text or b"\r" in text:
            return Line(text, LineFault.BARE)
        return Line(text)

    def _shorten(self) -> None:
        if len(self._data) <= self.limit:
            return
        if self._head is None:
            self._head = self._data[:HEAD_OCTETS]
        self.skipped += len(self._data) - TAIL_OCTETS
        self._data = self._data[-TAIL_OCTETS:]
