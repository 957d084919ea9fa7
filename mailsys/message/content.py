"""A message's bytes: in memory while small, a file when large, read in ranges.

A content never changes.  Whoever creates a :class:`FileContent` owns the file and removes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

READ_OCTETS = 256 * 1024


class Content(Protocol):
    """What both kinds can do."""

    @property
    def size(self) -> int:
        """Octets."""

    def read(self, offset: int, octets: int) -> bytes:
        """Up to ``octets`` from ``offset``; fewer only at the end.  May wait for a disk."""

    def pieces(self) -> Iterator[bytes]:
        """All of it in order, each piece of bounded size.  May wait for a disk."""


@runtime_checkable
class Held(Protocol):
    """A content that keeps something open between two reads."""

    def release(self) -> None:
        """Let go of it now; another read opens it again.  Never waits."""


def release(content: Content) -> None:
    """For who is done with a content: what it may hold open is not left to the garbage collector."""
    if isinstance(content, Held):
        content.release()


class MemoryContent:
    """A small message, held as the pieces in which it arrived."""

    __slots__ = ("_pieces", "size")

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces
        self.size = sum(map(len, pieces))

    def read(self, offset: int, octets: int) -> bytes:
        """Return a range; joins the pieces at the first call."""
        if len(self._pieces) != 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0][offset : offset + octets]

    def pieces(self) -> Iterator[bytes]:
        """Return the pieces as they arrived."""
        return iter(self._pieces)


class HeadedContent:
    """A message with header lines of ours in front of it."""

    __slots__ = ("_content", "_head", "size")

    def __init__(self, head: bytes, content: Content) -> None:
        self._head = head
        self._content = content
        self.size = len(head) + content.size

    def read(self, offset: int, octets: int) -> bytes:
        """Return a range; raises OSError."""
        begin = self._head[offset : offset + octets]
        rest = octets - len(begin)
        return begin + self._content.read(max(0, offset - len(self._head)), rest) if rest else begin

    def pieces(self) -> Iterator[bytes]:
        """Return our lines with the first piece of the message, then the others; raises OSError."""
        pieces = self._content.pieces()
        yield self._head + next(pieces, b"")
        yield from pieces

    @property
    def inner(self) -> Content:
        """The message without our lines."""
        return self._content

    def around(self, inner: Content) -> HeadedContent:
        """Our lines before the same message in another form."""
        return HeadedContent(self._head, inner)


@dataclass(frozen=True, slots=True)
class FileContent:
    """A large message, or one that lies in a mailbox: ``size`` octets of a file from ``start``.

    ``beginning`` is as much of it as whoever made the file still had in memory, so that its header
    can be looked at without a wait for the disk.
    """

    path: str
    size: int
    start: int = 0
    beginning: bytes = field(default=b"", repr=False, compare=False)

    def read(self, offset: int, octets: int) -> bytes:
        """Return a range; raises OSError."""
        octets = max(0, min(octets, self.size - offset))
        if offset + octets <= len(self.beginning):
            return self.beginning[offset : offset + octets]
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, octets, self.start + offset)
        finally:
            os.close(descriptor)

    def read_cached(self) -> bytes | None:
        """Return all of a small one if the kernel has it in memory; None when it would wait, or fails."""
        if self.size > READ_OCTETS:
            return None
        octets = bytearray(self.size)
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                done = os.preadv(descriptor, [octets], self.start, os.RWF_NOWAIT)
            finally:
                os.close(descriptor)
        except OSError:
            return None  # whoever reads it in a thread hears why
        return bytes(octets) if done == self.size else None

    def pieces(self) -> Iterator[bytes]:
        """Return pieces of ``READ_OCTETS``; raises OSError, also when the file is too short."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            done = 0
            while done < self.size:
                piece = os.pread(descriptor, min(READ_OCTETS, self.size - done), self.start + done)
                if not piece:
                    raise OSError(f"{self.path} is shorter than it should be")
                done += len(piece)
                yield piece
        finally:
            os.close(descriptor)


def is_in_file(content: Content) -> bool:
    """May reading it wait for a disk?"""
    if isinstance(content, HeadedContent):
        return is_in_file(content.inner)
    return isinstance(content, FileContent)


def batches(head: bytes, content: Content) -> Iterator[Sequence[bytes]]:
    """What to write for a head and the content behind it: what is in memory goes in one write."""
    if isinstance(content, MemoryContent):
        yield [head, *content.pieces()]
        return
    yield [head]
    for piece in content.pieces():
        yield [piece]
