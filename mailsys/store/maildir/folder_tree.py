"""An account's folders as directories: made, renamed and deleted so that a crash leaves no half of one.

A folder that is deleted is first moved away as a whole, into ``tmp``, where no program looks for folders.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Mapping

from twisted.logger import Logger

from mailsys.disk import Disk, make_durable_directories
from mailsys.message.address import Address
from mailsys.store.maildir.file_names import TMP
from mailsys.store.maildir.folders import INBOX, folder_name, found_directory
from mailsys.store.maildir.special_use import SpecialUse
from mailsys.store.maildir.subscriptions import Subscriptions
from mailsys.store.maildir.tree import SUBDIRECTORIES, MaildirTree

DELETED = "mailsys-deleted-"

log = Logger(namespace="mailsys.store")


class FolderTree:
    """The folders of one account.  For worker threads, one at a time; every method may raise OSError.

    Names have INBOX in capitals and were checked.
    """

    def __init__(self, tree: MaildirTree, disk: Disk, account: Address) -> None:
        self._tree = tree
        self._disk = disk
        self._account = account
        self.root = tree.layout.root(account)
        self.subscriptions = Subscriptions(disk, self.root)
        self.special_use = SpecialUse(disk, self.root)

    def ready(self) -> None:
        """Make the INBOX when it is missing."""
        self._tree.ready(self._account, INBOX, "new")

    def names(self) -> dict[str, str]:
        """Each folder that is there, with its directory; the INBOX's is empty."""
        found = {INBOX: ""}
        with os.scandir(self.root) as entries:
            for entry in entries:
                if not entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
                    continue
                name = folder_name(entry.name)
                if name is None or not os.path.isdir(f"{entry.path}/cur"):
                    continue
                found[name] = entry.name
        return found

    def has(self, name: str) -> bool:
        """Is it there?"""
        path = self.path(name)
        return name == INBOX or (_is_directory(path) and _is_directory(f"{path}/cur"))

    def prepare(self, name: str) -> None:
        """Make what is missing in a folder; raises OSError where anything of it is a symbolic link."""
        self.ready()
        path = self.path(name)
        for place in (path, *(f"{path}/{subdirectory}" for subdirectory in SUBDIRECTORIES)):
            make_durable_directories(self._disk, place)
            if not _is_directory(place):
                raise OSError(errno.ENOTDIR, "This is no directory of its own", place)

    def path(self, name: str) -> str:
        """The directory of a folder."""
        return os.path.join(self.root, found_directory(name)).rstrip("/")

    def make(self, name: str) -> None:
        """Make a folder that survives a loss of power; one that is there stays as it is."""
        self._tree.ready(self._account, name, "new")

    def rename(self, moving: Mapping[str, str]) -> None:
        """Give each folder its new name; when one fails, those before it are put back."""
        done: list[tuple[str, str]] = []
        try:
            for old, new in moving.items():
                self._disk.rename(self.path(old), self.path(new))
                done.append((old, new))
        except OSError:
            for old, new in reversed(done):
                self._disk.rename(self.path(new), self.path(old))
            raise
        self._disk.sync_directory(self.root)
        uses = self.special_use.uses()
        changes = {found_directory(new): uses.get(found_directory(old), "") for old, new in moving.items()}
        self.special_use.change({**dict.fromkeys(map(found_directory, moving), ""), **changes})

    def delete(self, name: str) -> None:
        """Take a folder out of sight, durably, then remove it; what cannot be removed goes another time."""
        self._sweep()
        self.special_use.change({found_directory(name): ""})
        away = f"{self.root}/{TMP}/{DELETED}{os.urandom(8).hex()}"
        self._disk.rename(self.path(name), away)
        self._disk.sync_directory(self.root)
        shutil.rmtree(away, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what an earlier deletion left."""
        with os.scandir(f"{self.root}/{TMP}") as entries:
            left = [entry.path for entry in entries if entry.name.startswith(DELETED)]
        for path in left:
            shutil.rmtree(path, ignore_errors=True)


def _is_directory(path: str) -> bool:
    """Links are not followed."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False
