"""Collects a message while it arrives: in memory while it is small, then in a file.

Of a message in a file the beginning stays in memory as well, for its header.
The file lies in the intake's spool.  After a commit it is the intake's; until then it is ours, and
``discard`` removes it.
"""

from __future__ import annotations

from mailsys.disk import Disk
from mailsys.interfaces import IWorkers
from mailsys.message.content import Content, FileContent, MemoryContent
from mailsys.receive.memory import PIECE_OCTETS, MessageMemory

MEMORY_OCTETS = PIECE_OCTETS  # of a message's beginning, as far as there is memory


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
