"""What waits to be committed: put in by the reactor's thread, taken in batches by the committing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from queue import Empty, SimpleQueue

from twisted.internet.defer import Deferred

from mailsys.intake.commit import Job
from mailsys.interfaces import Acceptance
from mailsys.message.content import FileContent

_MESSAGE_OCTETS = 4096  # what a message takes in memory besides its content and header lines
_RENAME_OCTETS = 4096  # laying a copy takes about the time of writing so many


class Order(Enum):
    """What the committing thread does after a batch."""

    GO_ON = auto()
    ROTATE = auto()
    STOP = auto()


class WaitingJob(Job):
    """A job with the session that waits: ``done`` fires with whether it is stored.

    ``octets`` is what it takes in memory, ``copied_octets`` the size of all its copies.
    """

    __slots__ = ("copied_octets", "done", "octets")

    def __init__(self, acceptance: Acceptance, at: float) -> None:
        super().__init__(acceptance, at)
        self.done: Deferred[bool] = Deferred()
        content = acceptance.content
        in_memory = 0 if isinstance(content, FileContent) else content.size
        heads = sum([len(action.head) for action in acceptance.actions])
        self.octets = _MESSAGE_OCTETS + in_memory + heads
        self.copied_octets = heads + content.size * len(acceptance.actions)

    @property
    def work(self) -> int:
        """How many octets the committing thread writes for it, or could in the time that it takes."""
        to_copy = self.copied_octets if self.draft is None else 0
        return self.octets + to_copy + _RENAME_OCTETS * len(self.acceptance.actions)


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs to commit together, and what comes after them."""

    jobs: Sequence[WaitingJob]
    order: Order


class Batches:
    """A queue that gives all it has at once, up to so many ``messages``, or so much ``work`` in octets."""

    def __init__(self, messages: int, work: int) -> None:
        self._messages = messages
        self._work = work
        self._queue: SimpleQueue[WaitingJob | Order] = SimpleQueue()

    def put(self, item: WaitingJob | Order) -> None:
        """Add at the end."""
        self._queue.put(item)

    def take(self) -> Batch:
        """Wait for something to do."""
        item = self._queue.get()
        jobs: list[WaitingJob] = []
        work = 0
        while not isinstance(item, Order):
            jobs.append(item)
            work += item.work
            if len(jobs) >= self._messages or work >= self._work:
                return Batch(jobs, Order.GO_ON)
            try:
                item = self._queue.get_nowait()
            except Empty:
                return Batch(jobs, Order.GO_ON)
        return Batch(jobs, item)
