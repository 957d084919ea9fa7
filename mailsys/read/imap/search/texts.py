"""Messages that a search must read itself, in slices: small ones here, large or odd ones in a thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from mailsys.interfaces import IFolder, IWorkers
from mailsys.message.content import Content, MemoryContent
from mailsys.message.headers import read_header_block
from mailsys.message.structure.describe import QUICK_HEADER_OCTETS, is_quick

MESSAGES_AT_ONCE = 16
OCTETS_AT_ONCE = 200_000  # looked at before others have their turn
MESSAGE_OCTETS = 2_000  # what the least of messages costs


# Is it wanted?  Of a message its header block, and all of it.
Look = Callable[[bytes, Content], bool]


class Messages:
    """Reads messages of ``folder`` one batch after the other."""

    def __init__(self, folder: IFolder, workers: IWorkers, give_way: Callable[[], Awaitable[None]]) -> None:
        self._folder = folder
        self._workers = workers
        self._give_way = give_way
        self._looked_at = 0

    async def where(self, uids: Sequence[int], look: Look, *, header_only: bool = False) -> list[int]:
        """The UIDs of messages that are wanted; those that have gone are not.  Raises OSError."""
        found: list[int] = []
        for start in range(0, len(uids), MESSAGES_AT_ONCE):
            some = uids[start : start + MESSAGES_AT_ONCE]
            for uid, octets in zip(some, await self._read(some), strict=True):
                try:
                    if await self._look(uid, octets, look, header_only):
                        found.append(uid)
                except KeyError:
                    pass  # it has gone
        return found

    async def _read(self, uids: Sequence[int]) -> list[bytes | Exception | None]:
        results: list[bytes | Exception | None] = [self._folder.read_cached(uid) for uid in uids]
        missing = [place for place, octets in enumerate(results) if octets is None]
        if missing:
            read = await self._folder.read_many([uids[place] for place in missing])
            for place, octets in zip(missing, read, strict=True):
                results[place] = octets
        return results

    async def _look(self, uid: int, octets: bytes | Exception | None, look: Look, header_only: bool) -> bool:
        if isinstance(octets, Exception):
            raise octets
        if octets is None:
            return await self._workers.run(_look_at, await self._folder.content(uid), look)
        header_octets = _header_octets(octets)
        await self._take_turns(MESSAGE_OCTETS + (header_octets if header_only else len(octets)))
        content = MemoryContent([octets])
        if is_quick(octets) or (header_only and header_octets <= QUICK_HEADER_OCTETS):
            return _look_at(content, look)
        return await self._workers.run(_look_at, content, look)

    async def _take_turns(self, octets: int) -> None:
        self._looked_at += octets
        if self._looked_at > OCTETS_AT_ONCE:
            self._looked_at = 0
            await self._give_way()


def _header_octets(octets: bytes) -> int:
    """About how long the header is."""
    ends = [at for at in (octets.find(b"\n\r\n"), octets.find(b"\n\n")) if at >= 0]
    return min(ends, default=len(octets))


def _look_at(content: Content, look: Look) -> bool:
    return look(read_header_block(content), content)
