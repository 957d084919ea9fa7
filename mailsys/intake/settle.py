"""Settling: what the log has promised is put on the disk where it belongs, then the segment is deleted.

Until then the segment stays, and what went wrong is done again from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.intake.copies import Announce, Copies
from mailsys.intake.record import spool_file
from mailsys.intake.segment import Segment
from mailsys.intake.spool import remove, spool_path
from mailsys.interfaces import IDrop, IJournal

LONGEST_PAUSE_ROUNDS = 64
# The journal is waited for in so many rounds; after them mail goes on without it.
JOURNAL_ROUNDS = 3
IDS_A_LINE = 100
DAMAGED_SUFFIX = ".damaged"


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
        drop: IDrop,
        journal: IJournal,
        announce: Announce,
        now: Callable[[], float],
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._spool = spool_path(directory)
        self._copies = Copies(disk, drop, journal, announce, now)
        self._journal = journal
        self._failed_flushes = 0  # since the last one that succeeded
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
        due = [segment for segment in segments if self._is_due(segment)]
        settled = [segment for segment in due if self._succeeds(segment, self._settle)]
        if settled and self._need_not_wait_for_the_story():
            for segment in settled:
                if self._succeeds(segment, self._delete):
                    self._forget(segment)

    def _is_due(self, segment: Segment) -> bool:
        if segment.pause:
            segment.pause -= 1
            return False
        return True

    def _succeeds(self, segment: Segment, step: Callable[[Segment], bool]) -> bool:
        """Take a step that says whether it was done; a segment that is not done has to pause."""
        try:
            is_done = step(segment)
        except Exception:
            self._log.failure("{path} cannot be settled; it is tried again", path=segment.path)
            is_done = False
        if not is_done:
            segment.pause = min(2**segment.rounds, LONGEST_PAUSE_ROUNDS)
            segment.rounds += 1
        return is_done

    def _settle(self, segment: Segment) -> bool:
        """True when every copy is in place and on the disk.  Raises OSError."""
        self._copies.lay_late(segment)
        self._copies.sync(segment)
        return not (segment.unlaid or segment.unsettled)

    def _need_not_wait_for_the_story(self) -> bool:
        """Is the journal on the disk?  Mail does not depend on it: some rounds later the answer is yes."""
        try:
            self._journal.flush()
        except Exception as error:
            self._failed_flushes += 1
            self._log.warn("The log waits for the journal: {error}", error=error)
            return self._failed_flushes >= JOURNAL_ROUNDS
        self._failed_flushes = 0
        return True

    def _is_needed(self, segment: Segment) -> bool:
        """Does it hold marks of a segment that is still there?"""
        with self._lock:
            return any(other.number in segment.marks_of for other in self._segments)

    def _delete(self, segment: Segment) -> bool:
        """The segment goes first: without it nobody asks for its spool files.  Raises OSError."""
        if self._is_needed(segment):
            return False
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
        return True

    def _forget(self, segment: Segment) -> None:
        with self._lock:
            self._segments.remove(segment)
            self._octets -= segment.octets
        if self._failed_flushes:
            self._tell_untold(segment)

    def _tell_untold(self, segment: Segment) -> None:
        """The mail is safe, its stories may not be: the journal keeps events in memory, up to a bound."""
        words = "{path} was deleted though the journal is not written; these stories may be lost: {ids}"
        for ids in _in_lines([record.acceptance.envelope.id for record in segment.records]):
            self._log.error(words, path=segment.path, ids=ids)


def _in_lines(ids: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(ids), IDS_A_LINE):
        yield ", ".join(ids[start : start + IDS_A_LINE])
