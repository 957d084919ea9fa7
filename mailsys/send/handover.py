"""Hands a message to one host, for as many recipients as the session lasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailsys.interfaces import Attempt, IWorkers
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Failed, Step
from mailsys.message.reply import Reply
from mailsys.send import trouble
from mailsys.send.dialogue import Dialogue
from mailsys.send.fitting import Fitted, Fitting
from mailsys.send.transaction import Transaction
from mailsys.send.trouble import Trouble
from mailsys.wire.smtp.client_state import State

RECIPIENTS = 100  # RFC 5321 4.5.3.1.8: what every host must take at once


class Stale(Exception):  # noqa: N818 - the next connection will do
    """A kept connection ended before the server said anything about this message."""


@dataclass(frozen=True, slots=True)
class Handover:
    """One message."""

    envelope: Envelope
    content: Content
    workers: IWorkers

    async def run(self, dialogue: Dialogue, recipients: Sequence[Address]) -> dict[Address, Attempt]:
        """Return what came of it, for one recipient at least; of the others nothing was said yet.

        Raises Trouble when the message cannot be read, and Stale.
        """
        try:
            fitting = Fitting(
                self.envelope, self.content, dialogue.machine.offers, dialogue.remote, self.workers
            )
            fitted = await fitting.fit(recipients)
        except OSError as error:
            words = f"{trouble.UNREADABLE.text}: {error.strerror or error}"
            raise Trouble(Step.MAIL, trouble.UNREADABLE.with_text(words)) from None
        attempts = {one: _refused(reply, dialogue) for one, reply in fitted.refused.items()}
        left = [one for one in recipients if one not in attempts]
        limit = min(RECIPIENTS, dialogue.machine.offers.recipient_limit or RECIPIENTS)
        while left and dialogue.machine.state is State.READY:
            batch = left[:limit]
            done = await self._transact(dialogue, fitted, batch)
            again = _too_many(done)
            attempts.update({one: attempt for one, attempt in done.items() if one not in again})
            left = again + left[limit:]
        return attempts

    async def _transact(
        self, dialogue: Dialogue, fitted: Fitted, batch: Sequence[Address]
    ) -> dict[Address, Attempt]:
        is_kept = dialogue.messages > 0
        transaction = Transaction(dialogue, fitted.order(batch), fitted.open_body(self.workers))
        done = await transaction.run()
        if is_kept and not transaction.heard:
            raise Stale
        return done


def _refused(reply: Reply, dialogue: Dialogue) -> Attempt:
    return Attempt(Failed(reply), Step.MAIL, dialogue.remote, dialogue.tls)


def _too_many(done: dict[Address, Attempt]) -> list[Address]:
    """RFC 5321 4.5.3.1.10: those whom the server wants in a transaction of their own.

    It must have taken others; else the same would be said again.
    """
    refused = [
        one
        for one, attempt in done.items()
        if attempt.step is Step.RCPT
        and isinstance(attempt.outcome, Deferred | Failed)
        and attempt.outcome.reply.enhanced in ("4.5.3", "5.5.3")
    ]
    return refused if len(refused) < len(done) else []
