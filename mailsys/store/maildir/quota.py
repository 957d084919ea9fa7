"""Quotas: how much room each mailbox has, with room set aside for what is being committed.

Usage is kept in memory and looked up again after a minute, since other programs deliver and delete
too, and when a message would not fit.  Accounts without a limit cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.disk import Disk
from mailsys.interfaces import Account, IQuota, IWorkers
from mailsys.message.address import Address
from mailsys.store.maildir.folders import INBOX
from mailsys.store.maildir.maildirsize import MaildirSize, Usage
from mailsys.store.maildir.tree import MaildirTree

TRUSTED_SECONDS = 60.0
# A full mailbox is counted anew not more often than this, however many messages come for it.
RECOUNT_SECONDS = 5.0

NOTHING = Usage(0, 0)

log = Logger(namespace="mailsys.store")


class _Mailbox:
    """What is known of one account's usage, and what waits to be done with its file."""

    def __init__(self) -> None:
        self.used = 0
        self.held = 0
        self.looked_at = float("-inf")
        self.recounted_at = float("-inf")
        self.unwritten = NOTHING
        self.waiting: list[Deferred[None]] = []  # for a look
        self.recount = False  # someone who waits wants more than the file's word
        self.busy = False

    @property
    def is_moving(self) -> bool:
        """Are copies on their way, which a count of the files may see or not?"""
        return self.held > 0 or self.unwritten != NOTHING

    def change(self, octets: int, messages: int) -> None:
        """A message came or went."""
        self.used = max(0, self.used + octets)
        self.unwritten = Usage(self.unwritten.octets + octets, self.unwritten.messages + messages)

    def learn(self, usage: Usage, now: float, *, recounted: bool) -> None:
        """A look is done.  What came during it may count twice until the next one: rather too full.

        ``recounted`` says that nothing was on its way meanwhile, so that counting again is no use.
        """
        self.used = usage.octets + max(0, self.unwritten.octets)
        self.looked_at = now
        if recounted:
            self.recounted_at = now


@implementer(IQuota)
class MaildirQuota:
    """Room in Maildirs.  ``seconds`` is a monotonic clock.  In the reactor's thread."""

    def __init__(
        self, tree: MaildirTree, disk: Disk, workers: IWorkers, seconds: Callable[[], float]
    ) -> None:
        self._tree = tree
        self._disk = disk
        self._workers = workers
        self._seconds = seconds
        self._mailboxes: dict[Address, _Mailbox] = {}

    async def has_room(self, account: Account, octets: int) -> bool:
        """Would a message of this size fit at this moment?  Raises OSError."""
        if account.quota_bytes is None:
            return True
        return await self._with_room(account, account.quota_bytes, octets) is not None

    async def hold(self, account: Account, octets: int) -> bool:
        """Set room aside; the usage never exceeds the limit by what was held.  Raises OSError."""
        if account.quota_bytes is None:
            return True
        mailbox = await self._with_room(account, account.quota_bytes, octets)
        if mailbox is None:
            return False
        mailbox.held += octets
        return True

    def release(self, account: Account, octets: int, *, used: int) -> None:
        """End a hold of ``octets``; ``used`` is the size of the copy that was laid, 0 for none."""
        if account.quota_bytes is None:
            return
        mailbox = self._mailbox(account)
        mailbox.held = max(0, mailbox.held - octets)
        if used:
            mailbox.change(used, 1)
            self._attend(account, mailbox)

    def subtract(self, account: Account, octets: int, messages: int) -> None:
        """Messages were deleted."""
        if account.quota_bytes is None:
            return
        mailbox = self._mailbox(account)
        mailbox.change(-octets, -messages)
        self._attend(account, mailbox)

    def add(self, account: Account, octets: int, messages: int) -> None:
        """Messages came by another way than a hold's."""
        self.subtract(account, -octets, -messages)

    def _mailbox(self, account: Account) -> _Mailbox:
        return self._mailboxes.setdefault(account.address, _Mailbox())

    async def _with_room(self, account: Account, limit: int, octets: int) -> _Mailbox | None:
        """The mailbox when the message fits; what is returned was true at this very moment."""
        mailbox = self._mailbox(account)
        if octets > limit:
            return None
        if self._seconds() - mailbox.looked_at >= TRUSTED_SECONDS:
            await self._look(account, mailbox, recount=False)
        if mailbox.used + mailbox.held + octets <= limit:
            return mailbox
        if self._seconds() - mailbox.recounted_at >= RECOUNT_SECONDS:
            await self._look(account, mailbox, recount=True)
        return mailbox if mailbox.used + mailbox.held + octets <= limit else None

    async def _look(self, account: Account, mailbox: _Mailbox, *, recount: bool) -> None:
        """Learn the usage, together with all who ask for it while another look is under way."""
        looked: Deferred[None] = Deferred()
        mailbox.waiting.append(looked)
        mailbox.recount |= recount
        self._attend(account, mailbox)
        await looked

    def _attend(self, account: Account, mailbox: _Mailbox) -> None:
        """Do what waits to be done with the mailbox's file, one thing at a time."""
        if not mailbox.busy:
            mailbox.busy = True
            Deferred.fromCoroutine(self._work(account, mailbox))

    async def _work(self, account: Account, mailbox: _Mailbox) -> None:
        while mailbox.waiting or mailbox.unwritten != NOTHING:
            waiting, mailbox.waiting = mailbox.waiting, []
            recount, mailbox.recount = mailbox.recount, False
            change, mailbox.unwritten = mailbox.unwritten, NOTHING
            moving = mailbox.is_moving
            try:
                usage = await self._workers.run(self._touch, account, change, bool(waiting), recount)
            except Exception as error:
                self._failed(mailbox, waiting, error)
                continue
            if usage is not None:
                moving = moving or mailbox.is_moving
                mailbox.learn(usage, self._seconds(), recounted=recount and not moving)
            for looked in waiting:
                looked.callback(None)
        mailbox.busy = False

    def _failed(self, mailbox: _Mailbox, waiting: Sequence[Deferred[None]], error: Exception) -> None:
        """Who waits hears it.  The file is now older than its folder, so the next look counts anew."""
        mailbox.looked_at = float("-inf")
        log.error("A mailbox's usage is not known: {error}", error=error)
        for looked in waiting:
            looked.errback(error)

    def _touch(self, account: Account, change: Usage, look: bool, recount: bool) -> Usage | None:
        """In a worker thread: note a change in the file, then read it if someone wants to know."""
        self._tree.ready(account.address, INBOX, "tmp")
        root = self._tree.layout.root(account.address)
        file = MaildirSize(self._disk, root, account.quota_bytes or 0)
        if change != NOTHING:
            file.add(*change)
        if recount:
            return file.recount()
        return file.usage() if look else None
