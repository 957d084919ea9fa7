"""The file operations by which mail becomes durable, in one object, so that tests can fail each.

Whatever must survive goes through a :class:`Disk`: the real one here, and in tests one that ends
the process at the n-th operation, one that answers ENOSPC, and a model that forgets all unsynced.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Iterable, Sequence


class Disk:
    """The machine's own file system.  Every method raises OSError and may wait.

    ``failed_syncs`` changes whenever a sync has failed: what was written before, and not synced since,
    may then be lost, and no later sync tells of it again.
    """

    def __init__(self) -> None:
        self.failed_syncs = 0

    def create(self, path: str) -> int:
        """Open a new file for writing, private to its owner; it must not exist."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def open(self, path: str) -> int:
        """Open an existing file or directory for reading (and syncing)."""
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def open_append(self, path: str) -> int:
        """Open a file for appending, made if it is not there."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def write(self, descriptor: int, pieces: Sequence[bytes]) -> None:
        """Write all pieces; when it raises, any part of them may have been written."""
        if len(pieces) == 1:
            done, total = os.write(descriptor, pieces[0]), len(pieces[0])
        else:
            done, total = 0, sum(map(len, pieces))
            if len(pieces) <= os.sysconf("SC_IOV_MAX"):
                done = os.writev(descriptor, pieces)
        if done < total:
            rest = memoryview(b"".join(pieces))[done:]
            while rest:
                rest = rest[os.write(descriptor, rest) :]

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file back to a size it had."""
        os.ftruncate(descriptor, size)

    def sync_data(self, descriptor: int) -> None:
        """Return when the file's bytes and size are on the disk."""
        self._sync(os.fdatasync, descriptor)

    def sync(self, descriptor: int) -> None:
        """Return when the file, or the directory's entries, are on the disk."""
        self._sync(os.fsync, descriptor)

    def sync_file_system(self, descriptor: int) -> None:
        """Return when all of the file system that holds the descriptor is on the disk."""
        self._sync(_syncfs, descriptor)

    def _sync(self, call: Callable[[int], None], descriptor: int) -> None:
        try:
            call(descriptor)
        except OSError:
            self.failed_syncs += 1
            raise

    def close(self, descriptor: int) -> None:
        """Close."""
        os.close(descriptor)

    def rename(self, source: str, target: str) -> None:
        """Move within a file system, replacing the target."""
        os.rename(source, target)

    def link(self, source: str, target: str) -> None:
        """Give a file a second name, which must not exist."""
        os.link(source, target, follow_symlinks=False)

    def unlink(self, path: str) -> None:
        """Remove a file's name."""
        os.unlink(path)

    def make_directory(self, path: str) -> None:
        """Make one directory, private to its owner; it must not exist."""
        os.mkdir(path, 0o700)

    def sync_directory(self, path: str) -> None:
        """Return when the directory's entries are on the disk."""
        descriptor = self.open(path)
        try:
            self.sync(descriptor)
        finally:
            self.close(descriptor)


def write_new_file(disk: Disk, path: str, batches: Iterable[Sequence[bytes]]) -> None:
    """Make a file of all the pieces; each batch is one write.  After an OSError nothing is left of it."""
    descriptor = disk.create(path)
    try:
        try:
            for pieces in batches:
                disk.write(descriptor, pieces)
        finally:
            disk.close(descriptor)
    except OSError:
        disk.unlink(path)
        raise


_libc = ctypes.CDLL(None, use_errno=True)


def _syncfs(descriptor: int) -> None:
    if _libc.syncfs(descriptor):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def make_durable_directories(disk: Disk, path: str) -> None:
    """Make a directory and its missing parents so that they survive a loss of power."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for directory in reversed(missing):
        try:
            disk.make_directory(directory)
        except FileExistsError:
            pass
        disk.sync_directory(os.path.dirname(directory))


def give_to_owner(descriptor: int, folder: str) -> None:
    """Root may make what another user serves: it is to be the folder's owner's; raises OSError."""
    if os.geteuid() != 0:
        return
    owner = os.stat(folder)
    # In a sandbox not even root may ask for what is so already.
    if os.fstat(descriptor).st_uid != owner.st_uid:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def make_private(path: str, *, make_folder: bool = True) -> None:
    """Make a file for its owner's eyes only, and its folder, if it is not there; raises OSError.

    It belongs to the owner of its folder: root may make what another user serves.
    """
    disk = Disk()
    folder = os.path.dirname(path)
    if make_folder:
        make_durable_directories(disk, folder)
    try:
        descriptor = disk.create(path)
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path) from None
        return
    try:
        give_to_owner(descriptor, folder)  # SQLite gives its -wal and -shm the same
    finally:
        disk.close(descriptor)
    disk.sync_directory(folder)
