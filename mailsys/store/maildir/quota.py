"""Quotas: how much room each mailbox has, with room set aside for what is being committed.

Usage is kept in memory and looked up again after a minute, since other programs deliver and delete
too, and when a message would not fit.  Accounts without a limit cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, DeferredLock
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

log = Logger(namespace="mailsys.store")


class _Mailbox:
    """What is known of one account's usage."""

    def __init__(self) -> None:
        self.lock = DeferredLock()  # one look or write at a time
        self.used = 0
        self.held = 0
        self.looked_at = float("-inf")
        self.recounted_at = float("-inf")
        self.unwritten = Usage(0, 0)
        self.writing = False

    def change(self, octets: int, messages: int) -> None:
        """A message came or went."""
        self.used = max(0, self.used + octets)
        self.unwritten = Usage(self.unwritten.octets + octets, self.unwritten.messages + messages)

    def take_unwritten(self) -> Usage:
        """What the file does not say yet; the caller writes it."""
        taken, self.unwritten = self.unwritten, Usage(0, 0)
        return taken


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

    def release(self, account: Account, octets: int, *, used: bool) -> None:
        """End a hold: ``used`` when the message was laid."""
        if account.quota_bytes is None:
            return
        mailbox = self._mailbox(account)
        mailbox.held = max(0, mailbox.held - octets)
        if used:
            mailbox.change(octets, 1)
            self._write_soon(account, mailbox)

    def subtract(self, account: Account, octets: int, messages: int) -> None:
        """Messages were deleted."""
        if account.quota_bytes is None:
            return
        mailbox = self._mailbox(account)
        mailbox.change(-octets, -messages)
        self._write_soon(account, mailbox)

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
        """Learn the usage; of many that wait for the same look one does it."""
        asked_at = self._seconds()
        await mailbox.lock.acquire()
        try:
            if (mailbox.recounted_at if recount else mailbox.looked_at) >= asked_at:
                return
            unwritten = mailbox.take_unwritten()
            usage = await self._workers.run(self._read, account, unwritten, recount)
            # What came during the look may be counted twice until the next one: rather too full.
            mailbox.used = usage.octets + max(0, mailbox.unwritten.octets)
            mailbox.looked_at = self._seconds()
            if recount:
                mailbox.recounted_at = mailbox.looked_at
        finally:
            mailbox.lock.release()

    def _write_soon(self, account: Account, mailbox: _Mailbox) -> None:
        if not mailbox.writing:
            mailbox.writing = True
            Deferred.fromCoroutine(self._write(account, mailbox)).addErrback(self._failed, mailbox)

    async def _write(self, account: Account, mailbox: _Mailbox) -> None:
        """Note changes in the file; what comes meanwhile goes together into the next line."""
        while mailbox.unwritten != (0, 0):
            await mailbox.lock.acquire()
            try:
                await self._workers.run(self._add, account, mailbox.take_unwritten())
            finally:
                mailbox.lock.release()
        mailbox.writing = False

    def _failed(self, failure: object, mailbox: _Mailbox) -> None:
        """The file is now older than its folder, so the next look counts anew."""
        mailbox.writing = False
        mailbox.looked_at = float("-inf")
        log.warn("Could not note a mailbox's usage: {failure}", failure=failure)

    def _read(self, account: Account, unwritten: Usage, recount: bool) -> Usage:
        file = self._file(account)
        if recount:
            return file.recount()
        self._add(account, unwritten)
        return file.usage()

    def _add(self, account: Account, change: Usage) -> None:
        if change != (0, 0):
            self._file(account).add(*change)

    def _file(self, account: Account) -> MaildirSize:
        self._tree.ready(account.address, INBOX, "tmp")
        return MaildirSize(self._disk, self._tree.layout.root(account.address), account.quota_bytes or 0)
