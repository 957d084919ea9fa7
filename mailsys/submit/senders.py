"""As whom an account may send: as whom it gets mail.

That is its own address, with any tag, every alias that leads to it, alone or with others, and those
addresses of a catch-all under which somebody wrote to it.
"""

from __future__ import annotations

from zope.interface import implementer

from mailsys.interfaces import ICaughtAddresses, IRouter, ISenders, ToMailboxes
from mailsys.message.address import Address


@implementer(ISenders)
class Senders:
    """Asks the router, as mail to the address would."""

    def __init__(self, router: IRouter, caught: ICaughtAddresses) -> None:
        self._router = router
        self._caught = caught

    async def may_use(self, account: Address, address: Address) -> bool:
        """May the account write this address as its own?  Raises DirectoryUnavailable."""
        address = address.folded()
        if address == account:
            return True
        route = await self._router.route(address)
        if not isinstance(route, ToMailboxes) or account not in [one.address for one in route.accounts]:
            return False
        return not route.is_caught or await self._caught.has_received(account, address)
