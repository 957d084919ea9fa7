"""The quota as a dry run sees it: it looks, and leaves the disk as it was."""

from __future__ import annotations

from zope.interface import implementer

from mailsys.disk import Disk
from mailsys.interfaces import Account, IQuota
from mailsys.store.maildir.folders import INBOX
from mailsys.store.maildir.maildirsize import MaildirSize
from mailsys.store.maildir.tree import MaildirTree


@implementer(IQuota)
class QuotaLook:
    """Nothing is made and nothing written, since root may ask where another user serves.

    Waits for the disk in the caller's thread.
    """

    def __init__(self, tree: MaildirTree, disk: Disk) -> None:
        self._tree = tree
        self._disk = disk

    async def has_room(self, account: Account, octets: int) -> bool:
        """Would a message of this size fit at this moment?  Raises OSError."""
        used = self.used(account)
        return used is None or account.quota_bytes is None or used + octets <= account.quota_bytes

    async def hold(self, account: Account, octets: int) -> bool:
        """Only look: what follows a hold does not happen in a dry run."""
        return await self.has_room(account, octets)

    def release(self, account: Account, octets: int, *, used: int) -> None:
        """There is nothing to end."""

    def used(self, account: Account) -> int | None:
        """Octets, or None without a quota; a Maildir that is still missing is empty.  Raises OSError."""
        limit = account.quota_bytes
        if limit is None:
            return None
        root = self._tree.seen(account.address, INBOX)
        return MaildirSize(self._disk, root, limit).look().octets if root else 0
