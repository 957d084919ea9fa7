"""At start, before anybody is let in: do what the log promised and the last run did not.

Within the same boot the page cache has survived, so a record with a ``laid`` mark is done.  After a
loss of power nothing is sure but what was synced: each copy is looked for, laid again when it is
missing or short, and written anew when it is there, since its octets may never have reached the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from twisted.logger import Logger

from mailsys.disk import Disk, make_durable_directories
from mailsys.intake.copies import is_whole
from mailsys.intake.drops import Drops
from mailsys.intake.record import Copy, copies_of, spool_file
from mailsys.intake.scan import ScannedSegment, scan
from mailsys.intake.segment import ANOTHER_BOOT, Segment, record_segment, segment_number, segment_path
from mailsys.intake.settle import DAMAGED_SUFFIX, Settler
from mailsys.intake.spool import remove_all_but, spool_path
from mailsys.intake.story import tell_delivered, tell_received
from mailsys.interfaces import Action, IJournal

_log = Logger()


class Replay:
    """One replay of the log in ``directory``, for a boot of the machine.  Blocks; raises OSError."""

    def __init__(
        self, disk: Disk, directory: str, drop: Drops, journal: IJournal, settler: Settler, boot_id: str
    ) -> None:
        self._disk = disk
        self._directory = directory
        self._spool = spool_path(directory)
        self._drop = drop
        self._journal = journal
        self._settler = settler
        self._boot_id = boot_id

    def run(self) -> int:
        """Replay; returns the highest number of a segment that was there.

        What cannot be laid or settled now is left to the settler, and its segment stays.
        """
        self._make_folders()
        numbers = sorted(filter(None, map(segment_number, os.listdir(self._directory))))
        scanned = [found for number in numbers if (found := self._scan(number))]
        aborted = set().union(*(segment.aborted for segment in scanned))
        laid = set().union(*(segment.laid for segment in scanned))
        self._settler.add([self._segment(segment, aborted, laid) for segment in scanned])
        self._settler.run()
        if len(scanned) == len(numbers):
            self._clear_spool(scanned)
        return max(numbers, default=0)

    def _make_folders(self) -> None:
        """Make what is missing; sync all of it at each start, for the last one may not have come to that."""
        make_durable_directories(self._disk, self._spool)
        self._disk.sync_directory(os.path.dirname(self._directory))
        self._disk.sync_directory(self._directory)

    def _scan(self, number: int) -> ScannedSegment | None:
        """Read a segment and say what is wrong with it; None when it cannot be read and so must stay."""
        path = segment_path(self._directory, number)
        try:
            scanned = scan(path, self._spool)
        except OSError:
            _log.failure("{path} cannot be read, and its messages wait in it", path=path)
            return None
        for offset in scanned.damage:
            _log.error("{path} is damaged at octet {offset}; what follows is used", path=path, offset=offset)
        if scanned.torn_octets:
            words = "{path} ends in {octets} octets that were never acknowledged"
            _log.info(words, path=path, octets=scanned.torn_octets)
        return scanned

    def _segment(self, scanned: ScannedSegment, aborted: set[str], laid: set[str]) -> Segment:
        """The segment as the settler takes it, with all that is left to do."""
        failed_syncs = self._disk.failed_syncs if self._is_of_this_boot(scanned) else ANOTHER_BOOT
        segment = Segment(scanned.path, scanned.token, failed_syncs, scanned.octets)
        segment.is_damaged = bool(scanned.damage)
        marked = map(record_segment, scanned.laid | scanned.aborted)
        segment.marks_of = set(marked) - {segment.number}
        for record in scanned.records.values():
            if record.id in aborted:
                self._discard(record.acceptance.actions)
                continue
            segment.records.append(record)
            # Once more, since the end of the story may have been lost; what is told twice is kept once.
            tell_received(self._journal, record.acceptance, record.at)
            for copy in copies_of(record):
                self._sort(copy, segment, is_done=self._is_done(copy, scanned, laid))
        return segment

    def _sort(self, copy: Copy, segment: Segment, *, is_done: bool) -> None:
        if is_done:
            segment.unsettled.append(copy)
            message = copy.record.acceptance.envelope.id
            tell_delivered(self._journal, message, copy.action, copy.record.at)
        else:
            segment.unlaid.append(copy)

    def _is_done(self, copy: Copy, scanned: ScannedSegment, laid: set[str]) -> bool:
        if self._is_of_this_boot(scanned):
            return (copy.record.id in laid or copy.id in laid) and self._drop.confirms(copy.action)
        # Octets that nobody synced are not to be trusted, whatever the file's size says.
        self._discard([copy.action])
        return self._is_whole(copy)

    def _is_of_this_boot(self, scanned: ScannedSegment) -> bool:
        return bool(self._boot_id) and scanned.boot_id == self._boot_id

    def _is_whole(self, copy: Copy) -> bool:
        try:
            return is_whole(self._drop, copy)
        except OSError:
            _log.failure("It cannot be seen what is in place for {place}", place=copy.action.place)
            return False

    def _discard(self, actions: Sequence[Action]) -> None:
        for action in actions:
            try:
                self._drop.discard(action)
            except OSError:
                _log.failure("The copy {name} that nobody needs stays", name=action.name)

    def _clear_spool(self, scanned: Iterable[ScannedSegment]) -> None:
        """Remove the files of sessions that are no more; none while a damaged segment may need them."""
        if any(name.endswith(DAMAGED_SUFFIX) for name in os.listdir(self._directory)):
            _log.warn("{spool} is not cleared, because of a damaged segment", spool=self._spool)
            return
        contents = (
            spool_file(record.acceptance, self._spool) for s in scanned for record in s.records.values()
        )
        remove_all_but(self._disk, self._spool, set(filter(None, contents)))
