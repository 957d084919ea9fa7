"""A recipient with a delivery: the message is handed on before the client hears 250.

The recipient has a transaction of its own, so the client's answer is that of the delivery.  What fails for
the moment is the client's to try again, and nothing of the message stays here.  A process killed between
the delivery and the answer has the client send again: handed on at least once, and never lost.
"""

from __future__ import annotations

from mailsys.interfaces import Attempt, Session, Verdict
from mailsys.journal import events
from mailsys.message import reply as replies
from mailsys.message.content import Content, HeadedContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Delivered, Failed
from mailsys.message.reply import Reply
from mailsys.receive import story
from mailsys.receive.reception import Reception
from mailsys.receive.transaction import Transaction


async def hand_on(
    reception: Reception,
    session: Session,
    transaction: Transaction,
    head: bytes,
    content: Content,
    verdict: Verdict,
    added: bytes,
) -> Reply:
    """The reply of the delivery that the transaction's only recipient has.

    ``head`` goes in front; ``added`` are those of its fields that the message lacked.
    """
    [taker] = transaction.recipients.values()
    envelope = transaction.envelope()
    delivery = reception.deliveries[taker.delivery]
    attempts = await delivery.deliver(envelope, HeadedContent(head, content), envelope.recipients)
    attempt = attempts[taker.address]
    match attempt.outcome:
        case Delivered(where):
            answer = replies.OK.with_text(f"Accepted as {envelope.id}")
            facts = story.accepted(session, transaction, [taker], content, verdict, answer, added)
            now = reception.now()
            reception.journal.record(events.received(envelope, content.size, facts, now))
            told = events.handed_on(envelope.id, taker.address, taker.delivery, where, now)
            reception.journal.record(told)
            return answer
        case Deferred(reply) | Failed(reply):
            reason = _reason(taker.delivery, envelope, attempt)
            story.refused_message(reception, session, transaction, reply, reason)
            return reply


def _reason(name: str, envelope: Envelope, attempt: Attempt) -> str:
    said = attempt.said or f"it ended at {attempt.step.value}"
    return f"the delivery {name}: {said}"
