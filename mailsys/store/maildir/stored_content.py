"""The octets of a message that lies in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from threading import Lock

from mailsys.message.content import READ_OCTETS


class StoredContent:
    """A message in a folder, held open until it is released: it stays whole when it is renamed or removed.

    So whoever has one has a descriptor, and keeps none while nothing is read.  ``open_message`` returns
    a descriptor, and raises KeyError when the message has gone; who has one already passes it on.
    """

    __slots__ = ("_descriptor", "_lock", "_open_message", "_uid", "size")

    def __init__(
        self, open_message: Callable[[int], int], uid: int, size: int, descriptor: int | None = None
    ) -> None:
        self._descriptor = descriptor
        self._lock = Lock()
        self._open_message = open_message
        self._uid = uid
        self.size = size

    def __del__(self) -> None:
        self.release()

    def release(self) -> None:
        """Close the file, unless a thread reads just now: then it is closed when that has ended."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._descriptor is not None:
                descriptor, self._descriptor = self._descriptor, None
                os.close(descriptor)
        finally:
            self._lock.release()

    def read(self, offset: int, octets: int) -> bytes:
        """Return a range; raises OSError."""
        octets = max(0, min(octets, self.size - offset))
        with self._lock:
            return os.pread(self._opened(), octets, offset)

    def pieces(self) -> Iterator[bytes]:
        """Return pieces of ``READ_OCTETS``; raises OSError, also when the file is too short."""
        done = 0
        while done < self.size:
            piece = self.read(done, READ_OCTETS)
            if not piece:
                raise OSError(f"message {self._uid} is shorter than it was")
            done += len(piece)
            yield piece

    def _opened(self) -> int:
        if self._descriptor is None:
            try:
                self._descriptor = self._open_message(self._uid)
            except KeyError:
                raise FileNotFoundError(f"message {self._uid} was deleted") from None
        return self._descriptor


def content_of(open_message: Callable[[int], int], uid: int) -> StoredContent:
    """The message as it lies there now, open; raises KeyError when it has gone, OSError."""
    descriptor = open_message(uid)
    try:
        size = os.fstat(descriptor).st_size
    except BaseException:
        os.close(descriptor)
        raise
    return StoredContent(open_message, uid, size, descriptor)


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
