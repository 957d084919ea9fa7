"""RCPT: may this recipient have mail from this session?  Everything that is known now is said now."""

from __future__ import annotations

from dataclasses import dataclass

from mailsys.interfaces import (
    DirectoryUnavailable,
    Disposition,
    IJudgePipeline,
    IQuota,
    IRouter,
    Refused,
    Session,
    ToMailboxes,
)
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.reply import Reply
from mailsys.receive.transaction import RoutedRecipient, Transaction

ASKED_FACTOR = 3  # times as many RCPT commands as recipients: who asks for more wants something else

Answer = tuple[Reply, str]  # what the client is told, and why, for the journal


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is asked about a recipient.  Changes nothing but the transaction, so a dry run can ask as well."""

    recipients: int  # at most, for one message
    judges: IJudgePipeline
    router: IRouter
    quota: IQuota

    async def admit(self, session: Session, transaction: Transaction, recipient: Address) -> Answer:
        """Add the recipient to the transaction, or say why not."""
        transaction.asked += 1
        if self.is_pestered(transaction):
            return replies.TOO_MANY_RECIPIENTS, ""
        if not recipient.is_ascii and not transaction.mail.smtputf8:
            return replies.NEEDS_SMTPUTF8, ""
        if recipient in transaction.recipients:
            return replies.RECIPIENT_OK, ""
        if len(transaction.recipients) >= self.recipients:
            return replies.TOO_MANY_RECIPIENTS, ""
        try:
            route = await self.router.route(recipient)
        except DirectoryUnavailable:
            return replies.LOCAL_ERROR, "the accounts cannot be read"
        if route is None:
            return replies.NO_SUCH_DOMAIN_HERE, "the domain is not ours"
        if isinstance(route, Refused):
            return route.reply, "; ".join(route.via)
        objection = await self._objection(session, transaction, recipient, route)
        if objection is None:
            transaction.recipients[recipient] = RoutedRecipient(recipient, route.accounts, route.via)
        return objection or (replies.RECIPIENT_OK, "")

    def is_pestered(self, transaction: Transaction) -> bool:
        """Have there been far more RCPT commands than a message can have recipients?"""
        return transaction.asked > ASKED_FACTOR * self.recipients

    async def _objection(
        self, session: Session, transaction: Transaction, recipient: Address, route: ToMailboxes
    ) -> Answer | None:
        """What speaks against a recipient that exists: a full mailbox, or a judge."""
        try:
            full = await self._full(route, transaction.mail.size or 1)
        except OSError as error:
            return replies.LOCAL_ERROR, f"the mailbox cannot be measured: {error}"
        if full is not None:
            return full
        verdict = await self.judges.recipient(session, recipient)
        if verdict.disposition in (Disposition.REJECT, Disposition.DEFER):
            return verdict.reply or replies.LOCAL_ERROR, verdict.reason
        transaction.note_checked(verdict.checked)
        return None

    async def _full(self, route: ToMailboxes, octets: int) -> Answer | None:
        """Why no mailbox takes so many octets, as the client declared them; None when one does."""
        answer: Answer | None = None
        for account in route.accounts:
            if account.quota_bytes is None or await self.quota.has_room(account, octets):
                return None
            if await self.quota.has_room(account, 1):
                answer = replies.MESSAGE_OVER_QUOTA, f"{account.address} has no room for {octets} octets"
            else:
                answer = answer or (replies.MAILBOX_FULL, f"{account.address} is full")
        return answer
