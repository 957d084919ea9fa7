"""Files that only their owner may read."""

from __future__ import annotations

import errno
import os

from mailsys.disk import Disk, make_durable_directories


def make_private(path: str) -> None:
    """Make a file, and its folder, if it is not there; raises OSError.

    It belongs to the owner of its folder: root may make what another user serves.
    """
    disk = Disk()
    folder = os.path.dirname(path)
    make_durable_directories(disk, folder)
    try:
        descriptor = disk.create(path)
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path) from None
        return
    try:
        if os.geteuid() == 0:
            owner = os.stat(folder)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)  # SQLite gives its -wal and -shm the same
    finally:
        disk.close(descriptor)
    disk.sync_directory(folder)
