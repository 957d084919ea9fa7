"""What is remembered of senders, as one piece."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from mailsys.config.schema import Configuration
from mailsys.interfaces import IWorkers
from mailsys.judge.memory.file import SendersFile
from mailsys.judge.memory.greylist import Greylist
from mailsys.judge.memory.history import SenderHistory


class SenderMemory:
    """``history`` and ``greylist`` in the file at ``path``.  One that ``only_looks`` changes nothing.

    With a ``clock`` what nobody waits for is written together, some seconds later.
    """

    def __init__(
        self,
        path: str,
        workers: IWorkers,
        now: Callable[[], float],
        clock: IReactorTime | None = None,
        *,
        only_looks: bool = False,
    ) -> None:
        self._file = SendersFile(path)
        self._workers = workers
        self.history = SenderHistory(self._file, workers, now, clock)
        self.greylist = Greylist(self._file, workers, now, only_looks=only_looks)

    def configure(self, configuration: Configuration) -> None:
        """Keep for so long from now on."""
        self.history.keep_seconds = configuration.judge.remember_senders

    async def stop(self) -> None:
        """Write what is not written yet, and give the file back."""
        await self.history.stop()
        await self._workers.run(self._file.close)
