"""What an attempt means for each recipient: an outcome, another attempt, or being set aside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mailsys.config.retry import RetrySchedule
from mailsys.config.values import format_time
from mailsys.interfaces import (
    Attempt,
    Progress,
    QueuedMessage,
    QueuedRecipient,
    QueueItem,
    RecipientState,
)
from mailsys.message.address import Address
from mailsys.message.outcome import Deferred, Delivered, Failed, Step
from mailsys.queue.schedule import lifetime, next_attempt

MOST_BREAKDOWNS = 3
BREAKDOWN_SECONDS = 60.0
CONTENT_LOST = "its content is not on the disk any more"
NO_RESULT = "the delivery said nothing about it"

# An attempt that ended here did not come to the message: the destination as a whole is in trouble.
_BEFORE_ANY_MESSAGE = frozenset({Step.ROUTE, Step.CONNECT, Step.GREETING, Step.HELLO, Step.TLS, Step.LOGIN})


@dataclass(frozen=True, slots=True)
class Rules:
    """How to go on.  ``chance`` gives numbers from 0 to 1."""

    schedule: RetrySchedule
    chance: Callable[[], float]

    def after(self, item: QueueItem, attempts: Mapping[Address, Attempt], now: float) -> list[Progress]:
        """What has become of each recipient of an item."""
        return [
            self._after_attempt(item.message, recipient, attempts[recipient.address], now)
            if recipient.address in attempts
            else self.broken_down(recipient, NO_RESULT, now)
            for recipient in item.recipients
        ]

    def _after_attempt(
        self, message: QueuedMessage, recipient: QueuedRecipient, attempt: Attempt, now: float
    ) -> Progress:
        recipient = replace(recipient, attempts=recipient.attempts + 1, breakdowns=0)
        match attempt.outcome:
            case Delivered():
                return Progress(recipient, RecipientState.DELIVERED, now, attempt)
            case Failed(reply):
                return Progress(recipient, RecipientState.FAILED, now, attempt, reason=str(reply))
            case Deferred(reply):
                due = next_attempt(self.schedule, recipient.attempts, message.released, now, self.chance())
                if due is None:
                    return self.given_up(recipient, str(reply), now, attempt)
                return Progress(recipient, RecipientState.WAITING, now, attempt, due, str(reply))

    def given_up(
        self, recipient: QueuedRecipient, last: str, now: float, attempt: Attempt | None = None
    ) -> Progress:
        """The schedule is over."""
        waited = format_time(lifetime(self.schedule))
        reason = f"given up after {recipient.attempts} attempts in {waited}; the last came to: {last}"
        return Progress(recipient, RecipientState.FAILED, now, attempt, reason=reason)

    def broken_down(self, recipient: QueuedRecipient, fault: str, now: float) -> Progress:
        """We broke, not the world: once more in a while, and after some times not without a person."""
        recipient = replace(recipient, breakdowns=recipient.breakdowns + 1)
        if recipient.breakdowns >= MOST_BREAKDOWNS:
            reason = f"set aside, since mailsys broke at it {recipient.breakdowns} times: {fault}"
            return Progress(recipient, RecipientState.HELD, now, reason=reason)
        due = now + BREAKDOWN_SECONDS * recipient.breakdowns
        return Progress(recipient, RecipientState.WAITING, now, None, due, f"mailsys broke at it: {fault}")


def lost(item: QueueItem, now: float) -> list[Progress]:
    """Nobody can be given a message that is not there."""
    return [
        Progress(recipient, RecipientState.FAILED, now, reason=CONTENT_LOST) for recipient in item.recipients
    ]


def is_unreachable(progress: Sequence[Progress]) -> bool:
    """Did the attempt end before the destination had heard of any message?"""
    attempts = [one.attempt for one in progress if one.attempt is not None]
    return bool(attempts) and all(
        isinstance(attempt.outcome, Deferred) and attempt.step in _BEFORE_ANY_MESSAGE for attempt in attempts
    )
