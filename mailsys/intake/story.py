"""What the intake tells of a message: it came, and what became of it for each recipient."""

from __future__ import annotations

from dataclasses import replace

from mailsys.interfaces import Acceptance, Action, IJournal, QueueAction
from mailsys.journal.events import delivered, failed, received
from mailsys.journal.queue_events import queued
from mailsys.message.address import Address


def tell_received(journal: IJournal, acceptance: Acceptance, at: float) -> None:
    """The message is ours since ``at``, seconds since 1970."""
    journal.record(received(acceptance.envelope, acceptance.content.size, acceptance.facts, at))


def tell_delivered(journal: IJournal, message: str, action: Action, at: float) -> None:
    """A copy of ``message`` is in place; each recipient that shares it has an outcome of its own."""
    if isinstance(action, QueueAction):
        journal.record(queued(message, action, at))
        return
    journal.record(delivered(message, action, at))
    for recipient in action.also_for:
        journal.record(delivered(message, replace(action, recipient=recipient), at))


def tell_failed(journal: IJournal, message: str, action: Action, reason: str, at: float) -> None:
    """A copy of ``message`` will never be in place."""
    for recipient in _recipients(action):
        journal.record(failed(message, recipient, reason, at))


def _recipients(action: Action) -> tuple[Address, ...]:
    if isinstance(action, QueueAction):
        return action.envelope.recipients
    return (action.recipient, *action.also_for)
