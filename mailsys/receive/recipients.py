"""RCPT: may this recipient have mail from this session?  Everything that is known now is said now."""

from __future__ import annotations

from mailsys.interfaces import DirectoryUnavailable, Disposition, Refused, Session, ToMailboxes
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.reply import Reply
from mailsys.receive.reception import Reception
from mailsys.receive.transaction import RoutedRecipient, Transaction


async def accept_recipient(
    reception: Reception, session: Session, transaction: Transaction, recipient: Address
) -> tuple[Reply, str]:
    """Add the recipient to the transaction, or say why not; the text is for the journal."""
    if not recipient.is_ascii and not transaction.mail.smtputf8:
        return replies.NEEDS_SMTPUTF8, ""
    if recipient in transaction.recipients:
        return replies.RECIPIENT_OK, ""
    if len(transaction.recipients) >= reception.settings.recipients:
        return replies.TOO_MANY_RECIPIENTS, ""
    try:
        route = await reception.router.route(recipient)
    except DirectoryUnavailable:
        return replies.LOCAL_ERROR, "the accounts cannot be read"
    if route is None:
        return replies.NO_SUCH_DOMAIN_HERE, "the domain is not ours"
    if isinstance(route, Refused):
        return route.reply, "; ".join(route.via)
    refusal = await _objection(reception, session, transaction, recipient, route)
    if refusal is None:
        transaction.recipients[recipient] = RoutedRecipient(recipient, route.accounts, route.via)
    return refusal or (replies.RECIPIENT_OK, "")


async def _objection(
    reception: Reception, session: Session, transaction: Transaction, recipient: Address, route: ToMailboxes
) -> tuple[Reply, str] | None:
    """What speaks against a recipient that exists: a full mailbox, or a judge."""
    declared = transaction.mail.size or 0
    for account in route.accounts:
        if account.quota_bytes is None or await reception.quota.has_room(account, declared or 1):
            continue
        if await reception.quota.has_room(account, 1):
            return replies.MESSAGE_OVER_QUOTA, f"{account.address} has no room for {declared} octets"
        return replies.MAILBOX_FULL, f"{account.address} is full"
    verdict = await reception.judges.recipient(session, recipient)
    if verdict.disposition in (Disposition.REJECT, Disposition.DEFER):
        return verdict.reply or replies.LOCAL_ERROR, verdict.reason
    return None
