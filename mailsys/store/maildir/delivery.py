"""Delivery into Maildirs, in the steps that intake asks for.

A copy is written whole into the account's own ``tmp``, whatever its folder, and laid by renaming it
into the folder's ``new``.  So it survives when the user deletes the folder between the two.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from zope.interface import implementer

from mailsys.disk import Disk, write_new_file
from mailsys.interfaces import Account, Identity, IRepeatableDrop, MailboxAction
from mailsys.message.address import Address
from mailsys.message.content import Content, batches
from mailsys.store.changes import ChangeFeed
from mailsys.store.maildir.file_names import NEW
from mailsys.store.maildir.folders import INBOX
from mailsys.store.maildir.indexer import Arrived, Tell, nobody
from mailsys.store.maildir.names import NameSource, sizes_in
from mailsys.store.maildir.settle import Settling, find_copy
from mailsys.store.maildir.tree import MaildirTree


@implementer(IRepeatableDrop)
class MaildirDrop:
    """Where copies are written, laid and settled.  Every change goes through ``disk``.

    ``tell`` hears of each that was laid.
    """

    def __init__(
        self, tree: MaildirTree, disk: Disk, names: NameSource, changes: ChangeFeed, tell: Tell = nobody
    ) -> None:
        self._tree = tree
        self._tell = tell
        self._disk = disk
        self._names = names
        self._changes = changes
        self._settling = Settling(tree, disk)

    def plan(
        self,
        account: Account,
        recipient: Address,
        head: bytes,
        content_size: int,
        *,
        crlf: bool = True,
    ) -> MailboxAction:
        """Choose folder and name; without ``crlf`` the wire size is left to be measured."""
        size = len(head) + content_size
        name = self._names.next(size, size if crlf else None)
        return MailboxAction(account.address, recipient, INBOX, name, head)

    def plan_again(
        self,
        account: Account,
        recipient: Address,
        head: bytes,
        content_size: int,
        identity: Identity,
        *,
        crlf: bool = True,
    ) -> MailboxAction:
        """The same name for the same identity and size."""
        size = len(head) + content_size
        name = self._names.of(identity.at, identity.digest, size, size if crlf else None)
        return MailboxAction(account.address, recipient, INBOX, name, head)

    def write(self, action: MailboxAction, content: Content) -> None:
        """Write the copy into ``tmp``; after an error nothing is left there."""
        if action.folder != INBOX:
            self._tree.ready(action.account, action.folder, "new")
        path = f"{self._tree.ready(action.account, INBOX, 'tmp')}/{action.name}"
        write_new_file(self._disk, path, batches(action.head, content))

    def lay(self, action: MailboxAction) -> None:
        """Move the copy into its folder, or into the INBOX when the folder was deleted meanwhile."""
        self._disk.rename(self._written(action), f"{self._target(action)}/{action.name}")

    def _target(self, action: MailboxAction) -> str:
        if action.folder != INBOX:
            try:
                return self._tree.existing(action.account, action.folder, "new")
            except FileNotFoundError:
                pass
        return self._tree.ready(action.account, INBOX, "new")

    def discard(self, action: MailboxAction) -> None:
        """Remove the copy from ``tmp``."""
        try:
            self._disk.unlink(self._written(action))
        except FileNotFoundError:
            pass

    def is_written(self, action: MailboxAction) -> bool:
        """Is the whole copy in ``tmp``?"""
        try:
            return os.lstat(self._written(action)).st_size == sizes_in(action.name)[0]
        except FileNotFoundError:
            return False

    def laid_octets(self, action: MailboxAction) -> int | None:
        """How large is the copy, in any folder and with any flags?"""
        found = self._laid(action)
        return found[1] if found else None

    def remove_short(self, action: MailboxAction, octets: int) -> None:
        """Remove the copy, wherever it is, if it has fewer octets."""
        found = self._laid(action)
        if found and found[1] < octets:
            try:
                self._disk.unlink(found[0])
            except FileNotFoundError:
                pass

    def _laid(self, action: MailboxAction) -> tuple[str, int] | None:
        """Where the copy is, and its octets; looked for again when another program moves it meanwhile."""
        while (path := find_copy(self._tree, action)) is not None:
            try:
                return path, os.lstat(path).st_size
            except FileNotFoundError:
                continue
        return None

    def replace(self, action: MailboxAction) -> None:
        """Move the copy from ``tmp`` over the laid one; raises FileNotFoundError when that has gone."""
        path = find_copy(self._tree, action)
        if path is None:
            raise FileNotFoundError(errno.ENOENT, "The message was deleted", action.name)
        self._disk.rename(self._written(action), path)

    def settle(self, actions: Sequence[MailboxAction]) -> Sequence[MailboxAction]:
        """Sync laid copies and their folders; return those that could not be synced.

        Those must be written anew: a second sync of the same file would tell nothing.
        """
        return self._settling.settle(actions)

    def announce(self, action: MailboxAction) -> None:
        """Tell open mailboxes, and have it indexed."""
        self._changes.publish(action.account, action.folder)
        layout = self._tree.layout
        directory = layout.folder(action.account, action.folder)
        self._tell(Arrived(layout.root(action.account), directory, NEW, action.name, ""))

    def _written(self, action: MailboxAction) -> str:
        return os.path.join(self._tree.layout.root(action.account), "tmp", action.name)
