"""Small files beside the mail that are replaced as a whole."""

from __future__ import annotations

import os

from mailsys.disk import Disk


def replace_file(disk: Disk, path: str, temporary_folder: str, octets: bytes) -> None:
    """Put a new file in place of the old, synced; raises OSError, and then the old one stands.

    Whoever calls holds a lock that makes the temporary name its own.
    """
    temporary = os.path.join(temporary_folder, os.path.basename(path))
    try:
        disk.unlink(temporary)  # from a crash
    except FileNotFoundError:
        pass
    descriptor = disk.create(temporary)
    try:
        disk.write(descriptor, [octets])
        disk.sync(descriptor)
    except OSError:
        disk.unlink(temporary)
        raise
    finally:
        disk.close(descriptor)
    disk.rename(temporary, path)
    disk.sync_directory(os.path.dirname(path))
