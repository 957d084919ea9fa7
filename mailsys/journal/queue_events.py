"""What can happen to a message in the queue: one function an event, as in :mod:`mailsys.journal.events`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailsys.interfaces import JournalEvent, QueueAction
from mailsys.interfaces.sending import Attempt
from mailsys.journal.events import REASON_CHARACTERS, received
from mailsys.journal.printable import bounded
from mailsys.message.address import Address
from mailsys.message.envelope import Envelope


def queued(id: str, action: QueueAction, at: float) -> JournalEvent:
    """Message ``id`` waits in the queue, or is held there for recipients who are not free."""
    facts: dict[str, Any] = {"event": "queued", "to": _names(action.envelope.recipients)}
    if forwarded := action.envelope.forwarded:
        facts["forwarded"] = {str(target): str(alias) for target, alias in forwarded.items()}
    if action.held:
        facts["held"] = bounded(action.held, REASON_CHARACTERS)
    if action.not_before:
        facts["until"] = action.not_before
    if action.free:
        facts["free"] = _names(action.free)
    return JournalEvent(id, "queued", at, facts)


def sent(id: str, recipient: Address, attempts: int, attempt: Attempt, at: float) -> JournalEvent:
    """The remote took it, at the ``attempts``-th attempt."""
    facts = {"event": "delivered", "recipient": str(recipient), "attempt": attempts, **_remote(attempt)}
    return JournalEvent(id, f"sent {recipient}", at, facts)


def put_off(
    id: str,
    recipient: Address,
    attempts: int,
    attempt: Attempt,
    reason: str,
    next_at: float,
    at: float,
    findings: Sequence[str] = (),
) -> JournalEvent:
    """An attempt failed for the moment; the next is at ``next_at``."""
    facts: dict[str, Any] = {
        "event": "deferred",
        "recipient": str(recipient),
        "attempt": attempts,
        "reason": bounded(reason, REASON_CHARACTERS),
        "next": next_at,
        **_remote(attempt),
    }
    if findings:
        facts["found"] = [bounded(one, REASON_CHARACTERS) for one in findings]
    return JournalEvent(id, f"deferred {recipient} {attempts}", at, facts)


def given_up(
    id: str,
    recipient: Address,
    attempts: int,
    attempt: Attempt | None,
    reason: str,
    at: float,
    findings: Sequence[str] = (),
) -> JournalEvent:
    """The recipient will not be reached: refused, or waited for too long.  ``findings`` are of our DNS."""
    facts: dict[str, Any] = {
        "event": "failed",
        "recipient": str(recipient),
        "attempt": attempts,
        "reason": bounded(reason, REASON_CHARACTERS),
        **(_remote(attempt) if attempt is not None else {}),
    }
    if findings:
        facts["found"] = [bounded(one, REASON_CHARACTERS) for one in findings]
    return JournalEvent(id, f"failed {recipient}", at, facts)


def held(id: str, recipient: Address, reason: str, at: float) -> JournalEvent:
    """It waits until somebody releases it."""
    facts = {"event": "held", "recipient": str(recipient), "reason": bounded(reason, REASON_CHARACTERS)}
    return JournalEvent(id, f"held {recipient} {at:.6f}", at, facts)


def ordered(id: str, recipient: Address, verb: str, at: float) -> JournalEvent:
    """Somebody who runs the host wanted ``verb``: retry, hold, release, remove."""
    facts = {"event": f"queue {verb}", "recipient": str(recipient)}
    key = f"{verb} {recipient}" if verb == "remove" else f"{verb} {recipient} {at:.6f}"
    return JournalEvent(id, key, at, facts)


def told(id: str, notice: Envelope, at: float) -> JournalEvent:
    """Somebody is told what became of message ``id``."""
    facts = {"event": "told", "notice": notice.id, "to": _names(notice.recipients)}
    return JournalEvent(id, f"told {notice.id}", at, facts)


def notice(about: str, notice: Envelope, size: int, at: float) -> JournalEvent:
    """The story of a notice begins: it is about message ``about``."""
    return received(notice, size, {"about": about}, at)


def _names(addresses: Sequence[Address]) -> list[str]:
    return [str(address) for address in addresses]


def _remote(attempt: Attempt) -> dict[str, Any]:
    facts: dict[str, Any] = {"step": attempt.step.value}
    if attempt.remote:
        facts["remote"] = attempt.remote
    if attempt.tls:
        facts["tls"] = attempt.tls
    if attempt.said:
        facts["said"] = bounded(attempt.said, REASON_CHARACTERS)
    if attempt.is_uncertain:
        facts["uncertain"] = True
    if attempt.forwarded_for is not None:
        facts["forwarded_for"] = str(attempt.forwarded_for)
        facts["sent_as"] = str(attempt.sent_as or "")
    return facts
