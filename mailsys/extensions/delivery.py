"""Deliveries of plugins: when one fails, its recipients are tried again later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zope.interface import implementer

from mailsys.extensions.fit import wrong_attempts
from mailsys.extensions.guard import Guard
from mailsys.interfaces import Attempt, IDelivery, PluginFailed
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Step
from mailsys.message.reply import LOCAL_ERROR


@implementer(IDelivery)
class GuardedDelivery:
    """Asks the plugin, within its deadline."""

    def __init__(self, delivery: Any, guard: Guard) -> None:
        self._delivery = delivery
        self._guard = guard

    async def deliver(
        self, envelope: Envelope, content: Content, recipients: Sequence[Address]
    ) -> Mapping[Address, Attempt]:
        """Try once; never raises."""
        try:
            return await self._guard.ask(
                "deliver",
                lambda: self._delivery.deliver(envelope, content, recipients),
                wrong_attempts(recipients),
            )
        except PluginFailed as failed:
            # After a deadline it may still be done, and done again at the next attempt.
            attempt = Attempt(Deferred(LOCAL_ERROR), Step.MESSAGE, said=str(failed), is_uncertain=True)
            return dict.fromkeys(recipients, attempt)
