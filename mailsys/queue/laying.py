"""Lays what waited into mailboxes of this host: once, though the process may end at any step.

Between the commit in the intake and the note of it in the queue lies a moment.  After a process that ended
there, the queue tries again; so each attempt gives the same names to what it is about to lay, and looks first
what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mailsys.interfaces import (
    Acceptance,
    Account,
    Action,
    IDelivery,
    Identity,
    IDrop,
    IIntake,
    IMailDrop,
    IQuota,
    IRepeatableDrop,
    IRouter,
    IWorkers,
    MailboxAction,
    NotStored,
    QueueAction,
)
from mailsys.journal.ids import given_at
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Body, Envelope
from mailsys.message.outcome import Deferred, Delivered, Outcome
from mailsys.message.trace_fields import delivered_to_field, original_to_field, return_path_field


@dataclass(frozen=True, slots=True)
class Home:
    """What is needed to lay mail into mailboxes of this host.

    ``drop`` plans copies for mailboxes; ``laid`` knows of those and of what waits in the queue.
    """

    router: IRouter
    intake: IIntake
    drop: IMailDrop
    laid: IDrop
    quota: IQuota
    workers: IWorkers
    now: Callable[[], float]  # seconds since 1970
    deliveries: Mapping[str, IDelivery] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Laying:
    """One recipient's part of a message, which has an ``envelope`` of its own.

    ``name`` is the part's, the same at each attempt.  ``served`` are accounts that share the copy which they
    have for another recipient of this attempt.
    """

    home: Home
    envelope: Envelope
    content: Content
    name: str
    served: set[Address]

    async def lay(self, accounts: Sequence[Account]) -> Outcome:
        """A copy for each account that has room; when none has, the recipient waits for it."""
        return await self._committed(accounts, (), self.envelope, {})

    async def lay_and_forward(self, accounts: Sequence[Account], outside: Sequence[Address]) -> Outcome:
        """The recipient stands for others elsewhere, whose copy waits as a message ``name``.

        It does not wait for room: the mailboxes take the copy beyond their quotas.  Where there are any, the
        sender hears of success from here, and not of each of the others as well (RFC 3461 5.2.7).
        """
        [recipient] = self.envelope.recipients
        wishes = self.envelope.wishes
        if accounts and (wish := wishes.get(recipient)) is not None:
            wishes = {**wishes, recipient: wish.but_success()}
        envelope = replace(self.envelope, id=self.name, wishes=wishes)
        forwarded = replace(envelope, recipients=tuple(outside), forwarded=dict.fromkeys(outside, recipient))
        waiting = QueueAction(forwarded, self.home.now(), b"", self.content.size)
        return await self._committed(accounts, (waiting,), envelope, {"continues": self.envelope.id})

    async def _committed(
        self,
        accounts: Sequence[Account],
        forwarded: tuple[QueueAction, ...],
        envelope: Envelope,
        facts: Mapping[str, str],
    ) -> Outcome:
        """Commit what is not there yet, in one record."""
        rooms = _Rooms(self.home.quota)
        try:
            planned = [(one, self._copy(one)) for one in accounts if one.address not in self.served]
            missing = [(account, copy) for account, copy in planned if not await self._is_laid(copy)]
            waiting = [action for action in forwarded if not await self._is_laid(action)]
            copies = [copy for account, copy in missing if await rooms.hold(account, self.content.size)]
            if missing and not copies and forwarded:
                copies = [copy for _, copy in missing]
            if len(missing) == len(accounts) and not (copies or forwarded):
                return Deferred(replies.MAILBOX_FULL)
            if copies or waiting:
                acceptance = Acceptance(envelope, (*copies, *waiting), self.content, facts)
                await self.home.intake.commit(acceptance)
            rooms.use(copies, self.content.size)
            refused = {copy.account for _, copy in missing} - {copy.account for copy in copies}
            self.served.update(copy.account for _, copy in planned if copy.account not in refused)
        except (NotStored, OSError) as error:
            return Deferred(replies.NO_STORAGE.with_text(f"{replies.NO_STORAGE.text}: {error}"))
        finally:
            rooms.release()
        return Delivered("a mailbox of this host")

    async def _is_laid(self, action: Action) -> bool:
        """Did an attempt before lay it, and nobody has heard of that?  Raises OSError."""
        return await self.home.workers.run(_look, self.home.laid, action)

    def _copy(self, account: Account) -> MailboxAction:
        [recipient] = self.envelope.recipients
        head = return_path_field(self.envelope.reverse_path)
        head += delivered_to_field(account.address, smtputf8=self.envelope.smtputf8)
        if recipient != account.address:
            head += original_to_field(recipient, smtputf8=self.envelope.smtputf8)
        crlf = self.envelope.body is not Body.BINARY_MIME
        drop, octets = self.home.drop, self.content.size
        if not IRepeatableDrop.providedBy(drop):
            return drop.plan(account, recipient, head, octets, crlf=crlf)
        identity = Identity(f"{self.name} {account.address}", given_at(self.envelope.id))
        return IRepeatableDrop(drop).plan_again(account, recipient, head, octets, identity, crlf=crlf)


def _look(laid: IDrop, action: Action) -> bool:
    """Is it there?  If not, nothing that was half done stands in the way of doing it; raises OSError."""
    if laid.laid_octets(action) is not None:
        return True
    laid.discard(action)
    return False


class _Rooms:
    """Room that is held in mailboxes with a quota, until ``release``."""

    def __init__(self, quota: IQuota) -> None:
        self._quota = quota
        self._held: list[tuple[Account, int]] = []
        self._used: dict[Address, int] = {}  # octets

    async def hold(self, account: Account, octets: int) -> bool:
        """Is there room?  Raises OSError."""
        if account.quota_bytes is None:
            return True
        if not await self._quota.hold(account, octets):
            return False
        self._held.append((account, octets))
        return True

    def use(self, copies: Sequence[MailboxAction], octets: int) -> None:
        """These were committed, each with header lines of its own before the content."""
        self._used = {copy.account: len(copy.head) + octets for copy in copies}

    def release(self) -> None:
        """End all holds."""
        for account, octets in self._held:
            self._quota.release(account, octets, used=self._used.get(account.address, 0))
