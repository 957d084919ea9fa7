"""COMPRESS=DEFLATE: both directions of a connection as raw deflate streams (RFC 4978)."""

from __future__ import annotations

import zlib

AT_ONCE_OCTETS = 64 * 1024  # given out in one go, however little they were when compressed
_RAW = -15  # neither header nor checksum, the largest window
_LEVEL = 3  # text grows hardly larger than with 6, in half the time
_MEMORY = 8


class BadStream(Exception):  # noqa: N818 - the peer's fault
    """What came is no deflate stream."""


class Inflater:
    """What the client sends, a bounded piece at a time: a small input can stand for a very large output.

    Feed it only when ``next`` has given all, so that no more than one read of the connection waits.
    """

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_RAW)
        self._waiting = b""

    def feed(self, data: bytes) -> None:
        """Add what was received."""
        self._waiting += data

    def next(self) -> bytes:
        """Return up to ``AT_ONCE_OCTETS``, nothing when more must come; raises BadStream."""
        try:
            piece = self._stream.decompress(self._waiting, AT_ONCE_OCTETS)
        except zlib.error as error:
            raise BadStream(str(error)) from error
        self._waiting = self._stream.unconsumed_tail
        if self._stream.eof:
            raise BadStream("the stream has ended")
        return piece


class Deflater:
    """What we send."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, _MEMORY)

    def feed(self, data: bytes) -> bytes:
        """Return what can be sent, so that the client sees all of the data."""
        return self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)
