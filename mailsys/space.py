"""Is there room on the disk?  Watched while there is, so that new mail is refused before it is full."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import HostStops, IFreeSpace, IWorkers

LOOK_SECONDS = 2.0
ENOUGH_AGAIN = 1.1  # times the reserve: what comes and goes at the border is told once

log = Logger(namespace="mailsys")

Statvfs = Callable[[str], os.statvfs_result]


@dataclass(frozen=True, slots=True)
class Reserve:
    """What must stay free of each file system: for the log, the journal, and people who delete mail."""

    octets: int
    inodes: int


@dataclass(frozen=True, slots=True)
class Room:
    """What a file system had free when it was looked at; one that does not count inodes has enough."""

    path: str
    octets: int
    inodes: int | None

    def lacks(self, reserve: Reserve, times: float = 1.0) -> str:
        """What there is less of than the reserve, in words; empty when it has enough."""
        if self.octets < reserve.octets * times:
            return f"{_megabytes(self.octets)} free, and the reserve is {_megabytes(reserve.octets)}"
        if self.inodes is not None and self.inodes < reserve.inodes * times:
            return f"room for {self.inodes} files, and the reserve is {reserve.inodes}"
        return ""


@implementer(IFreeSpace)
class FreeSpace:
    """Looks at the file systems of ``folders`` in a thread, every few seconds.

    A folder that is not there yet stands for the nearest one above it.  ``reserve`` may be changed at
    any time.  Until the first look there is room.
    """

    def __init__(
        self,
        folders: Sequence[str],
        reserve: Reserve,
        workers: IWorkers,
        clock: IReactorTime,
        statvfs: Statvfs = os.statvfs,
    ) -> None:
        self._folders = folders
        self.reserve = reserve
        self._workers = workers
        self._statvfs = statvfs
        self._rooms: Sequence[Room] = ()
        self._is_blind = False
        self.trouble = ""
        self._loop = LoopingCall(lambda: Deferred.fromCoroutine(self.look()))
        self._loop.clock = clock
        self._ended: Deferred[LoopingCall] | None = None

    def has_room_for(self, octets: int) -> bool:
        """Would the reserve be left?"""
        return not self.trouble and all(room.octets - octets >= self.reserve.octets for room in self._rooms)

    def start(self) -> None:
        """Look at once, and from then on."""
        self._ended = self._loop.start(LOOK_SECONDS)

    async def stop(self) -> None:
        """Look no more; a look that was begun is finished."""
        if self._ended is not None and self._loop.running:
            self._loop.stop()
            await self._ended

    async def look(self) -> None:
        """Look once, and tell when it has become too little, or enough again."""
        try:
            self._rooms = await self._workers.run(self._look)
        except HostStops:
            return
        except OSError as error:
            if not self._is_blind:
                self._is_blind = True
                log.warn("How much room the disk has cannot be seen: {reason}", reason=str(error))
            return
        self._is_blind = False
        self._judge()

    def _judge(self) -> None:
        times = ENOUGH_AGAIN if self.trouble else 1.0
        lacking = [(room.path, words) for room in self._rooms if (words := room.lacks(self.reserve, times))]
        before = self.trouble
        self.trouble = "; ".join(f"the disk of {path} has {words}" for path, words in lacking)
        if self.trouble and not before:
            log.error("New mail is refused for the moment (452): {trouble}", trouble=self.trouble)
        elif before and not self.trouble:
            log.info("There is room on the disk again: new mail is taken")

    def _look(self) -> Sequence[Room]:
        """In a thread, for a file system may be slow to answer.  Raises OSError."""
        rooms: dict[int, Room] = {}
        for folder in self._folders:
            path = _existing(folder)
            found = self._statvfs(path)
            inodes = found.f_favail if found.f_files else None
            rooms.setdefault(os.stat(path).st_dev, Room(folder, found.f_bavail * found.f_frsize, inodes))
        return tuple(rooms.values())


def _existing(path: str) -> str:
    while not os.path.isdir(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    return path


def _megabytes(octets: int) -> str:
    return f"{octets / 1024**2:,.0f} MB"
