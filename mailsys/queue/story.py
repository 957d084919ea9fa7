"""What the queue tells the journal."""

from __future__ import annotations

from collections.abc import Sequence

from mailsys.interfaces import Changed, IJournal, Notice, Order, Progress, RecipientState
from mailsys.journal import queue_events as events


def tell_progress(journal: IJournal, message: str, progress: Sequence[Progress]) -> None:
    """What has become of recipients of ``message``, after it is on the disk."""
    for one in progress:
        address, attempts = one.recipient.address, one.recipient.attempts
        match one.state:
            case RecipientState.DELIVERED if one.attempt is not None:
                journal.record(events.sent(message, address, attempts, one.attempt, one.at))
            case RecipientState.FAILED:
                journal.record(
                    events.given_up(message, address, attempts, one.attempt, one.reason, one.at, one.findings)
                )
            case RecipientState.HELD:
                journal.record(events.held(message, address, one.reason, one.at))
            case RecipientState.WAITING if one.attempt is not None:
                journal.record(
                    events.put_off(
                        message,
                        address,
                        attempts,
                        one.attempt,
                        one.reason,
                        one.next_attempt,
                        one.at,
                        one.findings,
                    )
                )
            case RecipientState.REMOVED:
                journal.record(events.ordered(message, address, "remove", one.at))
            case _:
                pass


def tell_notices(journal: IJournal, message: str, notices: Sequence[Notice], at: float) -> None:
    """These were written about ``message``, and wait in the queue."""
    for notice in notices:
        journal.record(events.told(message, notice.envelope, at))
        journal.record(events.notice(message, notice.envelope, notice.content.size, at))


def tell_order(journal: IJournal, order: Order, changed: Sequence[Changed], at: float) -> None:
    """Somebody who runs the host has changed what waits."""
    for one in changed:
        journal.record(events.ordered(one.id, one.address, order.verb.value, at))
