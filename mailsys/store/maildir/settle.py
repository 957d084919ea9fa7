"""Settling: after it, laid copies survive a loss of power without the intake log."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from twisted.logger import Logger

from mailsys.disk import Disk
from mailsys.interfaces import MailboxAction
from mailsys.message.address import Address
from mailsys.store.maildir.folders import folder_directories
from mailsys.store.maildir.scan import find
from mailsys.store.maildir.tree import MaildirTree

# From here one sync of the file system is cheaper than one of each file.
MANY = 64

log = Logger(namespace="mailsys.store")


def find_copy(tree: MaildirTree, action: MailboxAction) -> str | None:
    """Where a laid copy is: in any folder of the account, with any flags.  Raises OSError."""
    expected = f"{tree.layout.folder(action.account, action.folder)}/new/{action.name}"
    if os.path.lexists(expected):
        return expected
    try:
        folders = folder_directories(tree.layout.root(action.account))
    except FileNotFoundError:
        return None
    for folder in folders:
        try:
            found = find(folder, action.name)
        except FileNotFoundError:
            continue  # deleted meanwhile, or no folder at all
        if found is not None:
            return f"{folder}/{found.subdirectory}/{found.name}"
    return None


class Settling:
    """Syncs copies one by one, or whole file systems when there are many.  For one thread at a time."""

    def __init__(self, tree: MaildirTree, disk: Disk) -> None:
        self._tree = tree
        self._disk = disk
        self._rooted: set[str] = set()  # directories whose parents were synced

    def settle(self, actions: Sequence[MailboxAction]) -> list[MailboxAction]:
        """Return the actions that could not be synced."""
        if len(actions) > MANY:
            return self._settle_many(actions)
        return self._settle_each(actions)

    def _settle_many(self, actions: Sequence[MailboxAction]) -> list[MailboxAction]:
        """Sync each file system once, whatever became of the copies meanwhile."""
        on_device: dict[int, set[Address]] = {}
        failed: set[Address] = set()
        for account in {action.account for action in actions}:
            try:
                device = os.stat(self._tree.layout.root(account)).st_dev
                on_device.setdefault(device, set()).add(account)
            except FileNotFoundError:
                pass  # the whole mailbox was deleted
            except OSError as error:
                log.error("Could not sync the mail of {account}: {error}", account=account, error=error)
                failed.add(account)
        for accounts in on_device.values():
            path = self._tree.layout.root(next(iter(accounts)))
            if not _succeeds(self._sync_file_system, path):
                failed |= accounts
        return [action for action in actions if action.account in failed]

    def _settle_each(self, actions: Sequence[MailboxAction]) -> list[MailboxAction]:
        in_directory: dict[str, list[MailboxAction]] = {}
        failed: list[MailboxAction] = []
        for action in actions:
            try:
                path = self._sync_copy(action)
            except OSError as error:
                log.error("Could not sync {name!r}: {error}", name=action.name, error=error)
                failed.append(action)
            else:
                if path is not None:
                    in_directory.setdefault(os.path.dirname(path), []).append(action)
        for directory, there in in_directory.items():
            if not _succeeds(self._sync_directory, directory):
                failed += there
        return failed

    def _sync_copy(self, action: MailboxAction) -> str | None:
        """Sync the file wherever another program has moved it, and return its path; None when deleted."""
        while (path := find_copy(self._tree, action)) is not None:
            try:
                self._sync_file(path)
            except FileNotFoundError:
                continue  # moved since
            return path
        return None

    def _sync_file(self, path: str) -> None:
        descriptor = self._disk.open(path)
        try:
            self._disk.sync(descriptor)
        finally:
            self._disk.close(descriptor)

    def _sync_directory(self, path: str) -> None:
        """Sync the entries; the first time also those of all parents, whoever made them."""
        try:
            if path not in self._rooted:
                self._sync_parents(os.path.dirname(path))
            self._disk.sync_directory(path)
        except FileNotFoundError:
            return  # deleted, and the copies with it
        self._rooted.add(path)

    def _sync_parents(self, folder: str) -> None:
        layout = self._tree.layout
        for directory in (os.path.dirname(layout.base), layout.base, *layout.elements(folder)):
            try:
                self._disk.sync_directory(directory)
            except PermissionError:
                pass  # the administrator's, as /home is: nothing in it was made by us

    def _sync_file_system(self, path: str) -> None:
        descriptor = self._disk.open(path)
        try:
            self._disk.sync_file_system(descriptor)
        finally:
            self._disk.close(descriptor)


def _succeeds(sync: Callable[[str], None], path: str) -> bool:
    try:
        sync(path)
    except OSError as error:
        log.error("Could not sync {path!r}: {error}", path=path, error=error)
        return False
    return True
