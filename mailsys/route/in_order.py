"""Several routers as one: the first that knows a recipient decides."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from mailsys.interfaces import IRouter, Route
from mailsys.message.address import Address


@implementer(IRouter)
class RoutersInOrder:
    """Asked in their order, until one has a route or a refusal."""

    def __init__(self, routers: Sequence[IRouter]) -> None:
        self._routers = tuple(routers)

    async def route(self, recipient: Address) -> Route | None:
        """The first answer; None when the recipient is nobody's business."""
        for router in self._routers:
            route = await router.route(recipient)
            if route is not None:
                return route
        return None
