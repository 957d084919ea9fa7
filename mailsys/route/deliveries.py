"""``[route.deliveries]``: addresses and whole domains whose mail goes to a delivery."""

from __future__ import annotations

from collections.abc import Mapping

from zope.interface import implementer

from mailsys.interfaces import IRouter, Route, ToDelivery
from mailsys.message.address import Address


@implementer(IRouter)
class DeliveryRouter:
    """``deliveries`` are names by folded address or by domain; ``separator`` begins a tag."""

    def __init__(self, deliveries: Mapping[Address | str, str], separator: str) -> None:
        self._deliveries = deliveries
        self._separator = separator

    async def route(self, recipient: Address) -> Route | None:
        """The address, then the address without its tag, then the domain."""
        folded = recipient.folded()
        untagged = folded.without_tag(self._separator) if self._separator else folded
        for whom in (folded, untagged, folded.domain):
            if (name := self._deliveries.get(whom)) is not None:
                return ToDelivery(name, (f"mail for {whom} goes to the delivery {name}",))
        return None
