"""What can happen to a message or a connection: one function an event, each returns a JournalEvent.

Facts are plain JSON values, and each event tells enough to be understood alone; ``event`` names its
kind.  ``docs/journal.rst`` lists them.  Texts of strangers are cut to a bounded length here and made
printable wherever they are shown.  Times (``at``) are seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mailsys.interfaces import JournalEvent, MailboxAction, Session
from mailsys.journal.printable import bounded, printable
from mailsys.message.address import Address
from mailsys.message.envelope import Envelope
from mailsys.message.reply import Reply

HEADER_CHARACTERS = 200
NAME_CHARACTERS = 256
REASON_CHARACTERS = 500


def reception(
    session: Session,
    *,
    via: Mapping[Address, Sequence[str]],
    checked: Sequence[str],
    judgement: str,
    reply: Reply,
    message_id: str,
    subject: str,
    signed: Sequence[str] = (),
) -> dict[str, Any]:
    """The facts that an ``Acceptance`` carries from the session to :func:`received`.

    ``via`` tells for each recipient the way to its mailbox in words, ``checked`` what the judges said,
    ``judgement`` what came of it (accept, junk), ``reply`` what the client will be told, ``signed`` where the
    keys stand in DNS with which we signed it.
    """
    facts = {
        **_connection(session),
        "via": {str(recipient): list(words) for recipient, words in via.items() if words},
        "checked": [bounded(reason, REASON_CHARACTERS) for reason in checked],
        "judgement": judgement,
        "reply": str(reply),
        "message_id": printable(bounded(message_id, HEADER_CHARACTERS)),
        "subject": printable(bounded(subject, HEADER_CHARACTERS)),
    }
    if signed:
        facts["signed"] = list(signed)
    return facts


def received(envelope: Envelope, size: int, facts: Mapping[str, Any], at: float) -> JournalEvent:
    """The message is committed: ``size`` octets as they came, ``facts`` from :func:`reception`."""
    return JournalEvent(
        envelope.id,
        "received",
        at,
        {
            "event": "received",
            "from": _path(envelope.reverse_path),
            "to": [str(recipient) for recipient in envelope.recipients],
            "size": size,
            **facts,
        },
    )


def delivered(id: str, action: MailboxAction, at: float) -> JournalEvent:
    """One copy of message ``id`` lies in its folder; said for one of the recipients who share it."""
    account, recipient = str(action.account), str(action.recipient)
    return JournalEvent(
        id,
        f"delivered {account} {action.name} {recipient}",
        at,
        {
            "event": "delivered",
            "recipient": recipient,
            "account": account,
            "folder": action.folder,
            "file": action.name,
        },
    )


def handed_on(id: str, recipient: Address, delivery: str, where: str, at: float) -> JournalEvent:
    """The delivery of this name took message ``id`` for a recipient; ``where`` are its own words."""
    facts = {
        "event": "delivered",
        "recipient": str(recipient),
        "delivery": delivery,
        "where": printable(_reason(where)),
    }
    return JournalEvent(id, f"delivered {delivery} {recipient}", at, facts)


def deferred(id: str, recipient: Address, attempt: int, reason: str, at: float) -> JournalEvent:
    """The ``attempt``-th try for a recipient failed for the moment; there will be another."""
    facts = {"event": "deferred", "recipient": str(recipient), "attempt": attempt, "reason": _reason(reason)}
    return JournalEvent(id, f"deferred {recipient} {attempt}", at, facts)


def failed(id: str, recipient: Address, reason: str, at: float) -> JournalEvent:
    """Message ``id`` will never reach this recipient; ``reason`` is the reply that said so, or our words."""
    facts = {"event": "failed", "recipient": str(recipient), "reason": _reason(reason)}
    return JournalEvent(id, f"failed {recipient}", at, facts)


def refused(
    id: str,
    session: Session,
    command: str,
    reply: Reply | str,
    at: float,
    *,
    sender: str | None = None,
    recipient: str | None = None,
    recipients: Sequence[Address] = (),
    reasons: Sequence[str] = (),
    message_id: str = "",
    subject: str = "",
) -> JournalEvent:
    """A connection, sender, recipient or message was turned away with ``reply``, in POP3 a text.

    ``id`` is the transaction's, or the session's outside of any.  ``command`` is CONNECT, MAIL, RCPT,
    DATA …, or SESSION when we ended a connection for what its peer did.  ``sender`` and ``recipient``
    are as the client wrote them, None when it had not yet, and ``""`` for the null reverse-path.
    A message has the ``recipients`` that were accepted for it.  Without a reply it was never complete.
    """
    facts: dict[str, Any] = {"event": "refused", "command": command, "reply": str(reply)}
    if sender is not None:
        facts["from"] = bounded(sender, NAME_CHARACTERS)
    if recipient is not None:
        facts["recipient"] = bounded(recipient, NAME_CHARACTERS)
    if recipients:
        facts["to"] = [str(address) for address in recipients]
    if reasons:
        facts["checked"] = [bounded(reason, REASON_CHARACTERS) for reason in reasons]
    if message_id:
        facts["message_id"] = printable(bounded(message_id, HEADER_CHARACTERS))
    if subject:
        facts["subject"] = printable(bounded(subject, HEADER_CHARACTERS))
    key = f"refused {at:.6f} {command} {facts.get('recipient', '')}"
    return JournalEvent(id, key, at, facts | _connection(session))


def login(
    session: Session, name: str, succeeded: bool, at: float, *, mechanism: str = "", why: str = ""
) -> JournalEvent:
    """Someone tried to log in as ``name``, the text as it was sent; ``why`` it failed is for us alone."""
    facts = {"event": "login", "name": bounded(name, NAME_CHARACTERS), "succeeded": succeeded}
    if mechanism:
        facts["mechanism"] = mechanism
    if why:
        facts["why"] = bounded(why, REASON_CHARACTERS)
    return JournalEvent(session.id, f"login {at:.6f}", at, facts | _connection(session))


def mailbox_read(
    session: Session,
    retrieved: int,
    deleted: int,
    at: float,
    *,
    fetched: Sequence[str] = (),
    removed: Sequence[str] = (),
) -> JournalEvent:
    """A POP3 session ended: how many messages were fetched and deleted, and which, as far as is known."""
    facts: dict[str, Any] = {"event": "mailbox read", "retrieved": retrieved, "deleted": deleted}
    for fact, names in (("fetched", fetched), ("removed", removed)):
        if known := [name for name in names if name]:
            facts[fact] = known
    return JournalEvent(session.id, "mailbox read", at, facts | _connection(session))


def folders_used(session: Session, fetched: int, appended: int, expunged: int, at: float) -> JournalEvent:
    """An IMAP session ended: how many messages it fetched, put into folders and removed."""
    facts = {"event": "folders used", "fetched": fetched, "appended": appended, "expunged": expunged}
    return JournalEvent(session.id, "folders used", at, facts | _connection(session))


def _connection(session: Session) -> dict[str, Any]:
    peer = session.peer
    facts: dict[str, Any] = {"service": peer.service, "peer": peer.host, "protocol": session.protocol}
    if session.peer.uid is not None:
        facts["uid"] = session.peer.uid
    if session.greeting:
        facts["greeting"] = bounded(session.greeting, NAME_CHARACTERS)
    if session.tls:
        facts["tls"] = session.tls
    if session.login is not None:
        facts["login"] = str(session.login)
    return facts


def _path(path: Address | None) -> str:
    return "" if path is None else str(path)


def _reason(reason: str) -> str:
    return bounded(reason, REASON_CHARACTERS)
