"""What a reception tells the journal: what was refused and why, and the facts of what was accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mailsys.interfaces import Disposition, Session, Verdict
from mailsys.journal import events
from mailsys.message.content import Content
from mailsys.message.encoded_words import decode_words
from mailsys.message.reply import Reply
from mailsys.receive.reception import Reception
from mailsys.receive.transaction import RoutedRecipient, Transaction

LOOKED_AT = 64 * 1024  # octets of the message in which Subject and Message-ID are sought
_NAMED = re.compile(rb"^(subject|message-id):[ \t]*((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)

_SIGNED = re.compile(rb"DKIM-Signature: v=1; [^\r\n]*\r\n\td=([!-:<-~]+); s=([!-:<-~]+);")


def refused(
    reception: Reception,
    session: Session,
    transaction: Transaction | None,
    command: str,
    reply: Reply,
    reason: str = "",
    *,
    sender: str | None = None,
    recipient: str | None = None,
) -> None:
    """Something was turned away with ``reply``; ``reason`` is ours and not told to the peer."""
    if transaction is not None and sender is None:
        sender = str(transaction.mail.reverse_path or "")
    event = events.refused(
        transaction.id if transaction is not None else session.id,
        session,
        command,
        reply,
        reception.now(),
        sender=sender,
        recipient=recipient,
        reasons=[reason] if reason else [],
    )
    reception.journal.record(event)


def refused_message(
    reception: Reception, session: Session, transaction: Transaction, reply: Reply, reason: str = ""
) -> None:
    """A message was refused at its end; all its recipients may ask for it."""
    subject, message_id = _subject_and_message_id(transaction.collector.beginning())
    _record_message(reception, session, transaction, reply, reason, subject=subject, message_id=message_id)


def lost_message(reception: Reception, session: Session, transaction: Transaction) -> None:
    """The client went in the middle of a message."""
    reason = f"the connection ended after {transaction.octets} octets of it"
    _record_message(reception, session, transaction, "", reason)


def _record_message(
    reception: Reception,
    session: Session,
    transaction: Transaction,
    reply: Reply | str,
    reason: str,
    **named: str,
) -> None:
    event = events.refused(
        transaction.id,
        session,
        "DATA",
        reply,
        reception.now(),
        sender=str(transaction.mail.reverse_path or ""),
        recipients=tuple(transaction.recipients),
        reasons=[reason] if reason else [],
        **named,
    )
    reception.journal.record(event)


def accepted(
    session: Session,
    transaction: Transaction,
    takers: Sequence[RoutedRecipient],
    content: Content,
    verdict: Verdict,
    reply: Reply,
    added: bytes = b"",
) -> dict[str, Any]:
    """The facts that go with a message into the log and from there into the journal.

    ``added`` are the fields that it lacked.
    """
    subject, message_id = _subject_and_message_id(added + content.read(0, LOOKED_AT))
    return events.reception(
        session,
        via={taker.address: taker.via for taker in takers},
        checked=[*session.checked, *transaction.checked, *verdict.checked],
        judgement="junk" if verdict.disposition is Disposition.JUNK else "accept",
        reply=reply,
        message_id=message_id,
        subject=subject,
        signed=[found for header in verdict.headers for found in _key_of(header)],
    )


def _key_of(header: bytes) -> Iterator[str]:
    """The name of the key in DNS, of a signature that we have made."""
    if signed := _SIGNED.match(header):
        yield f"{signed[2].decode()}._domainkey.{signed[1].decode()}"


def _subject_and_message_id(start: bytes) -> tuple[str, str]:
    """The first of each, cheaply: every message pays for this."""
    end = start.find(b"\r\n\r\n")
    found: dict[bytes, bytes] = {}
    for match in _NAMED.finditer(start, 0, end if end >= 0 else len(start)):
        found.setdefault(match.group(1).lower(), match.group(2))
    return decode_words(found.get(b"subject", b"")), decode_words(found.get(b"message-id", b""))
