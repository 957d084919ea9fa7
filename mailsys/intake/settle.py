"""Settling: what the log has promised is put on the disk where it belongs, then the segment is deleted.

Until then the segment stays, and what went wrong is done again from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.intake.record import Record, spool_file
from mailsys.intake.segment import Segment
from mailsys.intake.spool import remove, spool_path
from mailsys.interfaces import IJournal, IMailDrop, MailboxAction
from mailsys.journal.events import delivered

LONGEST_PAUSE_ROUNDS = 64
LAST_RESORT_ROUNDS = 3
LAST_RESORT_FOLDER = "INBOX"
DAMAGED_SUFFIX = ".damaged"
Announce = Callable[[Sequence[MailboxAction]], None]


class Settler:
    """Owns the sealed segments in ``directory``.

    ``run`` is called from one worker thread at a time; ``announce`` hears from there of copies that
    were laid late.  ``now`` gives seconds since 1970.
    """

    _log = Logger()

    def __init__(
        self,
        disk: Disk,
        directory: str,
        drop: IMailDrop,
        journal: IJournal,
        announce: Announce,
        now: Callable[[], float],
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._spool = spool_path(directory)
        self._drop = drop
        self._journal = journal
        self._announce = announce
        self._now = now
        self._lock = Lock()
        self._segments: list[Segment] = []  # guarded by the lock
        self._octets = 0

    def add(self, segments: Sequence[Segment]) -> None:
        """Take over sealed segments, in the order of their numbers.  From any thread."""
        with self._lock:
            self._segments += segments
            self._octets += sum([segment.octets for segment in segments])

    @property
    def waiting_octets(self) -> int:
        """The size of all segments that are not deleted yet."""
        return self._octets

    @property
    def is_idle(self) -> bool:
        """Is nothing left to do?"""
        return not self._segments

    def run(self) -> None:
        """One round: do what can be done now.  From a worker thread.

        A segment that could not be settled is left alone for one round, then for two, four, …
        """
        with self._lock:
            segments = list(self._segments)
        for segment in segments:
            if segment.pause:
                segment.pause -= 1
            elif self._is_settled(segment):
                self._forget(segment)
            else:
                segment.pause = min(2**segment.rounds, LONGEST_PAUSE_ROUNDS)
                segment.rounds += 1

    def _is_settled(self, segment: Segment) -> bool:
        try:
            return self._settle(segment)
        except Exception:
            self._log.failure("{path} cannot be settled; it is tried again", path=segment.path)
            return False

    def _forget(self, segment: Segment) -> None:
        with self._lock:
            self._segments.remove(segment)
            self._octets -= segment.octets

    def _settle(self, segment: Segment) -> bool:
        """One round for one segment; True when it is deleted.  Raises OSError."""
        self._lay_late(segment)
        self._sync_copies(segment)
        if segment.unlaid or segment.unsettled or self._is_needed(segment):
            return False
        self._journal.flush()
        self._delete(segment)
        return True

    def _is_needed(self, segment: Segment) -> bool:
        """Does it hold marks of a segment that is still there?"""
        with self._lock:
            return any(other.number in segment.marks_of for other in self._segments)

    def _lay_late(self, segment: Segment) -> None:
        """Lay what could not be laid before."""
        last_resort = segment.rounds >= LAST_RESORT_ROUNDS
        unlaid, segment.unlaid = segment.unlaid, []
        for record in unlaid:
            try:
                laid = self._lay_record(record, last_resort)
            except Exception:
                name = record.acceptance.envelope.id
                self._log.failure("{id} is stored, but still not in place", id=name)
                segment.unlaid.append(record)
            else:
                segment.laid([laid])
                self._tell(segment, laid)

    def _lay_record(self, record: Record, last_resort: bool) -> Record:
        """Lay every copy that is missing; returns the record with the folders where they are."""
        content = record.acceptance.content
        actions = []
        for planned in record.acceptance.actions:
            action = planned
            if self._drop.is_written(planned) and not last_resort:
                self._drop.lay(planned)
            elif not self._drop.is_laid(planned, content.size):
                self._drop.discard(planned)
                action = replace(planned, folder=LAST_RESORT_FOLDER) if last_resort else planned
                self._drop.write(action, content)
                self._drop.lay(action)
            actions.append(action)
        return replace(record, acceptance=replace(record.acceptance, actions=tuple(actions)))

    def _tell(self, segment: Segment, record: Record) -> None:
        actions = record.acceptance.actions
        for action in actions:
            self._journal.record(delivered(record.acceptance.envelope.id, action, self._now()))
        self._announce(actions)
        try:
            segment.append_laid(self._disk, record)
        except OSError:
            # A restart before the segment is deleted looks into the mailbox instead.
            self._log.failure("{path} took no mark of a laid message", path=segment.path)

    def _sync_copies(self, segment: Segment) -> None:
        """Sync what is in place, after writing again what may have lost octets."""
        if segment.failed_syncs != self._disk.failed_syncs:
            self._rewrite_all(segment)
        if segment.unsettled:
            failed = {
                action.name for action in self._drop.settle([action for _, action in segment.unsettled])
            }
            segment.unsettled = [copy for copy in segment.unsettled if copy[1].name in failed]
        if segment.unsettled:
            count = len(segment.unsettled)
            self._log.error("{path}: {count} copies could not be synced", path=segment.path, count=count)

    def _rewrite_all(self, segment: Segment) -> None:
        """Make each copy anew: a failed sync loses octets of any files, and says so only once."""
        failed_syncs = self._disk.failed_syncs
        if segment.unsettled:
            words = "{count} copies may be damaged, and are written again from {path}"
            self._log.warn(words, count=len(segment.unsettled), path=segment.path)
        for record, action in segment.unsettled:
            self._rewrite(record, action)
        segment.failed_syncs = failed_syncs

    def _rewrite(self, record: Record, action: MailboxAction) -> None:
        """Put a new file in the place of a copy, if that is still there; raises OSError."""
        content = record.acceptance.content
        self._drop.discard(action)
        try:
            if self._drop.is_laid(action, content.size):
                self._drop.write(action, content)
                self._drop.replace(action)
        except FileNotFoundError:
            self._drop.discard(action)  # deleted by its user meanwhile

    def _delete(self, segment: Segment) -> None:
        """The segment goes first: without it nobody asks for its spool files."""
        try:
            if segment.is_damaged:
                self._disk.rename(segment.path, os.path.splitext(segment.path)[0] + DAMAGED_SUFFIX)
            else:
                self._disk.unlink(segment.path)
        except FileNotFoundError:
            pass  # in an earlier round, which could not finish
        contents = [spool_file(record.acceptance, self._spool) for record in segment.records]
        if any(contents):
            self._disk.sync_directory(self._directory)
        for path in filter(None, contents):
            remove(self._disk, path)
