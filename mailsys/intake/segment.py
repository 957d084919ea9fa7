"""A segment that takes no more messages, and waits until all it holds is settled."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from mailsys.disk import Disk
from mailsys.intake.record import LATE, Copy, Record, mark_line

SUFFIX = ".log"
ANOTHER_BOOT = -1  # no sync of this boot covers what was written; its octets may be anything


@dataclass(slots=True, eq=False)
class Segment:
    """``records`` are its messages that are owed to somebody.

    Of their copies, ``unlaid`` are not in place, and ``unsettled`` are, but not known to be on the disk;
    ``failed_syncs`` is the disk's before the first of them was written, or ANOTHER_BOOT.  ``marks_of``
    are the numbers of older segments whose marks lie in this one, so that it must outlive them.
    ``rounds`` counts failed attempts to settle it, ``pause`` the rounds to leave out before the next.
    """

    path: str
    token: str
    failed_syncs: int
    octets: int = 0
    records: list[Record] = field(default_factory=list)
    unlaid: list[Copy] = field(default_factory=list)
    unsettled: list[Copy] = field(default_factory=list)
    marks_of: set[int] = field(default_factory=set)
    is_damaged: bool = False
    rounds: int = 0
    pause: int = 0

    @property
    def number(self) -> int:
        """The file's name."""
        return segment_number(os.path.basename(self.path))

    def append_laid(self, disk: Disk, copy: Copy) -> None:
        """Mark a copy in the file, at a line of its own whatever is before; raises OSError."""
        descriptor = disk.open_append(self.path)
        try:
            disk.write(descriptor, [b"\n" + mark_line(self.token, LATE, [copy.id])])
        finally:
            disk.close(descriptor)


def segment_path(directory: str, number: int) -> str:
    """Where the segment of this number lies."""
    return os.path.join(directory, f"{number}{SUFFIX}")


def segment_number(name: str) -> int:
    """The number in a file's name; 0 when it is no segment's."""
    stem, suffix = os.path.splitext(name)
    return int(stem) if suffix == SUFFIX and stem.isascii() and stem.isdigit() and len(stem) < 16 else 0


def record_segment(marked_id: str) -> int:
    """The number of the segment that holds a record or a copy."""
    return int(marked_id.partition(".")[0])
