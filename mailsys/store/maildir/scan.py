"""Which message files a folder holds, while other programs rename them.

A reader moves files from ``new`` to ``cur`` and changes flags at any moment.  So ``new`` is read
first (what moves meanwhile is seen twice, not missed), and a folder that changed while it was read
is read again.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple

from twisted.logger import Logger

from mailsys.store.maildir.names import base_name

# A folder under constant change is not read more often than this; a message missed then is seen at
# the next look.
ATTEMPTS = 3

log = Logger(namespace="mailsys.store")


class MessageFile(NamedTuple):
    """Where a message lies now: ``new`` or ``cur``, and its whole file name."""

    subdirectory: str
    name: str


def scan(folder: str) -> dict[str, MessageFile]:
    """All messages of a folder by base name.  From a worker thread; raises OSError."""
    found: dict[str, MessageFile] = {}
    for _attempt in range(ATTEMPTS):
        before = _change_times(folder)
        found = {}
        for subdirectory in ("new", "cur"):
            _scan_directory(folder, subdirectory, found)
        if _change_times(folder) == before:
            break
    return found


def _change_times(folder: str) -> tuple[int, int]:
    return os.stat(f"{folder}/new").st_mtime_ns, os.stat(f"{folder}/cur").st_mtime_ns


def _scan_directory(folder: str, subdirectory: str, found: dict[str, MessageFile]) -> None:
    for name in list_directory(folder, subdirectory):
        found[base_name(name)] = MessageFile(subdirectory, name)


def list_directory(folder: str, subdirectory: str) -> list[str]:
    """The names of the message files in ``new`` or ``cur``; raises OSError."""
    found = []
    with os.scandir(f"{folder}/{subdirectory}") as entries:
        for entry in entries:
            name = entry.name
            if name[0] == ".":  # the Maildir convention for what is no message
                continue
            # A line break cannot stand in a uidlist.
            if "\n" in name or not entry.is_file(follow_symlinks=False):
                log.warn("{path!r} is not a regular message file; it is left alone", path=entry.path)
                continue
            found.append(name)
    return found


def find(folder: str, base: str) -> MessageFile | None:
    """Look for one message by its base name, with any flags.  From a worker thread; raises OSError."""
    return scan(folder).get(base)


def open_regular(path: str) -> int:
    """Open for reading a file that others may have put there; raises OSError when it is not regular."""
    # O_NONBLOCK: a FIFO put in its place must not hold the thread.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "This is not a regular file", path)
    return descriptor
