"""Copies of a sealed segment: those not in place are laid, those in place are synced.

Whatever is missing or doubtful is made anew from the log.  What happens to one copy is kept with it, so
one mailbox in trouble does not make anything happen twice in another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.intake.record import Copy
from mailsys.intake.segment import Segment
from mailsys.intake.spool import is_lost
from mailsys.intake.story import tell_delivered, tell_failed
from mailsys.interfaces import Action, IDrop, IJournal, MailboxAction

LAST_RESORT_ROUNDS = 3
LAST_RESORT_FOLDER = "INBOX"
CONTENT_LOST = "its content is not on the disk any more"
Announce = Callable[[Sequence[Action]], None]


class ContentLostError(Exception):
    """A copy cannot be made, now or ever: the file with its content is missing or short."""


def is_whole(drop: IDrop, copy: Copy) -> bool:
    """Is the copy, with all its octets, in any folder?  Raises OSError."""
    octets = drop.laid_octets(copy.action)
    return octets is not None and octets >= copy.octets


class Copies:
    """Lays and syncs in mailboxes.  ``announce`` hears of what was laid late; ``now`` is since 1970."""

    _log = Logger()

    def __init__(
        self, disk: Disk, drop: IDrop, journal: IJournal, announce: Announce, now: Callable[[], float]
    ) -> None:
        self._disk = disk
        self._drop = drop
        self._journal = journal
        self._announce = announce
        self._now = now

    def lay_late(self, segment: Segment) -> None:
        """Lay what could not be laid before; what fails again stays ``unlaid``."""
        last_resort = segment.rounds >= LAST_RESORT_ROUNDS
        unlaid, segment.unlaid = segment.unlaid, []
        for copy in unlaid:
            try:
                laid = self._lay(copy, last_resort)
            except ContentLostError:
                self._give_up(copy)
            except Exception:
                words = "{id} is stored, but still not in place for {place}"
                message, place = copy.record.acceptance.envelope.id, copy.action.place
                self._log.failure(words, id=message, place=place)
                segment.unlaid.append(copy)
            else:
                segment.unsettled.append(laid)
                self._tell(segment, laid)

    def _lay(self, copy: Copy, last_resort: bool) -> Copy:
        """Lay a copy unless it is there already; returns it with the folder where it is."""
        if last_resort and isinstance(copy.action, MailboxAction):
            copy = copy._replace(action=replace(copy.action, folder=LAST_RESORT_FOLDER))
        if not self._drop.is_written(copy.action):
            if is_whole(self._drop, copy):
                return copy
            self._require_content(copy)
            self._drop.remove_short(copy.action, copy.octets)
            self._write(copy)
        self._drop.lay(copy.action)
        return copy

    def _write(self, copy: Copy) -> None:
        self._drop.discard(copy.action)
        self._drop.write(copy.action, copy.record.acceptance.content)

    def _require_content(self, copy: Copy) -> None:
        if is_lost(copy.record.acceptance.content):
            raise ContentLostError(copy.record.acceptance.envelope.id)

    def _give_up(self, copy: Copy) -> None:
        """No round can make it, so the segment does not wait for it; the story and the log tell."""
        message = copy.record.acceptance.envelope.id
        words = "{id} is LOST for {place}, though it was in the log as {record}: {reason}"
        place = copy.action.place
        self._log.critical(words, id=message, place=place, record=copy.record.id, reason=CONTENT_LOST)
        tell_failed(self._journal, message, copy.action, CONTENT_LOST, self._now())

    def _tell(self, segment: Segment, copy: Copy) -> None:
        tell_delivered(self._journal, copy.record.acceptance.envelope.id, copy.action, self._now())
        try:
            segment.append_laid(self._disk, copy)
        except OSError:
            # A restart before the segment is deleted looks into the mailbox instead.
            self._log.failure("{path} took no mark of a laid copy", path=segment.path)
        self._announce([copy.action])

    def sync(self, segment: Segment) -> None:
        """Sync what is in place, after making anew what may have lost octets; what fails is ``unsettled``."""
        if segment.failed_syncs != self._disk.failed_syncs:
            self._make_anew(segment)
        if segment.unsettled:
            failed = {
                action.name for action in self._drop.settle([copy.action for copy in segment.unsettled])
            }
            segment.unsettled = [copy for copy in segment.unsettled if copy.action.name in failed]
        if segment.unsettled:
            count = len(segment.unsettled)
            self._log.error("{path}: {count} copies could not be synced", path=segment.path, count=count)

    def _make_anew(self, segment: Segment) -> None:
        """A failed sync loses octets of any files, and says so only once."""
        failed_syncs = self._disk.failed_syncs
        if segment.unsettled:
            words = "{count} copies may be damaged, and are written again from {path}"
            self._log.warn(words, count=len(segment.unsettled), path=segment.path)
        for copy in segment.unsettled:
            self._replace(copy)
        segment.failed_syncs = failed_syncs

    def _replace(self, copy: Copy) -> None:
        """Put a new file in the place of a copy, unless its user has deleted it; raises OSError."""
        if self._drop.laid_octets(copy.action) is None:
            self._drop.discard(copy.action)
            return
        try:
            self._require_content(copy)
        except ContentLostError:
            words = "The copy of {id} for {place} may be damaged, and stays as it is: {reason}"
            message, place = copy.record.acceptance.envelope.id, copy.action.place
            self._log.critical(words, id=message, place=place, reason=CONTENT_LOST)
            return
        self._write(copy)
        try:
            self._drop.replace(copy.action)
        except FileNotFoundError:
            self._drop.discard(copy.action)
            if self._drop.laid_octets(copy.action) is not None:
                raise  # it was not the user who deleted something
