"""Turns for those who come from a network that an account knows, and fail again and again.

One of them is heard every other second, drawn by lot: the owner who sits beside a guesser gets his
turn within a minute or so, and the guesser few tries.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

PACE_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 20.0
MOST_WAITING = 32  # for one turn


class Turns:
    """``draw`` returns a random number below another."""

    def __init__(self, clock: IReactorTime, draw: Callable[[int], int]) -> None:
        self._clock = clock
        self._draw = draw
        self._lines: dict[str, list[Deferred[bool]]] = {}

    async def wait(self, line: str) -> bool:
        """Wait for a turn in this line; False if it does not come."""
        waiting = self._lines.get(line)
        if waiting is None:
            self._lines[line] = []
            self._clock.callLater(PACE_SECONDS, self._next, line)
            return True
        mine: Deferred[bool] = Deferred()
        if len(waiting) >= MOST_WAITING:
            waiting.pop(self._draw(len(waiting))).callback(False)
        waiting.append(mine)
        alarm = self._clock.callLater(LONGEST_WAIT_SECONDS, self._give_up, line, mine)
        try:
            return await mine
        finally:
            if alarm.active():
                alarm.cancel()

    def _next(self, line: str) -> None:
        waiting = self._lines[line]
        if not waiting:
            del self._lines[line]
            return
        self._clock.callLater(PACE_SECONDS, self._next, line)
        waiting.pop(self._draw(len(waiting))).callback(True)

    def _give_up(self, line: str, mine: Deferred[bool]) -> None:
        self._lines[line].remove(mine)
        mine.callback(False)
