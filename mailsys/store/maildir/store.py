"""The Maildir store: opens folders, for one POP3 session at a time and for any number with IMAP."""

from __future__ import annotations

from zope.interface import implementer

from mailsys.interfaces import Account, IFolders, IFolderStore, IMailbox, MailboxInUse
from mailsys.message.address import Address
from mailsys.store.changes import ChangeFeed
from mailsys.store.maildir.account_folders import MaildirFolders
from mailsys.store.maildir.delivery import MaildirDrop
from mailsys.store.maildir.folders import INBOX, FolderNameError
from mailsys.store.maildir.leftovers import Leftovers
from mailsys.store.maildir.look import FolderLook, Look
from mailsys.store.maildir.mailbox import MaildirMailbox
from mailsys.store.maildir.names import NameSource
from mailsys.store.maildir.open_folders import Kept, Means
from mailsys.store.maildir.quota import MaildirQuota
from mailsys.store.maildir.tree import MaildirTree

Key = tuple[Address, str]


@implementer(IFolderStore)
class MaildirStore:
    """All mailboxes; ``names`` are for copies and what is appended."""

    def __init__(
        self,
        tree: MaildirTree,
        means: Means,
        drop: MaildirDrop,
        quota: MaildirQuota,
        names: NameSource,
        changes: ChangeFeed,
    ) -> None:
        self._tree = tree
        self._means = means
        self._workers = means.workers
        self.drop = drop
        self.quota = quota
        self._names = names
        self._changes = changes
        self._leftovers = Leftovers(means.disk, means.now)
        self._held: set[Key] = set()
        self._folders: dict[Address, MaildirFolders] = {}
        self._kept = Kept()

    def folders(self, account: Account) -> IFolders:
        """The folders of an account; a quota that has changed counts from now on."""
        found = self._folders.get(account.address)
        if found is None:
            found = self._folders[account.address] = MaildirFolders(
                account, self._means, self._tree, self._names, self.quota, self._kept
            )
            self._changes.follow(account.address, found.delivered)
        found.account = account
        return found

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
            if account.address in self._folders:
                self._folders[account.address].expunged(folder)

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
        look = FolderLook(self._means.disk, root, path, self._means.now, self._means.random_octets)
        return path, look.take()
