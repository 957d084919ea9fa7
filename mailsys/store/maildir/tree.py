"""The directories of all accounts: made durably when missing, never reached through a symbolic link.

Whoever may write in a directory could put a symbolic link in place of a Maildir and so have mail
written elsewhere.  So every element below the layout's base is looked at once, without following,
and its ``new`` and ``tmp`` are remembered by inode.  After that one ``stat`` before each use tells
whether the path still leads to the same directory.
"""

from __future__ import annotations

import errno
import os
import stat

from mailsys.disk import Disk, make_durable_directories
from mailsys.message.address import Address
from mailsys.store.maildir.layout import Layout

SUBDIRECTORIES = ("tmp", "new", "cur")


class MaildirTree:
    """Gives paths that are safe to use.  For worker threads: every method may wait and raise OSError."""

    def __init__(self, layout: Layout, disk: Disk) -> None:
        self.layout = layout
        self._disk = disk
        self._known: dict[str, tuple[int, int]] = {}

    def ready(self, account: Address, folder: str, subdirectory: str) -> str:
        """Return the path of ``tmp``, ``new`` or ``cur`` of a folder, which is made when missing."""
        directory = self.layout.folder(account, folder)
        path = f"{directory}/{subdirectory}"
        try:
            if self._is_known(path):
                return path
        except FileNotFoundError:
            pass
        self._make(directory, is_root=directory == self.layout.root(account))
        self._learn(directory)
        return path

    def existing(self, account: Address, folder: str, subdirectory: str) -> str:
        """As :meth:`ready` does, yet what is missing is not made: raises FileNotFoundError."""
        os.stat(f"{self.layout.folder(account, folder)}/cur")
        return self.ready(account, folder, subdirectory)

    def seen(self, account: Address, folder: str) -> str | None:
        """The path of a folder, or None while it is missing; nothing is made and nothing remembered."""
        directory = self.layout.folder(account, folder)
        self._refuse_links(directory)
        is_there = all(os.path.isdir(f"{directory}/{subdirectory}") for subdirectory in ("new", "cur"))
        return directory if is_there else None

    def _is_known(self, path: str) -> bool:
        status = os.stat(path)
        return self._known.get(path) == (status.st_dev, status.st_ino)

    def _make(self, folder: str, *, is_root: bool) -> None:
        """Make what is missing of a folder, so that it survives a loss of power."""
        self._refuse_links(folder)
        for subdirectory in SUBDIRECTORIES:
            make_durable_directories(self._disk, f"{folder}/{subdirectory}")
        if not is_root:
            self._mark_as_folder(folder)

    def _mark_as_folder(self, folder: str) -> None:
        """Maildir++: an empty file tells delivery agents that this is a folder, not an account."""
        try:
            self._disk.close(self._disk.create(f"{folder}/maildirfolder"))
        except FileExistsError:
            pass

    def _learn(self, folder: str) -> None:
        """Look at all elements without following links, then remember the directories."""
        self._refuse_links(folder)
        for subdirectory in SUBDIRECTORIES:
            path = f"{folder}/{subdirectory}"
            status = os.lstat(path)
            if not stat.S_ISDIR(status.st_mode):
                raise _not_a_directory(path)
            self._known[path] = status.st_dev, status.st_ino

    def _refuse_links(self, folder: str) -> None:
        for path in self.layout.elements(folder):
            try:
                mode = os.lstat(path).st_mode
            except FileNotFoundError:
                return
            if not stat.S_ISDIR(mode):
                raise _not_a_directory(path)


def _not_a_directory(path: str) -> OSError:
    return OSError(errno.ENOTDIR, "This is no directory of its own (symbolic links are not followed)", path)
