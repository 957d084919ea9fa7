"""Disks that go wrong, each at a step that the test chooses: process killed, power lost, errors.

A step is one operation that changes something or makes it durable.  A write is two steps: before it,
and when half of it is written.
"""

import errno
import os
import shutil
from dataclasses import dataclass

from mailsys.disk import Disk

KILLED = 86
NEEDS_DESCRIPTOR = frozenset({"create", "open", "open_append"})
NEEDS_SPACE = NEEDS_DESCRIPTOR - {"open"} | {"write", "make_directory", "rename", "link"}


class Stopped(BaseException):
    """The process is no more; a BaseException, so that nothing in the program catches it."""


class SteppedDisk(Disk):
    """Counts steps, and calls ``at_step`` before each.  Syncs nothing: the page cache is the disk here."""

    failing = ()  # steps at which an error is to come, where a disk has such

    def __init__(self):
        super().__init__()
        self.steps = []  # the names of the operations so far

    def at_step(self, number, operation):
        """Overridden: raise or end the process when it is time."""

    def step(self, operation):
        self.steps.append(operation)
        try:
            self.at_step(len(self.steps) - 1, operation)
        except OSError:
            self.failed_syncs += operation.startswith("sync")
            raise

    def create(self, path):
        self.step("create")
        return super().create(path)

    def open(self, path):
        self.step("open")
        return super().open(path)

    def open_append(self, path):
        self.step("open_append")
        return super().open_append(path)

    def write(self, descriptor, pieces):
        self.step("write")
        octets = b"".join(pieces)
        super().write(descriptor, [octets[: len(octets) // 2]])
        self.step("write")
        super().write(descriptor, [octets[len(octets) // 2 :]])

    def truncate(self, descriptor, size):
        self.step("truncate")
        super().truncate(descriptor, size)

    def sync_data(self, descriptor):
        self.step("sync_data")

    def sync(self, descriptor):
        self.step("sync")

    def sync_file_system(self, descriptor):
        self.step("sync_file_system")

    def close(self, descriptor):
        super().close(descriptor)
        self.step("close")

    def rename(self, source, target):
        self.step("rename")
        super().rename(source, target)

    def link(self, source, target):
        self.step("link")
        super().link(source, target)

    def unlink(self, path):
        self.step("unlink")
        super().unlink(path)

    def make_directory(self, path):
        self.step("make_directory")
        super().make_directory(path)


class ExitingDisk(SteppedDisk):
    """Ends the whole process at step ``last``, as ``kill -9`` does."""

    def __init__(self, last):
        super().__init__()
        self._last = last

    def at_step(self, number, operation):
        if number == self._last:
            os._exit(KILLED)


class StoppingDisk(SteppedDisk):
    """The same without the end of the test: from step ``last`` on nothing reaches the disk any more."""

    def __init__(self, last):
        super().__init__()
        self._last = last

    def at_step(self, number, operation):
        if number >= self._last:
            raise Stopped


class FailingDisk(SteppedDisk):
    """Answers with an error at the steps in ``failing``, where the operation can meet that error."""

    def __init__(self, failing, number=errno.EIO, operations=None):
        super().__init__()
        self.failing = failing
        self._errno = number
        self._operations = operations

    def at_step(self, number, operation):
        if number in self.failing and (self._operations is None or operation in self._operations):
            raise OSError(self._errno, os.strerror(self._errno))


@dataclass(eq=False)
class _File:
    """What is on the disk of a file, whatever its names are."""

    path: str
    synced: bytes = b""
    is_lost: bool = False  # a sync failed once: what was to be written then never will be


class VolatileDisk(SteppedDisk):
    """Knows what a loss of power would leave: synced data under synced names, and nothing else.

    ``last`` is the step at which power is lost; a sync fails at the steps in ``failing``, and takes with
    it for ever what it should have written.  The real files below ``root`` are the page cache;
    :meth:`lose_power` makes of them what is found after the next start.
    """

    def __init__(self, root, last=None, failing=()):
        super().__init__()
        self._root = str(root)
        self.last = last
        self._failing = failing
        self._files = {}  # path: _File, as programs see them now
        self._entries = {}  # directory: {name: _File or None for a directory}, as they are on the disk
        self._open = {}
        for directory, folders, files in os.walk(self._root):
            entries = dict.fromkeys(folders)
            for name in files:
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    entries[name] = self._files[path] = _File(path, file.read())
            self._entries[directory] = entries

    def at_step(self, number, operation):
        if self.last is not None and number >= self.last:
            raise Stopped
        if number in self._failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def create(self, path):
        descriptor = super().create(path)
        self._files[path] = _File(path)
        return self._opened(descriptor, path)

    def open(self, path):
        return self._opened(super().open(path), path)

    def open_append(self, path):
        descriptor = super().open_append(path)
        self._files.setdefault(path, _File(path))
        return self._opened(descriptor, path)

    def _opened(self, descriptor, path):
        self._open[descriptor] = path if os.path.isdir(path) else self._files[path]
        return descriptor

    def close(self, descriptor):
        self._open.pop(descriptor)
        super().close(descriptor)

    def rename(self, source, target):
        super().rename(source, target)
        file = self._files[target] = self._files.pop(source)
        file.path = target

    def link(self, source, target):
        super().link(source, target)
        self._files[target] = self._files[source]

    def unlink(self, path):
        super().unlink(path)
        file = self._files.pop(path)
        if file.path == path:  # another name may be left
            file.path = next((name for name, other in self._files.items() if other is file), path)

    def sync_data(self, descriptor):
        self._sync(descriptor, super().sync_data)

    def sync(self, descriptor):
        self._sync(descriptor, super().sync)

    def _sync(self, descriptor, step):
        target = self._open[descriptor]
        try:
            step(descriptor)
        except OSError:
            if isinstance(target, _File):
                target.is_lost = True
            raise
        if isinstance(target, _File):
            self._sync_file(target)
        else:
            self._sync_entries(target)

    def sync_file_system(self, descriptor):
        try:
            super().sync_file_system(descriptor)
        except OSError:
            for file in self._files.values():
                file.is_lost = True
            raise
        for file in self._files.values():
            self._sync_file(file)
        for directory, _, _ in os.walk(self._root):
            self._sync_entries(directory)

    def _sync_file(self, file):
        if not file.is_lost:
            with open(file.path, "rb") as opened:
                file.synced = opened.read()

    def _sync_entries(self, directory):
        paths = ((name, os.path.join(directory, name)) for name in os.listdir(directory))
        # What was not made through this disk (a cache) is not there after a loss of power.
        self._entries[directory] = {
            name: self._files.get(path) for name, path in paths if path in self._files or os.path.isdir(path)
        }

    # ------------------------------------------------------------------ what is found afterwards

    def lose_power(self, remains):
        """Rewrite the real tree; ``remains`` is one of the functions below, or None for what is sure."""
        directories, files = self._sure() if remains is None else self._seen(remains)
        for descriptor in self._open:
            os.close(descriptor)
        shutil.rmtree(self._root)
        for directory in [self._root, *directories]:
            os.mkdir(directory)
        for path, octets in files.items():
            with open(path, "wb") as file:
                file.write(octets)

    def _sure(self):
        """Only what was synced, under names that were synced."""
        directories, files, waiting = [], {}, [self._root]
        while waiting:
            directory = waiting.pop()
            for name, file in self._entries.get(directory, {}).items():
                path = os.path.join(directory, name)
                if file is None:
                    directories.append(path)
                    waiting.append(path)
                else:
                    files[path] = file.synced
        return directories, files

    def _seen(self, remains):
        """All names as they were last, since a disk may write them whenever it likes."""
        directories = [found for found, _, _ in os.walk(self._root)][1:]
        files = {}
        for path, file in self._files.items():
            with open(path, "rb") as opened:
                files[path] = remains(path, file.synced, opened.read())
        return directories, files


def no_unsynced_data(path, synced, written):
    """Names without their data: files are empty or short."""
    return synced


def half_of_the_data(path, synced, written):
    """Part of what was appended; in the log the rest is zeros up to the length, elsewhere it is missing."""
    if len(written) <= len(synced):
        return written
    kept = written[: len(synced) + (len(written) - len(synced)) // 2]
    return kept.ljust(len(written), b"\0") if path.endswith(".log") else kept


def zeros_for_data(path, synced, written):
    """All sizes are right, yet what was not synced is zeros."""
    return synced.ljust(len(written), b"\0")


def all_of_the_data(path, synced, written):
    """Everything but the processes: another boot finds the copies and the marks."""
    return written
