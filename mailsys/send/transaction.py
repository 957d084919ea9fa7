"""One message over one dialogue, and what came of it for each recipient."""

from __future__ import annotations

from typing import Protocol

from mailsys.interfaces import Attempt
from mailsys.message.address import Address
from mailsys.message.outcome import Step, outcome_of
from mailsys.message.reply import Reply
from mailsys.send import trouble
from mailsys.send.dialogue import Dialogue
from mailsys.send.trouble import Trouble
from mailsys.wire.smtp.client_events import (
    BodyWanted,
    MessageAnswered,
    NoBody,
    RecipientAnswered,
    SenderAnswered,
)
from mailsys.wire.smtp.client_lines import Order
from mailsys.wire.smtp.client_state import State


class Body(Protocol):
    """The octets of a message, for this server."""

    async def next_piece(self) -> tuple[bytes, bool]:
        """Return the next piece, and whether it is the last; raises OSError."""


class Transaction:
    """Made new for each message; never raises for what the server does.

    Afterwards ``attempts`` has an entry for every recipient of the order, and ``heard`` tells whether the
    server has answered anything at all.
    """

    def __init__(self, dialogue: Dialogue, order: Order, body: Body) -> None:
        self.attempts: dict[Address, Attempt] = {}
        self.heard = False
        self._dialogue = dialogue
        self._machine = dialogue.machine
        self._order = order
        self._body = body
        self._taken: list[Address] = []

    async def run(self) -> dict[Address, Attempt]:
        """Hand it over."""
        self._dialogue.begin_message()
        self._dialogue.messages += 1
        self._machine.send(self._order)
        try:
            while not await self._is_over():
                pass
        except Trouble as stopped:
            self._stop(stopped)
        return self.attempts

    async def _is_over(self) -> bool:
        """Take the next event."""
        event = await self._dialogue.next_event()
        self.heard = True
        match event:
            case SenderAnswered(reply):
                if not reply.is_positive:
                    self._settle(self._order.recipients, reply, Step.MAIL)
            case RecipientAnswered(recipient, reply):
                if reply.is_positive:
                    self._taken.append(recipient)
                else:
                    self._settle([recipient], reply, Step.RCPT)
            case NoBody(reply):
                if reply is not None:
                    self._settle(self._taken, reply, Step.DATA)
                return True
            case BodyWanted():
                await self._send_body()
            case MessageAnswered(recipients, reply):
                self._settle(recipients, reply, Step.MESSAGE)
                return self._machine.state is State.READY
        return False

    async def _send_body(self) -> None:
        """Stop as soon as the server says no."""
        last = False
        while not last:
            try:
                piece, last = await self._body.next_piece()
            except OSError as error:
                self._dialogue.abort()
                words = f"{trouble.UNREADABLE.text}: {error.strerror or error}"
                raise Trouble(Step.DATA, trouble.UNREADABLE.with_text(words)) from None
            self._dialogue.check_for_trouble()
            self._machine.send_body(piece, last=last)
            await self._dialogue.send_on()

    def _settle(self, recipients: list[Address] | tuple[Address, ...], reply: Reply, step: Step) -> None:
        """What the server said about these; the first no counts."""
        for recipient in recipients:
            if recipient not in self.attempts:
                self.attempts[recipient] = self._attempt(reply, step, str(reply))

    def _stop(self, stopped: Trouble) -> None:
        """The session is over: so are all that are not settled."""
        for recipient in self._order.recipients:
            if recipient not in self.attempts:
                uncertain = stopped.is_uncertain and recipient in self._taken
                self.attempts[recipient] = self._attempt(
                    stopped.reply, stopped.step, stopped.said, is_uncertain=uncertain
                )

    def _attempt(self, reply: Reply, step: Step, said: str, *, is_uncertain: bool = False) -> Attempt:
        remote = self._dialogue.remote
        return Attempt(
            outcome_of(reply, remote),
            step,
            remote,
            self._dialogue.tls,
            said[:1000],
            is_uncertain,
            hands_on_notices=reply.is_positive and "DSN" in self._machine.offers,
        )
