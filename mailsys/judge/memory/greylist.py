"""Who was asked to come again, and who did (RFC 6647): a mail server does, most other programs do not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from enum import Enum
from functools import partial

from mailsys.interfaces import IWorkers
from mailsys.judge.memory.file import SendersFile, keep_newest

DAY_SECONDS = 86_400.0
ASKED_SECONDS = 2 * DAY_SECONDS  # for so long somebody may take to come again
CAME_SECONDS = 40 * DAY_SECONDS  # so long a network is known that came again
MOST_ASKED = 100_000
MOST_CAME = 100_000
PRUNE_AFTER = 500  # of those who are new


class Step(Enum):
    """What is to be remembered of somebody who asked."""

    NOTHING = "nothing"
    ASKED = "it was asked to come again"
    CAME = "it came again"


class Greylist:
    """Kept in ``file``; ``now`` is in seconds since 1970.  One that ``only_looks`` remembers nothing."""

    def __init__(
        self,
        file: SendersFile,
        workers: IWorkers,
        now: Callable[[], float],
        most_asked: int = MOST_ASKED,
        *,
        only_looks: bool = False,
    ) -> None:
        self._file = file
        self._workers = workers
        self._now = now
        self._most_asked = most_asked
        self._only_looks = only_looks
        self._since_pruned = PRUNE_AFTER

    async def wait_seconds(self, network: str, what: str, wait: float) -> float:
        """How much longer it has to wait, 0 if it has; whoever is new is noted.

        Raises OSError, sqlite3.Error.
        """
        question = partial(_look, network, what, wait, self._now())
        otherwise: tuple[float, Step] = (wait, Step.ASKED)
        found: tuple[float, Step] = await self._workers.run(self._file.look, question, otherwise)
        left, step = found
        if step is not Step.NOTHING and not self._only_looks:
            await self._workers.run(self._file.run, partial(self._note, network, what, step))
        return left

    def _note(self, network: str, what: str, step: Step, connection: sqlite3.Connection) -> None:
        now = self._now()
        if step is Step.CAME:
            connection.execute("DELETE FROM asked_again WHERE what = ?", (what,))
            connection.execute("REPLACE INTO came_again VALUES (?, ?)", (network, now))
            return
        connection.execute("REPLACE INTO asked_again VALUES (?, ?)", (what, now))
        self._since_pruned += 1
        if self._since_pruned >= PRUNE_AFTER:
            self._since_pruned = 0
            keep_newest(connection, "asked_again", "first", self._most_asked, now - ASKED_SECONDS)
            keep_newest(connection, "came_again", "last", MOST_CAME, now - CAME_SECONDS)


def _look(
    network: str, what: str, wait: float, now: float, connection: sqlite3.Connection
) -> tuple[float, Step]:
    row = connection.execute("SELECT last FROM came_again WHERE network = ?", (network,)).fetchone()
    if row is not None and now - row[0] < CAME_SECONDS:
        return 0.0, Step.CAME if now - row[0] > DAY_SECONDS else Step.NOTHING
    row = connection.execute("SELECT first FROM asked_again WHERE what = ?", (what,)).fetchone()
    # Beyond its time, or after a clock that was set back, it begins anew.
    if row is None or not 0 <= now - row[0] < ASKED_SECONDS:
        return wait, Step.ASKED
    left: float = row[0] + wait - now
    return (left, Step.NOTHING) if left > 0 else (0.0, Step.CAME)
