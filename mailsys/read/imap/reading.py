"""Messages for FETCH: small ones as a whole and ahead of their turn, large ones piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mailsys.interfaces import IFolder, IWorkers
from mailsys.message.content import Content, release
from mailsys.message.structure.describe import is_quick
from mailsys.message.structure.parts import Part
from mailsys.message.structure.scan import scan, scan_octets

MOST_AT_ONCE = 16  # messages read ahead
MOST_OCTETS = 512 * 1024  # of them, as far as can be known before

T = TypeVar("T")
Result = bytes | KeyError | OSError | None


@dataclass(slots=True)
class Small:
    """A message in memory, for one command; ``decoded`` has parts by their numbers."""

    octets: bytes
    workers: IWorkers
    decoded: dict[tuple[int, ...], bytes] = field(default_factory=dict)
    _structure: Part | None = None
    _is_quick: bool | None = None

    @property
    def is_quick(self) -> bool:
        """May it be looked at where nobody may wait?"""
        if self._is_quick is None:
            self._is_quick = is_quick(self.octets)
        return self._is_quick

    def structure(self) -> Part:
        """Its parts; in a thread unless it is quick."""
        if self._structure is None:
            self._structure = scan_octets(self.octets)
        return self._structure

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call it here, or in a thread when it may take long."""
        return function(*arguments) if self.is_quick else await self.workers.run(function, *arguments)


@dataclass(slots=True)
class Outline:
    """What is kept of a large message: its parts, and the decoded octets of some by their numbers."""

    uid: int
    size: int
    parts: Part | None = None
    decoded_octets: dict[tuple[int, ...], int] = field(default_factory=dict)


@dataclass(slots=True)
class Large:
    """A message that is never held as a whole; its file may be open until the reading is released."""

    content: Content
    workers: IWorkers
    outline: Outline

    async def structure(self) -> Part:
        """Its parts; raises OSError."""
        if self.outline.parts is None:
            self.outline.parts = await self.workers.run(scan, self.content)
        return self.outline.parts


@dataclass(slots=True)
class Reading:
    """Reads messages of one folder in the order in which they will be asked for.

    What the kernel has in memory is read at once; what is on the disk a thread reads, several at a time.
    Of the large message that was looked at last the outline is kept: clients fetch it in many small ranges.
    """

    folder: IFolder
    workers: IWorkers
    _ready: dict[int, Result] = field(default_factory=dict)
    _batch: int = 1
    _last: Outline | None = None
    _open: Content | None = None

    async def read(self, uid: int, following: Sequence[int]) -> Small | Large:
        """One message; ``following`` are those that come next.  Raises KeyError when it has gone, OSError."""
        if self._last is not None and self._last.uid == uid:
            return await self._large(uid)
        if uid not in self._ready:
            octets = self.folder.read_cached(uid)
            if octets is not None:
                return Small(octets, self.workers)
            await self._fill([uid, *following[: self._batch - 1]])
        result = self._ready.pop(uid)
        if isinstance(result, Exception):
            raise result
        if result is not None:
            return Small(result, self.workers)
        return await self._large(uid)

    async def _large(self, uid: int) -> Large:
        self.release()
        content = self._open = await self.folder.content(uid)
        if self._last is None or (self._last.uid, self._last.size) != (uid, content.size):
            self._last = Outline(uid, content.size)
        return Large(content, self.workers, self._last)

    def release(self) -> None:
        """Nothing is read for a while: the large message that was returned last is not held open."""
        if self._open is not None:
            release(self._open)
            self._open = None

    async def _fill(self, uids: Sequence[int]) -> None:
        """Read these; the next time twice as many, unless that was a lot."""
        self._ready = dict(zip(uids, await self.folder.read_many(uids), strict=True))
        octets = sum(len(one) for one in self._ready.values() if isinstance(one, bytes))
        most = max(1, MOST_OCTETS * len(uids) // max(octets, 1))
        self._batch = min(2 * self._batch, MOST_AT_ONCE, most)
