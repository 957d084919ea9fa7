"""Collects a message while it arrives: in memory while it is small, then in a file.

Of a message in a file the beginning stays in memory as well, for its header.
The file lies in the intake's spool.  After a commit it is the intake's; until then it is ours, and
``discard`` removes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zope.interface import implementer

from mailsys.disk import Disk, write_new_file
from mailsys.interfaces import ICollector, IWorkers
from mailsys.message.content import READ_OCTETS, Content, FileContent, MemoryContent
from mailsys.receive.memory import PIECE_OCTETS, MessageMemory

SHORTER = ".shorter"  # the end of a file's name while it is written without some of its octets
MEMORY_OCTETS = PIECE_OCTETS  # of a message's beginning, as far as there is memory


@implementer(ICollector)
class Collector:
    """The octets of one message.  ``path`` names the file should there be one."""

    def __init__(self, disk: Disk, workers: IWorkers, path: str, memory: MessageMemory) -> None:
        self._disk = disk
        self._workers = workers
        self._path = path
        self._memory = memory
        self._counted = 0  # of what is in memory, beginning included
        self._pieces: list[bytes] = []
        self._in_memory = 0
        self._in_file = False
        self._beginning = b""
        self.size = 0

    async def add(self, piece: bytes) -> None:
        """Take the next octets; raises OSError when they cannot be kept."""
        self._pieces.append(piece)
        self._in_memory += len(piece)
        self.size += len(piece)
        if self._in_memory > self._memory.for_one:
            await self._workers.run(self._spill)
        self._count()

    async def finish(self) -> Content:
        """All of it; raises OSError when the rest cannot be kept."""
        if not self._in_file:
            return MemoryContent(self._pieces)
        if self._pieces:
            await self._workers.run(self._spill)
            self._count()
        return FileContent(self._path, self.size, beginning=self._beginning)

    async def without(self, ranges: Sequence[tuple[int, int]]) -> Content:
        """All of it but these ranges, which are in order and are forgotten; raises OSError.

        To be called after ``finish``.  When it raises, the message is as it was.
        """
        if self._in_file:
            await self._workers.run(self._shorten, ranges)
        else:
            kept = b"".join(kept_pieces(MemoryContent(self._pieces), ranges))
            self._pieces, self._in_memory, self.size = [kept], len(kept), len(kept)
        self._count()
        return await self.finish()

    def _shorten(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Put a shorter file in the place of the whole one."""
        whole = FileContent(self._path, self.size, beginning=self._beginning)
        shorter = f"{self._path}{SHORTER}"
        write_new_file(self._disk, shorter, ([piece] for piece in kept_pieces(whole, ranges)))
        try:
            self._disk.rename(shorter, self._path)
        except OSError:
            self._disk.unlink(shorter)
            raise
        self.size -= sum(end - start for start, end in ranges)
        self._beginning = FileContent(self._path, self.size).read(0, len(self._beginning))

    def beginning(self) -> bytes:
        """What is in memory of the first ``MEMORY_OCTETS``, whether or not the rest could be kept."""
        return self._beginning or b"".join(self._pieces)

    async def discard(self) -> None:
        """Forget everything; raises OSError when the file cannot be removed."""
        self._pieces, self._in_memory, self._beginning = [], 0, b""
        self._count()
        if self._in_file:
            await self._workers.run(self._remove)

    def release(self) -> None:
        """What is held is somebody else's from now on."""
        self._memory.held -= self._counted
        self._counted = 0

    def _count(self) -> None:
        held = self._in_memory + len(self._beginning)
        self._memory.held += held - self._counted
        self._counted = held

    def _spill(self) -> None:
        """The file is open only while we write: many slow messages take no descriptors from others."""
        if self._in_file:
            descriptor = self._disk.open_append(self._path)
        else:
            self._beginning = b"".join(self._pieces)
            descriptor = self._disk.create(self._path)
            self._in_file = True
        pieces, self._pieces, self._in_memory = self._pieces, [], 0
        try:
            self._disk.write(descriptor, pieces)
        finally:
            self._disk.close(descriptor)

    def _remove(self) -> None:
        self._disk.unlink(self._path)
        self._in_file = False


def kept_pieces(content: Content, ranges: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """The content but for some ranges, in pieces of bounded size; raises OSError."""
    at = 0
    for start, end in (*ranges, (content.size, content.size)):
        while at < start:
            piece = content.read(at, min(READ_OCTETS, start - at))
            if not piece:
                raise OSError("The message is shorter than it should be")
            at += len(piece)
            yield piece
        at = end
