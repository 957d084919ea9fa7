"""The queue for hashes: short, and fair.

A hash takes 25 ms of a core, so it is what a stranger can make us do most cheaply.  Networks take
turns, each has its share of the room, and those that their account knows have a room and every other
turn for themselves: strangers may wait for one another, but not the owner of a mailbox for them.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from mailsys.interfaces import IWorkers, LoginUnavailable

MOST_STRANGERS = 64  # waiting: under a second with two threads
MOST_OF_A_STRANGE_NETWORK = 16
MOST_KNOWN = 512
MOST_OF_A_KNOWN_NETWORK = 256  # an office behind one address, after a restart

T = TypeVar("T")


class _Room:
    """Those who wait, by network; networks take turns."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._lines: OrderedDict[str, deque[Deferred[None]]] = OrderedDict()
        self.waiting = 0

    def enter(self, network: str) -> Deferred[None]:
        line = self._lines.get(network)
        if self.waiting >= self._most or (line and len(line) >= self._most_of_one):
            raise LoginUnavailable("too many passwords wait to be checked")
        if line is None:
            line = self._lines[network] = deque()
        mine: Deferred[None] = Deferred()
        line.append(mine)
        self.waiting += 1
        return mine

    def next(self) -> Deferred[None]:
        network, line = self._lines.popitem(last=False)
        first = line.popleft()
        if line:
            self._lines[network] = line  # at the end of the turns
        self.waiting -= 1
        return first


class HashingQueue:
    """``at_once`` is how many hashes the workers compute at one time."""

    def __init__(self, workers: IWorkers, at_once: int) -> None:
        self._workers = workers
        self._free = at_once
        self._known = _Room(MOST_KNOWN, MOST_OF_A_KNOWN_NETWORK)
        self._strangers = _Room(MOST_STRANGERS, MOST_OF_A_STRANGE_NETWORK)
        self._prefers_known = True

    async def run(self, network: str, is_known: bool, function: Callable[..., T], *arguments: Any) -> T:
        """Compute in a worker thread when it is this network's turn; raises LoginUnavailable."""
        if self._free:
            self._free -= 1
        else:
            await (self._known if is_known else self._strangers).enter(network)
        try:
            return await self._workers.run(function, *arguments)
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        rooms = [self._known, self._strangers]
        if not self._prefers_known:
            rooms.reverse()
        for room in rooms:
            if room.waiting:
                self._prefers_known = room is self._strangers
                room.next().callback(None)
                return
        self._free += 1
