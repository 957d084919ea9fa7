"""``maildirsize``: how full a mailbox is, as Courier and Dovecot keep it (Maildir++ quota).

    10485760S
    54120 12
    2048 1
    -2048 -1

The first line is the limit; octets and messages of all lines add up to the usage.  The file is a
hint and never synced.  It is counted anew when it is missing, damaged, for another limit, longer
than 5120 octets, or when a folder changed after it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import NamedTuple

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.store.maildir.folders import folder_directories
from mailsys.store.maildir.names import sizes_in
from mailsys.store.maildir.scan import open_regular, scan

NAME = "maildirsize"
FILE_OCTETS = 5120

log = Logger(namespace="mailsys.store")

_LIMIT = re.compile(rb"(?:.*,)?(\d{1,18})S(?:,.*)?")
_LINE = re.compile(rb" *(-?\d{1,18}) +(-?\d{1,18}) *")


class Usage(NamedTuple):
    """What a mailbox holds."""

    octets: int
    messages: int


@dataclass(frozen=True, slots=True)
class MaildirSize:
    """The file in the Maildir at ``root``.  For worker threads."""

    disk: Disk
    root: str
    limit: int

    def usage(self) -> Usage:
        """From the file if it can be trusted, else counted; raises OSError."""
        return self._read() or self.recount()

    def recount(self) -> Usage:
        """Count all messages in all folders, and write the file if that can be done; raises OSError."""
        # A change during the count must make the file look old: it gets the time before the count.
        changed = self._last_change()
        usage = self.count()
        try:
            self._write(usage, changed)
        except OSError as error:
            log.warn("{path!r} cannot be written: {error}", path=self._path, error=error)
        return usage

    def look(self) -> Usage:
        """As ``usage``, and nothing is written; raises OSError."""
        return self._read() or self.count()

    def count(self) -> Usage:
        """Count all messages in all folders; raises OSError."""
        counted = [self.count_folder(folder) for folder in self._folders()]
        return Usage(sum(one.octets for one in counted), sum(one.messages for one in counted))

    def count_folder(self, folder: str) -> Usage:
        """Count the messages in one folder, by its path; raises OSError."""
        files = scan(folder).values()
        return Usage(sum(_size(f"{folder}/{subdirectory}", name) for subdirectory, name in files), len(files))

    def add(self, octets: int, messages: int) -> None:
        """Note a change; when there is no file, the next look counts it.  Raises OSError."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path, flags)
        except FileNotFoundError:
            return
        try:
            os.write(descriptor, b"%d %d\n" % (octets, messages))
        finally:
            os.close(descriptor)

    @property
    def _path(self) -> str:
        return f"{self.root}/{NAME}"

    def _read(self) -> Usage | None:
        try:
            descriptor = open_regular(self._path)
        except OSError:
            return None  # missing, or a link: it is counted anew and replaced
        try:
            status = os.fstat(descriptor)
            if status.st_size > FILE_OCTETS or status.st_mtime_ns < self._last_change():
                return None
            return self._parse(os.read(descriptor, FILE_OCTETS))
        finally:
            os.close(descriptor)

    def _parse(self, data: bytes) -> Usage | None:
        limit, *lines = data.rstrip(b"\n").split(b"\n")
        found = _LIMIT.fullmatch(limit)
        if found is None or int(found.group(1)) != self.limit:
            return None
        octets = messages = 0
        for line in lines:
            change = _LINE.fullmatch(line)
            if change is None:
                return None
            octets += int(change.group(1))
            messages += int(change.group(2))
        return Usage(octets, messages) if octets >= 0 and messages >= 0 else None

    def _write(self, usage: Usage, changed: int) -> None:
        temporary = os.path.join(self.root, "tmp", NAME)
        try:
            os.unlink(temporary)
        except FileNotFoundError:
            pass
        descriptor = self.disk.create(temporary)
        try:
            self.disk.write(descriptor, [b"%dS\n%d %d\n" % (self.limit, *usage)])
        finally:
            self.disk.close(descriptor)
        os.utime(temporary, ns=(changed, changed))
        self.disk.rename(temporary, self._path)

    def _folders(self) -> list[str]:
        """The directories that are folders."""
        return [path for path in folder_directories(self.root) if os.path.isdir(f"{path}/cur")]

    def _last_change(self) -> int:
        """When a message last came, went or was renamed in any folder."""
        directories = (f"{folder}/{name}" for folder in self._folders() for name in ("new", "cur"))
        return max(os.stat(directory).st_mtime_ns for directory in directories)


def _size(directory: str, name: str) -> int:
    size, _wire_size = sizes_in(name)
    if size is not None:
        return size
    try:
        return os.lstat(f"{directory}/{name}").st_size
    except FileNotFoundError:
        return 0
