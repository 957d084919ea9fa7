"""Users who send: as whom they may, and what is remembered of them."""

from __future__ import annotations

from zope.interface import Interface

from mailsys.message.address import Address


class ISenders(Interface):
    """As whom accounts may send."""

    async def may_use(account: Address, address: Address) -> bool:
        """May the account write this address as its own?  Raises DirectoryUnavailable."""


class ICaughtAddresses(Interface):
    """Which addresses of a catch-all brought mail to which account.  All addresses are folded."""

    def note(account: Address, address: Address) -> None:
        """Mail for the address came to the account.  Never makes its caller wait, and never raises."""

    async def has_received(account: Address, address: Address) -> bool:
        """Did mail for the address come to the account?  Raises DirectoryUnavailable."""
