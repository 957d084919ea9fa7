"""Line ends as the wire wants them: CR LF and nothing else, whatever the stored message has."""

from __future__ import annotations


class LineEnds:
    """Makes CR LF of each CR, LF and CR LF of a content, and ends its last line.

    A CR or LF that stands alone can come from a program that stores lines with LF, and from BINARYMIME.
    Sent as it is, the next host might take it for a line end, and what follows it for a command; so it
    becomes the line end that it may pass for (RFC 5321 2.3.8).  The result is the same however the
    content is cut into pieces.
    """

    __slots__ = ("_held", "_in_line", "repaired")

    def __init__(self) -> None:
        self._held = b""  # a CR at the end of the last piece, until we know what follows
        self._in_line = False
        self.repaired = False  # was anything changed?  Then a signature over the message has broken

    def feed(self, piece: bytes) -> bytes:
        """Return what can be sent so far."""
        if self._held:
            piece, self._held = b"\r" + piece, b""
        if piece.endswith(b"\r"):
            piece, self._held = piece[:-1], b"\r"
        if not piece:
            return piece
        self._in_line = not piece.endswith(b"\n")
        pairs = piece.count(b"\r\n")
        if piece.count(b"\r") == pairs == piece.count(b"\n"):
            return piece
        self.repaired = True
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")

    def end(self) -> bytes:
        """Return the rest."""
        if not self._held and not self._in_line:
            return b""
        self.repaired = True
        self._held, self._in_line = b"", False
        return b"\r\n"


class AsItIs:
    """Changes nothing: for BINARYMIME, where no octet means a line end to the wire (RFC 3030 3)."""

    __slots__ = ()

    def feed(self, piece: bytes) -> bytes:
        """Return what can be sent so far."""
        return piece

    def end(self) -> bytes:
        """Return the rest."""
        return b""
