"""A message's octets on their way out, piece by piece, without making others wait for a disk."""

from __future__ import annotations

from collections.abc import Iterator

from mailsys.interfaces import IWorkers
from mailsys.message.content import (
    READ_OCTETS,
    Content,
    FileContent,
    HeadedContent,
    MemoryContent,
    is_in_file,
)


class Pieces:
    """Reads one piece ahead, so that the last one is known to be the last.

    ``workers`` is None for what is in memory.
    """

    def __init__(self, pieces: Iterator[bytes], workers: IWorkers | None) -> None:
        self._pieces = pieces
        self._workers = workers
        self._ahead: bytes | None = None

    async def first(self) -> bytes:
        """Look at the first piece; raises OSError."""
        if self._ahead is None:
            self._ahead = await self._read() or b""
        return self._ahead

    async def next_piece(self) -> tuple[bytes, bool]:
        """Return the next piece, and whether it is the last; raises OSError."""
        piece = await self.first()
        self._ahead = await self._read()
        return piece, self._ahead is None

    async def _read(self) -> bytes | None:
        if self._workers is None:
            return next(self._pieces, None)
        return await self._workers.run(next, self._pieces, None)


async def load(content: Content, workers: IWorkers) -> Content:
    """Return a small content in memory, so that it is read once; raises OSError.

    What the kernel has in memory already needs no thread.
    """
    if isinstance(content, HeadedContent):
        return content.around(await load(content.inner, workers))
    if not isinstance(content, FileContent) or content.size > READ_OCTETS:
        return content
    octets = content.read_cached()
    if octets is None:
        octets = b"".join(await workers.run(list, content.pieces()))
    return MemoryContent((octets,))


def open_content(content: Content, workers: IWorkers) -> Pieces:
    """Begin to read."""
    return Pieces(content.pieces(), workers if is_in_file(content) else None)
