"""What an account may send to other hosts in a day: more is held, and much more is not taken.

Somebody who has stolen a password sends thousands in an hour.  A user who writes to very many for once
loses nothing: the mail waits, and whoever runs the host lets it go.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import ISendingLimits, IWorkers
from mailsys.message.address import Address
from mailsys.submit.counts import Allowance, Counted, add, copies_within_a_day, held_accounts
from mailsys.submit.file import SubmissionFile

NO_LIMIT = 1_000_000_000

T = TypeVar("T")
Tell = Callable[[Address, str], Awaitable[None]]  # an account, that its mail is held, and why
log = Logger(namespace="mailsys.submit")


@implementer(ISendingLimits)
class SendingLimits:
    """``allowance`` may be changed at any time; ``tell`` is set before anybody sends."""

    def __init__(self, file: SubmissionFile, workers: IWorkers, now: Callable[[], float]) -> None:
        self.allowance = Allowance(0, 0, 0)
        self.tell: Tell | None = None
        self._file = file
        self._workers = workers
        self._now = now

    async def left(self, account: Address) -> int:
        """How many copies it may still hand in today; raises OSError."""
        most, now = self.allowance.most, self._now()
        if not most:
            return NO_LIMIT
        if not self._file.exists():
            return most
        return max(0, most - await self._run(lambda opened: copies_within_a_day(opened, str(account), now)))

    async def count(self, account: Address, recipients: Sequence[Address]) -> str:
        """Count a message for these; return why it is to be held, or nothing; raises OSError."""
        names, now = [str(one.folded()) for one in recipients], self._now()
        allowance = self.allowance
        counted: Counted = await self._run(lambda opened: add(opened, str(account), names, allowance, now))
        if counted.is_first:
            log.warn(
                "{account} sent {over}: what it sends to other hosts is held; 'mailsys queue list {account}'"
                " shows it, and 'mailsys queue release {account}' lets it go",
                account=account,
                over=counted.over,
            )
            Deferred.fromCoroutine(self._tell(account, counted.over))
        return f"{account} sent {counted.over}" if counted.over else ""

    async def held_accounts(self) -> list[str]:
        """Whose mail was held within a day; raises OSError."""
        now = self._now()
        return await self._run(lambda opened: held_accounts(opened, now)) if self._file.exists() else []

    async def _tell(self, account: Address, over: str) -> None:
        try:
            if self.tell is not None:
                await self.tell(account, over)
        except Exception:  # the mail is held and the log says so; a notice less hurts nobody
            log.failure("{account} could not be told that its mail is held", account=account)

    async def _run(self, change: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._workers.run(self._file.run, change)
        except sqlite3.Error as error:
            raise OSError(f"submission.sqlite3 cannot be used: {error}") from error
