"""As whom an account may send: as whom it gets mail.

That is its own address, with any tag, every alias that leads to it, alone or with others, and those
addresses of a catch-all under which somebody wrote to it.
"""

from __future__ import annotations

from zope.interface import implementer

from mailsys.interfaces import ICaughtAddresses, IRouter, ISenders, ToMailboxes
from mailsys.message.address import Address

MOST_LABELS = 8  # of a name, from its end, in which a domain of ours is sought


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

    async def is_ours(self, domain: str) -> bool:
        """Is it one of this host, or below one?  (DMARC lets a domain vouch for those below it.)

        Raises DirectoryUnavailable.
        """
        if domain.startswith("["):
            return False
        labels = domain.split(".")
        for start in range(max(0, len(labels) - MOST_LABELS), len(labels)):
            name = ".".join(labels[start:])
            if await self._router.route(Address("postmaster", name)) is not None:
                return True
        return False
