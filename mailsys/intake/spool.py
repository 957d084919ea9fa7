"""The spool: files of messages too large for memory, written while they arrive.

The session that makes a file owns it until the message is committed; from then on the log does, and
removes it when the message is settled.
"""

from __future__ import annotations

import os
from collections.abc import Container

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.message.content import Content, FileContent

FOLDER = "spool"
_log = Logger()


def spool_path(directory: str) -> str:
    """The spool's folder below intake's ``directory``."""
    return os.path.join(directory, FOLDER)


def make_durable(disk: Disk, path: str) -> None:
    """Return when a spool file and its name are on the disk; raises OSError."""
    descriptor = disk.open(path)
    try:
        disk.sync_data(descriptor)
    finally:
        disk.close(descriptor)
    disk.sync_directory(os.path.dirname(path))


def is_lost(content: Content) -> bool:
    """Is the file of a content missing, or too short?  Then no later attempt can read it."""
    if not isinstance(content, FileContent):
        return False
    try:
        return os.stat(content.path).st_size < content.start + content.size
    except FileNotFoundError:
        return True
    except OSError:
        return False  # not known; reading it will tell


def remove(disk: Disk, path: str) -> None:
    """Remove a spool file that nobody needs; a failure leaves it for the next start."""
    try:
        disk.unlink(path)
    except FileNotFoundError:
        pass
    except OSError:
        _log.failure("The spool file {path} cannot be removed", path=path)


def remove_all_but(disk: Disk, spool: str, needed: Container[str]) -> None:
    """At start: remove the files of sessions and segments that are no more; raises OSError."""
    for name in os.listdir(spool):
        path = os.path.join(spool, name)
        if path not in needed:
            remove(disk, path)
