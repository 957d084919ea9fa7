"""What a notice tells of one recipient, taken from what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from mailsys.interfaces import Progress, QueuedMessage, RecipientState
from mailsys.journal.printable import bounded, printable
from mailsys.message.address import Address
from mailsys.message.outcome import Deferred, Failed, Step
from mailsys.message.reply import Reply
from mailsys.notices.causes import Cause, Said, cause_of, of_forwarded

WORDS_CHARACTERS = 500
_CODES = re.compile(r"(\d{3})[ -](?:([245]\.\d{1,3}\.\d{1,3})(?: |$))?")
_EXPIRED = "4.4.7"  # RFC 3463 3.5: delivery time expired


class Kind(Enum):
    """Each goes into a notice of its own; the value is RFC 3464's Action, but for what is handed on."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Told:
    """One recipient.  ``said`` are the remote's words and ``reason`` ours, both bounded and printable.

    ``is_expired`` says that it failed because the schedule was over.  ``forwarded_for`` is the address to
    which the sender wrote, where it is another.  ``findings`` are what this host found wrong with itself.
    """

    address: Address
    kind: Kind
    at: float
    cause: Cause
    status: str
    step: Step | None = None
    remote: str = ""
    said: str = ""
    reason: str = ""
    original: str = ""
    is_expired: bool = False
    forwarded_for: Address | None = None
    findings: tuple[str, ...] = ()

    @property
    def action(self) -> str:
        """RFC 3464 2.3.3.  Who handed it to another host does not know whether it arrived."""
        return "relayed" if self.kind is Kind.DELIVERED and self.remote else self.kind.value

    @property
    def host(self) -> str:
        """The remote's name without its address, for people and for Remote-MTA."""
        return (
            self.remote.partition(" ")[0].rpartition(":")[0]
            if " " not in self.remote
            else self.remote.split()[0]
        )


def told_of(message: QueuedMessage, kind: Kind, one: Progress) -> Told:
    """Read it."""
    attempt, reply = one.attempt, _reply_of(one)
    said = _plain(attempt.said) if attempt is not None else ""
    step = attempt.step if attempt is not None else None
    is_expired = (
        one.state is RecipientState.FAILED
        and not (attempt is not None and isinstance(attempt.outcome, Failed))
        and "content is not" not in one.reason
    )
    alias = message.envelope.forwarded.get(one.recipient.address)
    cause = cause_of(Said(step, reply.code, reply.enhanced, f"{said} {reply.text}"))
    return Told(
        one.recipient.address,
        kind,
        one.at,
        cause if alias is None else of_forwarded(cause),
        _status(kind, reply, is_expired),
        step,
        attempt.remote if attempt is not None else "",
        said,
        _plain(one.reason or str(reply)),
        message.envelope.wish(one.recipient.address).original,
        is_expired,
        alias,
        one.findings,
    )


def _reply_of(one: Progress) -> Reply:
    """What the last attempt came to; without one, the last that is known in words."""
    if one.attempt is not None:
        outcome = one.attempt.outcome
        return outcome.reply if isinstance(outcome, Deferred | Failed) else Reply(250, "2.0.0", "")
    found = re.search(rf"(?:^|: ){_CODES.pattern}", one.reason)
    if found is None:
        return Reply(554 if one.state is RecipientState.FAILED else 451, "", one.reason)
    return Reply(int(found[1]), found[2] or "", one.reason)


def _status(kind: Kind, reply: Reply, is_expired: bool) -> str:
    """RFC 3464 2.3.4: the enhanced code, or the least that its class says."""
    if kind is Kind.DELIVERED:
        return "2.0.0"
    if is_expired:
        return _EXPIRED
    leading = "4" if kind is Kind.DELAYED or reply.code < 500 else "5"
    return reply.enhanced if reply.enhanced[:1] == leading else f"{leading}.0.0"


def _plain(text: str) -> str:
    """Bounded and printable, several lines as one."""
    return printable(bounded(" ".join(text.split()), WORDS_CHARACTERS))
