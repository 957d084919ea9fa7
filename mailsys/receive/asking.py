"""What a client asks for in MAIL and RCPT, and what it is told."""

from __future__ import annotations

from mailsys.interfaces import ACCEPT, Disposition, Session, Verdict
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.reply import Reply
from mailsys.receive import later, story
from mailsys.receive.conduct import Conduct
from mailsys.receive.reception import Reception
from mailsys.receive.transaction import Transaction
from mailsys.wire.smtp.commands import Mail, Rcpt


def refusal_of(verdict: Verdict) -> Reply | None:
    """The reply of a verdict that does not let it pass."""
    if verdict.disposition not in (Disposition.REJECT, Disposition.DEFER):
        return None
    return verdict.reply or replies.LOCAL_ERROR


async def ask_to_send(reception: Reception, session: Session, mail: Mail) -> tuple[Reply | None, Verdict]:
    """May it begin a message?  None if so, and what the judges said of the sender."""
    verdict, reply, reason = ACCEPT, None, ""
    if reception.is_submission and session.login is None:
        reply = replies.LOGIN_NEEDED
    elif objection := _objection(reception, session, mail):
        reply = objection
    elif reception.strangers.has_sent_enough(session):
        reply, reason = (
            replies.TOO_MANY_MESSAGES,
            "its address or network brought as many as it may in a minute",
        )
    else:
        verdict = await reception.judges.sender(session, mail.reverse_path)
        reply, reason = refusal_of(verdict), verdict.reason
    if reply is not None:
        sender = str(mail.reverse_path or "")
        story.refused(reception, session, None, "MAIL", reply, reason, sender=sender)
    return reply, verdict


def _objection(reception: Reception, session: Session, mail: Mail) -> Reply | None:
    """What is wrong with the parameters."""
    return (
        _not_offered(reception, session, mail)
        or later.objection_to(reception, mail)
        or reception.objection_to(mail.size)
    )


def _not_offered(reception: Reception, session: Session, command: Mail | Rcpt) -> Reply | None:
    """A parameter that others may use is unknown to this client (RFC 5321 4.1.1.11)."""
    if not command.wished or reception.offers_notices(session):
        return None
    return replies.unknown_parameter(command.wished)


async def ask_for_with_wish(
    reception: Reception,
    session: Session,
    transaction: Transaction,
    recipient: Address,
    rcpt: Rcpt,
    conduct: Conduct,
) -> Reply:
    """May the message have this recipient, and may its sender want to be told of it?"""
    if (reply := _not_offered(reception, session, rcpt)) is not None:
        story.refused(reception, session, transaction, "RCPT", reply, recipient=str(recipient))
        return reply
    reply = await ask_for(reception, session, transaction, recipient, conduct)
    if reply.is_positive and rcpt.wish:
        transaction.wishes.setdefault(recipient, rcpt.wish)
    return reply


async def ask_for(
    reception: Reception, session: Session, transaction: Transaction, recipient: Address, conduct: Conduct
) -> Reply:
    """May the message have this recipient?"""
    strangers = reception.strangers
    if transaction.is_for_few:
        reply, reason = replies.TOO_MANY_UNKNOWN_HERE, ""
    else:
        reply, reason = await reception.admission.admit(session, transaction, recipient)
    is_guess = reply.enhanced == replies.NO_SUCH_USER.enhanced and strangers.counts_guesses(session)
    if is_guess:
        strangers.guessed(session)
    pause = strangers.pause_for_guesses(session) if is_guess or strangers.guesses_too_much(session) else 0.0
    if is_guess and strangers.guesses_too_much(session):
        reason = "its address asked for too many recipients that do not exist"
        reply = _brake(transaction)
    if not reply.is_positive:
        story.refused(reception, session, transaction, "RCPT", reply, reason, recipient=str(recipient))
        conduct.recipient_refused(
            reply,
            is_harmless=is_guess or bool(transaction.recipients) or reception.is_lmtp,
            is_pestering=reception.admission.is_pestered(transaction),
        )
    if pause:
        await reception.pause(pause)
    return reply


def _brake(transaction: Transaction) -> Reply:
    """Who has recipients that exist gets its mail to them, but hears of no others in this transaction."""
    if not transaction.recipients:
        return replies.TOO_MANY_UNKNOWN
    transaction.is_for_few = True
    return replies.TOO_MANY_UNKNOWN_HERE
