"""The content of a message on the wire: DATA's dots, and what must not stand in it.

Only CR LF ``.`` CR LF ends DATA (RFC 5321 4.1.1.4); a CR or LF that stands alone ends nothing, and
the message that holds one is refused at its true end.  All work is done on chunks, not on lines.
"""

from __future__ import annotations

from enum import Enum

from mailsys.wire.line_ends import LineEnds

END = b"\r\n.\r\n"
# RFC 5321 4.5.3.1.6 asks for 998 octets; real mail has longer lines, and we change no bytes.
LINE_OCTETS = 1024 * 1024


class DataFault(Enum):
    """Why the content is refused."""

    BARE = "a CR or LF stands alone, or there is a NUL"
    LONG_LINE = "a line is too long"


class ContentScan:
    """Counts over a content that comes in pieces; says at the end what is wrong with it."""

    __slots__ = ("_after_cr", "_crs", "_faulty", "_lfs", "_line", "_line_ends", "_line_limit", "_long_line")

    def __init__(self, line_limit: int = LINE_OCTETS) -> None:
        self._line_limit = line_limit
        self._crs = self._lfs = self._line_ends = 0
        self._after_cr = False
        self._faulty = False
        self._line = 0
        self._long_line = False

    def feed(self, piece: bytes) -> None:
        """Look at the next piece."""
        if not piece:
            return
        self._crs += piece.count(b"\r")
        self._lfs += piece.count(b"\n")
        self._line_ends += piece.count(b"\r\n") + (self._after_cr and piece[0] == 10)
        self._after_cr = piece[-1] == 13
        self._faulty = self._faulty or b"\0" in piece
        self._measure(piece)

    def _measure(self, piece: bytes) -> None:
        if self._line + len(piece) <= self._line_limit:  # no line in it can be too long
            last = piece.rfind(b"\n")
            self._line = self._line + len(piece) if last < 0 else len(piece) - last - 1
            return
        for part in piece.split(b"\n"):
            self._line += len(part)
            self._long_line = self._long_line or self._line > self._line_limit
            self._line = 0
        self._line = len(piece) - piece.rfind(b"\n") - 1 if b"\n" in piece else self._line_limit

    def fault(self) -> DataFault | None:
        """After the last piece: what is wrong."""
        if self._faulty or not self._crs == self._lfs == self._line_ends:
            return DataFault.BARE
        return DataFault.LONG_LINE if self._long_line else None


class DataDecoder:
    """Takes the dots out of DATA and finds its end (RFC 5321 4.5.2)."""

    __slots__ = ("_held", "_virtual", "scan")

    def __init__(self, line_limit: int = LINE_OCTETS) -> None:
        self.scan = ContentScan(line_limit)
        # What could be the beginning of the end.  Content begins at the beginning of a line, so a
        # CR LF that the peer never sent stands before it; _virtual counts its octets still held.
        self._held = b"\r\n"
        self._virtual = 2

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Return the decoded octets, and what came after the end, or None while it is not reached."""
        data = self._held + data
        dot = data.find(b"\r\n.")  # most messages have no line that begins with a dot but the last
        end = data.find(END, dot) if dot >= 0 else -1
        if end >= 0:
            return self._decode(data[: end + 2], dot < end), data[end + 5 :]
        keep = _possible_end(data)
        self._held = data[len(data) - keep :]
        raw = data[: len(data) - keep]
        return (self._decode(raw, dot >= 0) if raw else b""), None

    def _decode(self, raw: bytes, has_dots: bool) -> bytes:
        """``raw`` ends where no CR LF dot can straddle: the beginning of one is always held."""
        self.scan.feed(raw)
        decoded = raw.replace(b"\r\n.", b"\r\n") if has_dots else raw
        if self._virtual:
            decoded = decoded[self._virtual :]
            self._virtual = 0
        return decoded


def _possible_end(data: bytes) -> int:
    """How many octets at the end could be the beginning of ``END``."""
    for octets in (4, 3, 2, 1):
        if data.endswith(END[:octets]):
            return octets
    return 0


class DataEncoder:
    """Makes the wire form of a content for DATA: CR LF line ends, dots stuffed, the end mark.

    The same however the content is cut into pieces.
    """

    __slots__ = ("_at_line_start", "_line_ends")

    def __init__(self) -> None:
        self._line_ends = LineEnds()
        self._at_line_start = True

    def feed(self, piece: bytes) -> bytes:
        """Return what can be sent so far."""
        return self._stuff(self._line_ends.feed(piece))

    def end(self) -> bytes:
        """Return the rest, with the end mark on a line of its own."""
        return self._line_ends.end() + b".\r\n"

    def _stuff(self, lines: bytes) -> bytes:
        """RFC 5321 4.5.2: a line that begins with a dot gets another."""
        if not lines:
            return lines
        is_first = self._at_line_start and lines.startswith(b".")
        self._at_line_start = lines.endswith(b"\n")
        if b"\n." in lines:
            lines = lines.replace(b"\n.", b"\n..")
        return b"." + lines if is_first else lines
