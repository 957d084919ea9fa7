"""The thread that writes the log: takes all that waits, commits it, and gives sealed segments away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Thread

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger

from mailsys.intake.batches import Batches, Order, WaitingJob
from mailsys.intake.commit import Committer
from mailsys.intake.log import Log
from mailsys.intake.settle import Settler

Answer = Callable[[Sequence[WaitingJob]], None]


class CommittingThread:
    """Owns ``log`` from ``start`` on.

    ``answer`` is called in the reactor's thread for each batch; ``ended`` fires there when an order to
    stop was reached and the last segment is sealed.
    """

    _log = Logger()

    def __init__(
        self,
        batches: Batches,
        committer: Committer,
        log: Log,
        settler: Settler,
        reactor: IReactorFromThreads,
        answer: Answer,
        segment_octets: int,
    ) -> None:
        self._batches = batches
        self._committer = committer
        self._segments = log
        self._settler = settler
        self._reactor = reactor
        self._answer = answer
        self._segment_octets = segment_octets
        self.ended: Deferred[None] = Deferred()

    def start(self) -> None:
        """Begin."""
        # A daemon: a process that dies without an order to stop does not hang, and replay does the rest.
        Thread(target=self._run, name="intake", daemon=True).start()

    def _run(self) -> None:
        order = Order.GO_ON
        while order is not Order.STOP:
            batch = self._batches.take()
            order = batch.order
            if batch.jobs:
                self._commit(batch.jobs)
            if order is not Order.GO_ON or self._segments.octets >= self._segment_octets:
                self._segments.rotate()
            self._settler.add(self._segments.take_sealed())
        self._reactor.callFromThread(self.ended.callback, None)

    def _commit(self, jobs: Sequence[WaitingJob]) -> None:
        try:
            self._committer.commit(jobs, self._hand_over)
        except Exception:
            # A mistake of ours must not end the thread; those not answered yet are told to try again.
            self._log.failure("A batch of messages could not be committed")
            self._hand_over(jobs)

    def _hand_over(self, jobs: Sequence[WaitingJob]) -> None:
        self._reactor.callFromThread(self._answer, jobs)
