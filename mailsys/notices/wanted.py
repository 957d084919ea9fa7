"""Who is to hear of what: the one place that decides whether a notice is written (RFC 3461 4.1, 5.2).

No notice leads to a notice to anybody but the postmaster (RFC 5321 6.1), and none goes where a stranger
said that it should: a forged sender must not get mail from us (RFC 3834 2).  What is not told to a sender
is in the journal and in the log all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twisted.logger import Logger

from mailsys.interfaces import Progress, QueuedMessage, RecipientState
from mailsys.message.address import Address
from mailsys.message.envelope import Notify
from mailsys.notices.told import Kind

_KINDS = {
    RecipientState.FAILED: Kind.FAILED,
    RecipientState.WAITING: Kind.DELAYED,
    RecipientState.DELIVERED: Kind.DELIVERED,
}
_WISHES = {Kind.FAILED: Notify.FAILURE, Kind.DELAYED: Notify.DELAY, Kind.DELIVERED: Notify.SUCCESS}
# RFC 3461 4.1: what a sender who said nothing wants.
_UNSAID = frozenset({Notify.FAILURE, Notify.DELAY})

log = Logger(namespace="mailsys.notices")


@dataclass(frozen=True, slots=True)
class News:
    """For ``to`` by kind; ``is_double`` says that a notice, or what else had no sender, failed."""

    to: Address
    by_kind: Mapping[Kind, Sequence[Progress]]
    is_double: bool = False


def news_of(message: QueuedMessage, progress: Sequence[Progress], postmaster: Address) -> News | None:
    """What there is to tell; None when nobody is to be told."""
    envelope = message.envelope
    if not envelope.is_vouched_for:
        if any(one.state is RecipientState.FAILED for one in progress):
            words = "The sender of {id} is not told that it failed: nobody vouches for the address"
            log.info(words, id=message.id)
        return None
    if envelope.reverse_path is not None:
        found = by_kind(message, progress)
        return News(envelope.reverse_path, found) if found else None
    failed = [one for one in progress if one.state is RecipientState.FAILED]
    lost = [one for one in failed if one.recipient.address.folded() == postmaster.folded()]
    if lost:
        log.error(
            "The postmaster cannot be told: {id} failed ({reason})", id=message.id, reason=lost[0].reason
        )
    rest = [one for one in failed if one not in lost]
    return News(postmaster, {Kind.FAILED: rest}, is_double=True) if rest else None


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
    wish = message.envelope.wish(one.recipient.address)
    if kind is Kind.DELIVERED and one.attempt is not None and one.attempt.hands_on_notices:
        return False  # RFC 3461 5.2.2: the next host tells
    return _WISHES[kind] in (wish.notify or _UNSAID)
