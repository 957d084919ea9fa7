"""Who is to hear of what: the one place that decides whether a notice is written (RFC 3461 4.1, 5.2).

Never to a null reverse-path, so that no notice leads to a notice (RFC 5321 6.1).
"""

from __future__ import annotations

from collections.abc import Sequence

from mailsys.interfaces import Progress, QueuedMessage, RecipientState
from mailsys.message.envelope import Notify
from mailsys.notices.told import NOTHING_WISHED, Kind

_KINDS = {
    RecipientState.FAILED: Kind.FAILED,
    RecipientState.WAITING: Kind.DELAYED,
    RecipientState.DELIVERED: Kind.DELIVERED,
}
_WISHES = {Kind.FAILED: Notify.FAILURE, Kind.DELAYED: Notify.DELAY, Kind.DELIVERED: Notify.SUCCESS}
# RFC 3461 4.1: what a sender who said nothing wants.
_UNSAID = frozenset({Notify.FAILURE, Notify.DELAY})


def by_kind(message: QueuedMessage, progress: Sequence[Progress]) -> dict[Kind, list[Progress]]:
    """Those of whom the sender wants to hear, by what there is to tell."""
    found: dict[Kind, list[Progress]] = {}
    for one in progress:
        kind = _KINDS.get(one.state)
        if kind is not None and is_wanted(message, kind, one):
            found.setdefault(kind, []).append(one)
    return found


def is_wanted(message: QueuedMessage, kind: Kind, one: Progress) -> bool:
    """Did the sender ask to be told, or not ask for silence?"""
    wish = message.envelope.wishes.get(one.recipient.address, NOTHING_WISHED)
    if kind is Kind.DELIVERED and one.attempt is not None and one.attempt.hands_on_notices:
        return False  # RFC 3461 5.2.2: the next host tells
    return _WISHES[kind] in (wish.notify or _UNSAID)
