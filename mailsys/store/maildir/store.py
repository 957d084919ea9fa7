"""The Maildir store: opens folders, one POP3 session at a time."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import implementer

from mailsys.disk import Disk
from mailsys.interfaces import Account, IMailbox, IMailStore, IWorkers, MailboxInUse
from mailsys.message.address import Address
from mailsys.store.maildir.delivery import MaildirDrop
from mailsys.store.maildir.folders import INBOX, FolderNameError
from mailsys.store.maildir.leftovers import Leftovers
from mailsys.store.maildir.look import FolderLook, Look
from mailsys.store.maildir.mailbox import MaildirMailbox
from mailsys.store.maildir.quota import MaildirQuota
from mailsys.store.maildir.tree import MaildirTree

Key = tuple[Address, str]


@implementer(IMailStore)
class MaildirStore:
    """All mailboxes.  ``now`` gives seconds since 1970, ``random_octets`` makes folder GUIDs."""

    def __init__(
        self,
        tree: MaildirTree,
        disk: Disk,
        workers: IWorkers,
        drop: MaildirDrop,
        quota: MaildirQuota,
        now: Callable[[], float],
        random_octets: Callable[[int], bytes],
    ) -> None:
        self._tree = tree
        self._disk = disk
        self._workers = workers
        self.drop = drop
        self.quota = quota
        self._now = now
        self._random_octets = random_octets
        self._leftovers = Leftovers(disk, now)
        self._held: set[Key] = set()

    async def open(self, account: Account, folder: str, *, exclusive: bool) -> IMailbox:
        """Open for reading; raises MailboxInUse, OSError (FileNotFoundError when there is no such folder)."""
        key = account.address, INBOX if folder.upper() == INBOX else folder
        if exclusive:
            self._hold(key)
        try:
            path, look = await self._workers.run(self._look, *key)
        except BaseException:
            if exclusive:
                self._held.remove(key)
            raise

        def closed() -> None:
            if exclusive:
                self._held.remove(key)

        def removed(octets: int, messages: int) -> None:
            self.quota.subtract(account, octets, messages)

        return MaildirMailbox(path, look, self._workers, closed, removed)

    def _hold(self, key: Key) -> None:
        if key in self._held:
            raise MailboxInUse
        self._held.add(key)

    def _look(self, account: Address, folder: str) -> tuple[str, Look]:
        """Look into the folder.  An account's INBOX is made when it is missing, other folders are not."""
        root = self._tree.layout.root(account)
        try:
            path = self._tree.layout.folder(account, folder)
        except FolderNameError as error:
            raise FileNotFoundError(str(error)) from error
        self._tree.ready(account, INBOX, "new")
        self._tree.existing(account, folder, "new")
        self._leftovers.clear(self._tree.existing(account, folder, "tmp"))
        look = FolderLook(self._disk, root, path, self._now, self._random_octets)
        return path, look.take()
