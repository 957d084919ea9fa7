"""The contents of queued messages: a file each in ``queue/content``, by the message's id."""

from __future__ import annotations

import os
from collections.abc import Sequence

from twisted.logger import Logger

from mailsys.disk import Disk, make_durable_directories, write_new_file
from mailsys.message.content import Content, FileContent, batches

MANY = 64  # from here one sync of the file system is cheaper than one of each file

log = Logger(namespace="mailsys.queue")


class Contents:
    """Owns ``directory`` and what is below.  Every method blocks and raises OSError."""

    def __init__(self, disk: Disk, directory: str) -> None:
        self._disk = disk
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

    def open(self, name: str, octets: int) -> FileContent:
        """The content of a message, to be read later."""
        return FileContent(self.path(name), octets)

    def write(self, name: str, head: bytes, content: Content) -> None:
        """Write a whole content into ``tmp``; after an error nothing is left there."""
        path = self._written(name)
        write_new_file(self._disk, path, batches(head, content))

    def write_durably(self, name: str, content: Content) -> None:
        """Write a content in its place, whatever was there before, so that it survives a loss of power."""
        self.discard(name)
        self.write(name, b"", content)
        try:
            self._sync(self._written(name))
            self.lay(name)
        except OSError:
            self.discard(name)
            raise
        self._disk.sync_directory(self._content)

    def lay(self, name: str) -> None:
        """Move a written content to its place."""
        self._disk.rename(self._written(name), self.path(name))

    def discard(self, name: str) -> None:
        """Remove a written content that was not laid."""
        self._unlink(self._written(name))

    def written_octets(self, name: str) -> int | None:
        """How large is the written content; None when there is none."""
        return _octets(self._written(name))

    def octets(self, name: str) -> int | None:
        """How large is the laid content; None when there is none."""
        return _octets(self.path(name))

    def remove(self, name: str) -> None:
        """Remove a laid content that nobody needs any more."""
        self._unlink(self.path(name))

    def sync(self, names: Sequence[str]) -> None:
        """Return when the laid contents are on the disk; those removed meanwhile do not matter."""
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
