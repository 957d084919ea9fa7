"""What writers have left in ``tmp``: removed after 36 hours, the time that Maildir gives a writer.

A process that is killed while it writes copies leaves them there.  So may another program, hence the
age is that of the last change by anyone (``st_ctime``): the time of modification a writer sets at will.

A copy that the intake log still has to lay can be as old, when its folder could not be written to for so
long.  That one may go, too.  The log holds its content until it is laid, and looks before each attempt:
what is not in ``tmp`` any more is written there anew.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from itertools import islice

from twisted.logger import Logger

from mailsys.disk import Disk

LEFTOVER_SECONDS = 36 * 3600.0
PAUSE_SECONDS = 3600.0
FILES_A_LOOK = 1000
# Beyond so many directories the times of the last looks are forgotten, and some looks come early.
KNOWN_DIRECTORIES = 10_000

log = Logger(namespace="mailsys.store")


class Leftovers:
    """Clears ``tmp`` directories, each at most once in an hour.  ``now`` gives seconds since 1970."""

    def __init__(self, disk: Disk, now: Callable[[], float]) -> None:
        self._disk = disk
        self._now = now
        self._looked_at: dict[str, float] = {}

    def clear(self, directory: str) -> None:
        """Remove old files, if it is time to look for them.  From a worker thread; what fails is logged."""
        now = self._now()
        if 0 <= now - self._looked_at.get(directory, float("-inf")) < PAUSE_SECONDS:
            return
        if len(self._looked_at) >= KNOWN_DIRECTORIES:
            self._looked_at.clear()
        self._looked_at[directory] = now
        try:
            with os.scandir(directory) as entries:
                paths = [entry.path for entry in islice(entries, FILES_A_LOOK)]
            for path in paths:
                self._remove_if_older(path, now - LEFTOVER_SECONDS)
        except OSError as error:
            log.warn("Leftovers stay: {error}", error=error)

    def _remove_if_older(self, path: str, changed: float) -> None:
        try:
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode) and status.st_ctime < changed:
                self._disk.unlink(path)
                log.info("{path!r} was left by a writer more than 36 hours ago; it is removed", path=path)
        except FileNotFoundError:
            pass  # its writer is done
