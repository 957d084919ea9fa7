"""The order of steps by which a message becomes ours: written, logged, synced, laid, answered.

One thread does this for all messages that wait, so that they share one sync.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.intake.log import Log
from mailsys.intake.record import Copy, Draft, Record, copies_of, draft, spool_file
from mailsys.intake.spool import make_durable
from mailsys.intake.story import tell_delivered, tell_received
from mailsys.interfaces import Acceptance, Action, IDrop, IJournal


@dataclass(slots=True, eq=False)
class Job:
    """A message on its way through the steps; ``at`` is seconds since 1970.

    At the end ``is_stored`` is the answer, and ``laid`` are the copies that are in place.
    """

    acceptance: Acceptance
    at: float
    draft: Draft | None = None
    is_refused: bool = False
    is_stored: bool = False
    laid: Sequence[Action] = ()


J = TypeVar("J", bound=Job)


class Committer:
    """Takes batches of jobs through the steps.  ``spool`` is the folder of large contents."""

    _log = Logger()

    def __init__(self, disk: Disk, drop: IDrop, log: Log, journal: IJournal, spool: str) -> None:
        self._disk = disk
        self._drop = drop
        self._segments = log
        self._journal = journal
        self._spool = spool

    def prepare(self, job: Job) -> None:
        """Step 1: write each copy where no reader sees it.  Any worker thread may do this beforehand."""
        acceptance = job.acceptance
        written: list[Action] = []
        try:
            job.draft = draft(acceptance, job.at, self._spool, self._disk.failed_syncs)
            for action in acceptance.actions:
                written.append(action)  # before it is: what fails half-way has to be discarded too
                self._drop.write(action, acceptance.content)
            if path := spool_file(acceptance, self._spool):
                make_durable(self._disk, path)
        except Exception:
            self._log.failure("{id} could not be written", id=acceptance.envelope.id)
            job.draft, job.is_refused = None, True
            self._discard(written)

    def commit(self, jobs: Sequence[J], answer: Callable[[Sequence[J]], None]) -> None:
        """All steps for a batch; ``answer`` is called once, as soon as all answers are known."""
        for job in jobs:
            if job.draft is None and not job.is_refused:
                self.prepare(job)
        written = [job for job in jobs if job.draft is not None]
        self._lay(written, self._append(written))
        answer(jobs)
        for job in written:
            if job.is_stored:
                self._tell(job)

    def withdraw(self, job: Job) -> None:
        """Undo ``prepare`` for a job that will not be committed after all.  From a worker thread."""
        self._discard(job.acceptance.actions)

    def _append(self, jobs: Sequence[Job]) -> list[Record]:
        """Step 2: the log; when it fails, nothing of the batch stays."""
        if not jobs:
            return []
        try:
            return self._segments.append([job.draft for job in jobs if job.draft is not None])
        except Exception:
            self._log.failure("{count} messages could not be logged", count=len(jobs))
        for job in jobs:
            self._discard(job.acceptance.actions)
        return []

    def _lay(self, jobs: Sequence[Job], records: Sequence[Record]) -> None:
        """Step 3: into the folders.  What fails is laid from the log later, for it is ours now."""
        laid: list[Copy] = []
        unlaid: list[Copy] = []
        for job, record in zip(jobs, records, strict=False):
            job.is_stored = True
            there = self._lay_copies(record, unlaid)
            job.laid = [copy.action for copy in there]
            laid += there
        if records:
            self._segments.note(laid, unlaid)

    def _lay_copies(self, record: Record, unlaid: list[Copy]) -> list[Copy]:
        """Lay what can be laid now; what cannot is added to ``unlaid``."""
        laid = []
        for copy in copies_of(record):
            try:
                self._drop.lay(copy.action)
            except Exception:
                words = "{id} is stored, but not in place for {place} yet; it is tried again"
                self._log.failure(words, id=record.acceptance.envelope.id, place=copy.action.place)
                unlaid.append(copy)
            else:
                laid.append(copy)
        return laid

    def _discard(self, actions: Sequence[Action]) -> None:
        for action in actions:
            try:
                self._drop.discard(action)
            except Exception:
                self._log.failure("The copy {name} that nobody needs stays", name=action.name)

    def _tell(self, job: Job) -> None:
        """The story: it came, and where each copy is.  Copies that are laid later are told then."""
        tell_received(self._journal, job.acceptance, job.at)
        for action in job.laid:
            tell_delivered(self._journal, job.acceptance.envelope.id, action, job.at)
