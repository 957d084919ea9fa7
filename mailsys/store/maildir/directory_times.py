"""Whether a directory has changed since it was read, by its time of modification.

Such a time has the resolution of the kernel's clock tick.  What happens within the same tick as a reading,
after it, leaves no trace; so a directory that was read so soon is read once more.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

TICK_SECONDS = 0.05
# After a change of ours the directory is read once more, yet not oftener than this, nor for more than
# one part in so many of all time.
PAUSE_SECONDS = 1.0
REST = 20.0
OLD_SECONDS = 10.0


class DirectoryTimes:
    """One directory.  ``seconds`` is a monotonic clock, ``now`` seconds since 1970.

    For worker threads, one at a time.
    """

    def __init__(
        self, path: str, seconds: Callable[[], float], now: Callable[[], float], *, is_small: bool = False
    ) -> None:
        self._path = path
        self._seconds = seconds
        self._now = now
        self._is_small = is_small
        self._known = -1
        self._changed_at = 0.0
        self._began_at = 0.0
        self._took = 0.0
        self._is_due = True
        self._identity: tuple[int, int] | None = None

    def must_be_read(self) -> bool:
        """Has it changed, or may it have?  Raises OSError."""
        if self._is_due or self._stat() != self._known:
            return True
        if self._began_at - self._changed_at > TICK_SECONDS:
            return False
        rest = 0.0 if self._is_small else max(PAUSE_SECONDS, REST * self._took)
        return self._seconds() - max(self._began_at, self._changed_at) > rest

    def suspect(self) -> None:
        """It has changed, whatever its time says."""
        self._is_due = True

    def begin(self) -> None:
        """It is about to be read; raises OSError."""
        time = self._stat()
        self._began_at = self._seconds()
        self._see(time)
        self._is_due = False

    def was_stable(self) -> bool:
        """It was read: is its time what it was before?  Raises OSError."""
        self._took = self._seconds() - self._began_at
        return self._stat() == self._known

    def before_change(self) -> bool:
        """We are about to change it: is all known that others did?  Raises OSError."""
        return not self._is_due and self._stat() == self._known

    def after_change(self, all_was_known: bool) -> None:
        """We have changed it; raises OSError."""
        if all_was_known:
            self._see(self._stat())
        else:
            self._is_due = True

    def _see(self, time: int) -> None:
        if time != self._known:
            self._known = time
            age = self._now() - time / 1e9
            self._changed_at = self._seconds() - min(max(age, 0.0), OLD_SECONDS)

    def _stat(self) -> int:
        """Its time; raises FileNotFoundError also when another directory has its name by now."""
        status = os.lstat(self._path)
        identity = status.st_dev, status.st_ino
        if self._identity not in (None, identity) or not stat.S_ISDIR(status.st_mode):
            raise FileNotFoundError(errno.ENOENT, "Another has its place", self._path)
        self._identity = identity
        return status.st_mtime_ns
