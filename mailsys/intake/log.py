"""The log: records are appended to the newest segment, and synced once for all that wait.

Used by the committing thread only.  When a write fails, the segment is cut back to its last good end;
when that fails, or when a sync fails, it is sealed: nothing is written to it or synced any more.  The
failed records are marked as aborted in front of the next batch, since some of their octets may reach
the disk all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.intake.record import (
    ABORTED,
    LAID,
    Copy,
    Draft,
    Record,
    header_line,
    mark_line,
    message_line,
)
from mailsys.intake.segment import Segment, record_segment, segment_path
from mailsys.message.content import FileContent


class Log:
    """Owns the newest segment in ``directory``.

    ``last_number`` is the highest number of a segment so far; replay sets it.  ``token`` makes 16 random
    hexadecimal digits; ``now`` gives seconds since 1970, from which segments get their numbers, so that
    a number is never used a second time.
    """

    _log = Logger()

    def __init__(
        self,
        disk: Disk,
        directory: str,
        *,
        boot_id: str,
        token: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._boot_id = boot_id
        self.last_number = 0
        self._token = token
        self._now = now
        self._current: Segment | None = None
        self._descriptor = -1
        self._sealed: list[Segment] = []
        self._messages = 0  # records ever written to the current segment
        # Marks that no sync is known to have covered: the kind, and the records or copies.
        self._owed: list[tuple[str, Sequence[str]]] = []

    @property
    def octets(self) -> int:
        """The size of the newest segment."""
        return self._current.octets if self._current else 0

    def append(self, drafts: Sequence[Draft]) -> list[Record]:
        """Write and sync; raises OSError or whatever else went wrong, and then none of it is in the log."""
        segment = self._current or self._open()
        start = segment.octets
        pieces, records = self._pieces(segment, drafts)
        is_written = False
        try:
            self._disk.write(self._descriptor, pieces)
            is_written = True
            self._disk.sync_data(self._descriptor)
        except BaseException:
            segment.octets = start
            self._undo(segment, records, believe_no_more=is_written)
            raise
        self._owed.clear()
        segment.records += records
        segment.failed_syncs = min([segment.failed_syncs, *[draft.failed_syncs for draft in drafts]])
        return records

    def _pieces(self, segment: Segment, drafts: Sequence[Draft]) -> tuple[list[bytes], list[Record]]:
        """Everything that one batch writes; ``octets`` of the segment counts it in."""
        pieces = self._owed_marks(segment)
        octets = segment.octets + sum(map(len, pieces))
        records = []
        for draft in drafts:
            self._messages += 1
            record_id = f"{segment.number}.{self._messages}"
            head = message_line(segment.token, record_id, draft) + draft.description + b"\n"
            octets += len(head)
            pieces += (head, *draft.pieces, b"\n")
            acceptance = draft.acceptance
            if draft.pieces:
                # From here on nobody needs the octets in memory: they are in the log.
                content = FileContent(segment.path, draft.content_octets, octets)
                acceptance = replace(acceptance, content=content)
            records.append(Record(record_id, draft.at, acceptance))
            octets += draft.content_octets + 1
        segment.octets = octets
        return pieces, records

    def note(self, laid: Sequence[Copy], unlaid: Sequence[Copy]) -> None:
        """Keep what became of the batch; say in the log, without a sync, what a restart need not lay."""
        segment = self._current
        if segment is None:
            raise ValueError("no batch was appended")
        segment.unsettled += laid
        segment.unlaid += unlaid
        if laid:
            self._mark_laid(segment, _names(laid, unlaid))

    def _mark_laid(self, segment: Segment, names: Sequence[str]) -> None:
        mark = mark_line(segment.token, LAID, names)
        try:
            self._disk.write(self._descriptor, [mark])
        except Exception:
            self._log.failure("{path} took no mark of laid messages", path=segment.path)
            self._owed.append((LAID, names))
            self._cut_back(segment)
        else:
            segment.octets += len(mark)

    def rotate(self) -> None:
        """Seal the newest segment if it holds anything; the next batch begins another."""
        if self._current is not None and (self._current.records or self._owed):
            self._seal()

    def take_sealed(self) -> list[Segment]:
        """Return the segments that were sealed since the last call, for settling."""
        sealed, self._sealed = self._sealed, []
        return sealed

    def _open(self) -> Segment:
        """Begin a segment with all marks that are owed; its name is synced, its content not yet."""
        self.last_number = max(self.last_number + 1, int(self._now()))
        segment = Segment(
            segment_path(self._directory, self.last_number), self._token(), self._disk.failed_syncs
        )
        descriptor = self._disk.open_append(segment.path)
        try:
            pieces = [header_line(segment.number, self._boot_id, segment.token)]
            pieces += self._owed_marks(segment)
            self._disk.write(descriptor, pieces)
            self._disk.sync_directory(self._directory)
        except BaseException:
            self._drop(descriptor, segment)
            raise
        segment.octets = sum(map(len, pieces))
        self._current, self._descriptor, self._messages = segment, descriptor, 0
        return segment

    def _owed_marks(self, segment: Segment) -> list[bytes]:
        for _, names in self._owed:
            segment.marks_of.update(map(record_segment, names))
        segment.marks_of.discard(segment.number)
        return [mark_line(segment.token, kind, names) for kind, names in self._owed]

    def _undo(self, segment: Segment, records: Sequence[Record], *, believe_no_more: bool) -> None:
        """Make sure that no replay finds the records of a failed batch."""
        self._log.failure("{path} could not be written", path=segment.path)
        self._owed.append((ABORTED, [record.id for record in records]))
        if self._cut_back(segment) and believe_no_more:
            self._seal()
        if self._current is None:
            # At once, for the octets may still be there when this process ends.
            try:
                self._open()
            except OSError:
                self._log.failure("No new segment can be begun; it is tried again with the next message")

    def _cut_back(self, segment: Segment) -> bool:
        """Cut off what a failed write left; seals the segment when that fails."""
        try:
            self._disk.truncate(self._descriptor, segment.octets)
        except OSError:
            self._log.failure("{path} cannot be cut back", path=segment.path)
            self._seal()
            return False
        return True

    def _seal(self) -> None:
        if self._current is None:
            return
        self._sealed.append(self._current)
        self._current = None
        self._close(self._descriptor)

    def _drop(self, descriptor: int, segment: Segment) -> None:
        """Remove a segment that could not be begun."""
        self._close(descriptor)
        try:
            self._disk.unlink(segment.path)
        except OSError:
            self._log.failure("{path} is of no use, and cannot be removed now", path=segment.path)
            self._sealed.append(segment)

    def _close(self, descriptor: int) -> None:
        try:
            self._disk.close(descriptor)
        except OSError:
            self._log.failure("A segment could not be closed in order")


def _names(laid: Sequence[Copy], unlaid: Sequence[Copy]) -> list[str]:
    """What a mark calls the laid copies: by their record where all of it is laid."""
    partial = {copy.record.id for copy in unlaid}
    names = [copy.id if copy.record.id in partial else copy.record.id for copy in laid]
    return list(dict.fromkeys(names))
