"""Messages on their way into a folder: written for an append, linked for a copy."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.interfaces import Flags, NewMessage
from mailsys.message.content import READ_OCTETS
from mailsys.store.maildir.folder_files import FolderFiles
from mailsys.store.maildir.names import NameSource, sizes_in
from mailsys.store.maildir.placing import Incoming, SourceGone
from mailsys.store.maildir.scan import open_regular
from mailsys.store.maildir.settle import MANY

# A file system that cannot make a hard link, or no more of them.
_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS}
# A file that was changed so lately may be synced nowhere but in the intake log, under another name.
LATELY_SECONDS = 60.0
# How much a file system may round a date, as FAT does.
COARSE_SECONDS = 2.0

log = Logger(namespace="mailsys.store")


class Transfer:
    """Makes files in ``folder``, an account's ``tmp``; for worker threads.

    ``now`` gives seconds since 1970.
    """

    def __init__(self, disk: Disk, names: NameSource, folder: str, now: Callable[[], float]) -> None:
        self._disk = disk
        self._names = names
        self._folder = folder
        self._now = now

    def write(self, messages: Sequence[tuple[NewMessage, Flags]]) -> list[Incoming]:
        """Write each message and sync it; raises OSError, and then nothing is left."""
        written: list[Incoming] = []
        try:
            for message, flags in messages:
                written.append(self._write(message, flags))
        except BaseException:
            self.discard(written)
            raise
        return written

    def link(self, source: FolderFiles, uids: Iterable[int]) -> list[Incoming]:
        """Give each file a second name here; raises SourceGone, OSError, and then none is left."""
        linked: list[Incoming] = []
        late: list[str] = []
        try:
            for uid in uids:
                linked.append(self._link(source, uid, late))
            self._sync(late)
        except BaseException:
            self.discard(linked)
            raise
        return linked

    def new_name(self, base: str) -> str:
        """A base name of its own for a copy of a message with this one."""
        size, wire_size = sizes_in(base)
        if size is None:
            return self._names.next_bare()
        return self._names.next(size, wire_size)

    def discard(self, files: Iterable[Incoming]) -> None:
        """Remove what was not needed; what cannot be removed goes with the leftovers."""
        for one in files:
            try:
                self._disk.unlink(one.source)
            except FileNotFoundError:
                pass
            except OSError as error:
                log.warn("A leftover stays: {error}", error=error)

    def _write(self, message: NewMessage, flags: Flags) -> Incoming:
        path = f"{self._folder}/{self._names.next(message.content.size, None)}"
        descriptor = self._disk.create(path)
        try:
            try:
                wire_size = self._fill(descriptor, message)
                _set_date(descriptor, message.internal_date)
                self._disk.sync(descriptor)
            finally:
                self._disk.close(descriptor)
        except BaseException:
            self._disk.unlink(path)
            raise
        return Incoming(path, self._names.next(message.content.size, wire_size), flags)

    def _fill(self, descriptor: int, message: NewMessage) -> int:
        """Return the octets with CRLF line ends."""
        size = bare = 0
        last = b""
        for piece in message.content.pieces():
            self._disk.write(descriptor, [piece])
            size += len(piece)
            bare += piece.count(b"\n") - piece.count(b"\r\n")
            bare -= last == b"\r" and piece.startswith(b"\n")
            last = piece[-1:] or last
        if size != message.content.size:
            raise OSError(f"the message has {size} octets and not {message.content.size}")
        return size + bare

    def _link(self, source: FolderFiles, uid: int, late: list[str]) -> Incoming:
        try:
            base, ending = source.names.get(uid)
            old = f"{source.path}/{ending.subdirectory}/{base}{ending.suffix}"
            changed = os.lstat(old).st_ctime
            name = self.new_name(base)
            new = f"{self._folder}/{name}"
            self._link_or_copy(old, new)
            if self._now() - changed <= LATELY_SECONDS:
                late.append(new)
        except (KeyError, FileNotFoundError):
            raise SourceGone from None
        return Incoming(new, name, source.keywords.flags(ending.suffix), base)

    def _sync(self, paths: Sequence[str]) -> None:
        """One by one, or the whole file system when that is cheaper."""
        if len(paths) > MANY:
            self._sync_with(self._disk.sync_file_system, self._folder)
            return
        for path in paths:
            self._sync_with(self._disk.sync_data, path)

    def _sync_with(self, sync: Callable[[int], None], path: str) -> None:
        descriptor = self._disk.open(path)
        try:
            sync(descriptor)
        finally:
            self._disk.close(descriptor)

    def _link_or_copy(self, old: str, new: str) -> None:
        try:
            self._disk.link(old, new)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            self._copy(old, new)

    def _copy(self, old: str, new: str) -> None:
        source = open_regular(old)
        try:
            status = os.fstat(source)
            descriptor = self._disk.create(new)
            try:
                while piece := os.read(source, READ_OCTETS):
                    self._disk.write(descriptor, [piece])
                os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns))
                self._disk.sync(descriptor)
            except OSError:
                self._disk.unlink(new)
                raise
            finally:
                self._disk.close(descriptor)
        finally:
            os.close(source)


def _set_date(descriptor: int, seconds: float) -> None:
    """Where the file system cannot tell of such a day, it takes the nearest it can; a message is not refused.

    Of ext4 the days are from 1901 to 2446, of others to 2038; the kernel says nothing when it takes another.
    """
    os.utime(descriptor, (seconds, seconds))
    there = os.fstat(descriptor).st_mtime
    if abs(there - seconds) >= COARSE_SECONDS:
        log.warn(
            "A message has the INTERNALDATE {there} instead of {seconds}, which the file system cannot hold",
            there=there,
            seconds=seconds,
        )
