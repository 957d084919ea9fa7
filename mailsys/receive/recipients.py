"""RCPT: may this recipient have mail from this session?  Everything that is known now is said now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mailsys.interfaces import (
    DirectoryUnavailable,
    Disposition,
    IJudgePipeline,
    IQuota,
    IRouter,
    ISendingLimits,
    Refused,
    Session,
    ToDelivery,
    ToMailboxes,
)
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.reply import Reply
from mailsys.message.srs import is_return_address
from mailsys.net.limits import Network, is_within
from mailsys.receive.transaction import RoutedRecipient, Transaction

ASKED_FACTOR = 3  # times as many RCPT commands as recipients: who asks for more wants something else

Answer = tuple[Reply, str]  # what the client is told, and why, for the journal

NOT_ALONE: Answer = (
    replies.TOO_MANY_RECIPIENTS,
    "a recipient that is handed on has a transaction of its own",
)


@dataclass(frozen=True, slots=True)
class Outside:
    """It is no router's business, and this client may send to other hosts."""


OUTSIDE = Outside()
Accepted = ToMailboxes | ToDelivery | Outside


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is asked about a recipient.  Changes nothing but the transaction, so a dry run can ask as well."""

    recipients: int  # at most, for one message
    judges: IJudgePipeline
    router: IRouter
    quota: IQuota
    deliveries: Collection[str] = ()  # the names that a route may give
    relays_for: tuple[Network, ...] = ()  # whose mail goes to other hosts
    limits: ISendingLimits | None = None  # of users; None where they are not counted
    relays_for_users: frozenset[int] = frozenset()  # users of this machine whose mail does

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
        except DirectoryUnavailable as error:
            return replies.LOCAL_ERROR, f"it cannot be looked up: {error}"
        if route is None:
            if not self.trusts(session):
                return replies.NO_SUCH_DOMAIN_HERE, "the domain is not ours"
            if (used_up := await self._used_up(session, transaction)) is not None:
                return used_up
            accepted: Accepted = OUTSIDE
        elif isinstance(route, Refused):
            return route.reply, "; ".join(route.via)
        else:
            accepted = route
        objection = await self._objection(session, transaction, recipient, accepted)
        if objection is None:
            transaction.recipients[recipient] = _routed(recipient, accepted)
            if accepted is OUTSIDE and transaction.copies_left:
                transaction.copies_left -= 1
            transaction.has_delivery = isinstance(accepted, ToDelivery)
        return objection or (replies.RECIPIENT_OK, "")

    async def _used_up(self, session: Session, transaction: Transaction) -> Answer | None:
        """Has the user sent all to other hosts that may be sent in a day?"""
        if self.limits is None or session.login is None:
            return None
        if transaction.copies_left is None:
            try:
                transaction.copies_left = await self.limits.left(session.login)
            except OSError as error:
                return replies.LOCAL_ERROR, f"it cannot be told how much was sent: {error}"
        return None if transaction.copies_left else (replies.SENT_TOO_MUCH, "submission.most_per_day")

    def trusts(self, session: Session) -> bool:
        """May this client send to other hosts?  A login on port 25 does not change that."""
        match session.peer.service:
            case "submission":
                return session.login is not None
            case "lmtp":
                return False
        if session.peer.uid is not None:
            return session.peer.uid in self.relays_for_users
        return is_within(session.peer.host, self.relays_for)

    def is_pestered(self, transaction: Transaction) -> bool:
        """Have there been far more RCPT commands than a message can have recipients?"""
        return transaction.asked > ASKED_FACTOR * self.recipients

    async def _objection(
        self, session: Session, transaction: Transaction, recipient: Address, route: Accepted
    ) -> Answer | None:
        """What speaks against a recipient that exists: a full mailbox, other recipients, or a judge."""
        if isinstance(route, ToDelivery):
            objection = self._not_alone(transaction, route)
        elif transaction.has_delivery:
            objection = NOT_ALONE
        elif isinstance(route, Outside):
            objection = None
        elif is_return_address(recipient) and transaction.mail.reverse_path is not None:
            objection = (
                replies.RETURN_ADDRESS_WITH_SENDER,
                "it is a return address, and the message no notice",
            )
        else:
            objection = await self._lack_of_room(transaction, route)
        if objection is not None:
            return objection
        verdict = await self.judges.recipient(session, recipient)
        if verdict.disposition in (Disposition.REJECT, Disposition.DEFER):
            return verdict.reply or replies.LOCAL_ERROR, verdict.reason
        transaction.note_checked(verdict.checked)
        return None

    def _not_alone(self, transaction: Transaction, route: ToDelivery) -> Answer | None:
        """A recipient with a delivery has a transaction of its own (RFC 5321 4.5.3.1.10).

        SMTP has one answer for all recipients.  If one was handed on and another has to be tried again,
        the client would send to both again.
        """
        if route.delivery not in self.deliveries:
            return replies.LOCAL_ERROR, f"route.deliveries names no delivery {route.delivery}"
        return NOT_ALONE if transaction.recipients else None

    async def _lack_of_room(self, transaction: Transaction, route: ToMailboxes) -> Answer | None:
        try:
            return await self._full(route, transaction.mail.size or 1)
        except OSError as error:
            return replies.LOCAL_ERROR, f"the mailbox cannot be measured: {error}"

    async def _full(self, route: ToMailboxes, octets: int) -> Answer | None:
        """Why no mailbox takes so many octets, as the client declared them; None when one does.

        At another host there may be room, and that is all that is known.
        """
        answer: Answer | None = None
        if route.outside:
            return None
        for account in route.accounts:
            if account.quota_bytes is None or await self.quota.has_room(account, octets):
                return None
            if await self.quota.has_room(account, 1):
                answer = replies.MESSAGE_OVER_QUOTA, f"{account.address} has no room for {octets} octets"
            else:
                answer = answer or (replies.MAILBOX_FULL, f"{account.address} is full")
        return answer


def _routed(recipient: Address, route: Accepted) -> RoutedRecipient:
    if isinstance(route, Outside):
        return RoutedRecipient(recipient, (), is_outside=True)
    if isinstance(route, ToDelivery):
        return RoutedRecipient(recipient, (), route.via, route.delivery)
    return RoutedRecipient(
        recipient, route.accounts, route.via, is_caught=route.is_caught, forwarded=route.outside
    )
