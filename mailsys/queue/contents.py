"""The contents of queued messages: a file each in ``queue/content``, by the message's id.

Most messages leave within a moment, long before the intake log forgets them.  So a small content has no
file until the log is settled: it is held in memory, and after a crash the log brings it again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from threading import Lock

from twisted.logger import Logger

from mailsys.disk import Disk, make_durable_directories, write_new_file
from mailsys.message.content import Content, FileContent, MemoryContent, batches

MANY = 64  # from here one sync of the file system is cheaper than one of each file
HELD_OCTETS = 32 * 1024 * 1024  # in memory, of all contents together
SMALL_OCTETS = 256 * 1024

log = Logger(namespace="mailsys.queue")


class OwedContent:
    """What the intake log has and could not bring here yet: not lost, and not to be read now."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, offset: int, octets: int) -> bytes:
        """Raises OSError."""
        raise OSError("it is in the log, and could not be written to the queue yet")

    def pieces(self) -> Iterator[bytes]:
        """Raises OSError."""
        yield self.read(0, self.size)


class Contents:
    """Owns ``directory`` and what is below.  Every method but ``open`` blocks and raises OSError."""

    def __init__(self, disk: Disk, directory: str) -> None:
        self._disk = disk
        # By name; the lock guards that a content is either held or a file, and that the octets are counted.
        self._lock = Lock()
        self._unlaid: dict[str, MemoryContent] = {}
        self._held: dict[str, MemoryContent] = {}
        self._held_octets = 0
        self._owed: set[str] = set()
        self._content = os.path.join(directory, "content")
        self._tmp = os.path.join(directory, "tmp")

    def make_folders(self) -> None:
        """Make what is missing, and sync the names of all, for the last process may not have come to that."""
        for folder in (self._content, self._tmp):
            make_durable_directories(self._disk, folder)
        parent = os.path.dirname(self._content)
        self._disk.sync_directory(parent)
        self._disk.sync_directory(os.path.dirname(parent))

    def path(self, name: str) -> str:
        """Where the content of a message lies."""
        return os.path.join(self._content, name)

    def open(self, name: str, octets: int) -> Content:
        """The content of a message, to be read later.  Does not block."""
        if (held := self._held.get(name)) is not None:
            return held
        return OwedContent(octets) if name in self._owed else FileContent(self.path(name), octets)

    def write(self, name: str, head: bytes, content: Content) -> None:
        """Take a whole content, into ``tmp`` unless it can be held; after an error nothing is left."""
        if not (isinstance(content, MemoryContent) and self._holds(name, head, content)):
            write_new_file(self._disk, self._written(name), batches(head, content))

    def _holds(self, name: str, head: bytes, content: MemoryContent) -> bool:
        size = len(head) + content.size
        with self._lock:
            if size > SMALL_OCTETS or self._held_octets + size > HELD_OCTETS or name in self._unlaid:
                return False
            self._unlaid[name] = MemoryContent((b"".join([head, *content.pieces()]),))
            self._held_octets += size
        return True

    def write_durably(self, name: str, content: Content) -> None:
        """Write a content in its place, whatever was there before, so that it survives a loss of power."""
        self.discard(name)
        write_new_file(self._disk, self._written(name), batches(b"", content))
        try:
            self._sync(self._written(name))
            self.lay(name)
        except OSError:
            self.discard(name)
            raise
        self._disk.sync_directory(self._content)

    def lay(self, name: str) -> None:
        """Put a written content in its place, whatever is there."""
        with self._lock:
            if (content := self._unlaid.pop(name, None)) is not None:
                self._forget(self._held, name)
                self._held[name] = content
                self._owed.discard(name)
                return
            self._disk.rename(self._written(name), self.path(name))
            self._forget(self._held, name)
        self._owed.discard(name)

    def discard(self, name: str) -> None:
        """Remove a written content that was not laid."""
        with self._lock:
            is_held = self._forget(self._unlaid, name)
        if not is_held:
            self._unlink(self._written(name))

    def owe(self, name: str) -> None:
        """The intake log has a content that is not in its place, and is about to bring it."""
        self._owed.add(name)

    def written_octets(self, name: str) -> int | None:
        """How large is the written content; None when there is none."""
        held = self._unlaid.get(name)
        return _octets(self._written(name)) if held is None else held.size

    def octets(self, name: str) -> int | None:
        """How large is the laid content; None when there is none."""
        held = self._held.get(name)
        return _octets(self.path(name)) if held is None else held.size

    def remove(self, name: str) -> None:
        """Remove a laid content that nobody needs any more."""
        with self._lock:
            is_held = self._forget(self._held, name)
        self._owed.discard(name)
        if not is_held:
            self._unlink(self.path(name))

    def _forget(self, contents: dict[str, MemoryContent], name: str) -> bool:
        """With the lock: was it there?"""
        content = contents.pop(name, None)
        self._held_octets -= content.size if content is not None else 0
        return content is not None

    def sync(self, names: Sequence[str]) -> None:
        """Return when the laid contents are on the disk; those removed meanwhile do not matter."""
        for name in names:
            self._write_held(name)
        if len(names) > MANY:
            descriptor = self._disk.open(self._content)
            try:
                self._disk.sync_file_system(descriptor)
            finally:
                self._disk.close(descriptor)
            return
        for name in names:
            try:
                self._sync(self.path(name))
            except FileNotFoundError:
                continue
        self._disk.sync_directory(self._content)

    def _write_held(self, name: str) -> None:
        """Give it a file, unless nobody needs it any more."""
        content = self._held.get(name)
        if content is None:
            return
        self._unlink(self._written(name))
        write_new_file(self._disk, self._written(name), batches(b"", content))
        is_in_place = False
        try:
            with self._lock:
                if name in self._held:  # a file before it is held no more: who looks finds it in any case
                    self._disk.rename(self._written(name), self.path(name))
                    is_in_place = self._forget(self._held, name)
        finally:
            if not is_in_place:
                self._unlink(self._written(name))

    def _sync(self, path: str) -> None:
        descriptor = self._disk.open(path)
        try:
            self._disk.sync_data(descriptor)
        finally:
            self._disk.close(descriptor)

    def names(self) -> Sequence[str]:
        """Those of all laid contents."""
        return os.listdir(self._content)

    def clear_tmp(self) -> None:
        """At start: remove what sessions of the last process wrote, and nobody has laid."""
        for name in os.listdir(self._tmp):
            try:
                self.discard(name)
            except OSError:
                log.failure("{name} that nobody needs stays in queue/tmp", name=name)

    def _written(self, name: str) -> str:
        return os.path.join(self._tmp, name)

    def _unlink(self, path: str) -> None:
        try:
            self._disk.unlink(path)
        except FileNotFoundError:
            pass


def _octets(path: str) -> int | None:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return None
