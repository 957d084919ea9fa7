"""The octets of a message that lies in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from mailsys.message.content import READ_OCTETS


class StoredContent:
    """A message in a folder; each read opens it anew, and so finds it again when it was renamed.

    ``open_message`` returns a descriptor, and raises KeyError when the message has gone.
    """

    __slots__ = ("_open_message", "_uid", "size")

    def __init__(self, open_message: Callable[[int], int], uid: int, size: int) -> None:
        self._open_message = open_message
        self._uid = uid
        self.size = size

    def read(self, offset: int, octets: int) -> bytes:
        """Return a range; raises OSError, also when the message has gone."""
        octets = max(0, min(octets, self.size - offset))
        descriptor = self._open()
        try:
            return os.pread(descriptor, octets, offset)
        finally:
            os.close(descriptor)

    def pieces(self) -> Iterator[bytes]:
        """Return pieces of ``READ_OCTETS``; raises OSError, also when the file is too short."""
        descriptor = self._open()
        try:
            done = 0
            while done < self.size:
                piece = os.pread(descriptor, min(READ_OCTETS, self.size - done), done)
                if not piece:
                    raise OSError(f"message {self._uid} is shorter than it was")
                done += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        try:
            return self._open_message(self._uid)
        except KeyError:
            raise FileNotFoundError(f"message {self._uid} was deleted") from None


def read_without_waiting(descriptor: int) -> bytes | None:
    """Return all that a small file holds if the kernel has it in its page cache, else None."""
    octets = bytearray(min(os.fstat(descriptor).st_size, READ_OCTETS + 1))
    try:
        done = os.preadv(descriptor, [octets], 0, os.RWF_NOWAIT)
    except OSError:  # EAGAIN: it is on the disk; or this file system cannot say
        return None
    return bytes(octets) if done == len(octets) <= READ_OCTETS else None


def read_small(descriptor: int) -> bytes | None:
    """Return as much as the file holds now, or None when that is more than a small message."""
    rest = os.fstat(descriptor).st_size
    if rest > READ_OCTETS:
        return None
    pieces = []
    while rest and (piece := os.read(descriptor, rest)):
        pieces.append(piece)
        rest -= len(piece)
    return b"".join(pieces)
