"""Users who send: as whom they may, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from mailsys.message.address import Address


class ISenders(Interface):
    """As whom accounts may send."""

    async def may_use(account: Address, address: Address) -> bool:
        """May the account write this address as its own?  Raises DirectoryUnavailable."""

    async def is_ours(domain: str) -> bool:
        """Is it a domain of this host, or below one?  Raises DirectoryUnavailable."""


class ISendingLimits(Interface):
    """How much accounts may send to other hosts in a day."""

    async def left(account: Address) -> int:
        """How many copies, one a recipient, may it still hand in?  Raises OSError."""

    async def count(account: Address, recipients: Sequence[Address]) -> str:
        """A message for these is about to be accepted; return why it is to be held, or nothing.

        Returns when it is counted; raises OSError.
        """


class ICaughtAddresses(Interface):
    """Which addresses of a catch-all brought mail to which account.  All addresses are folded."""

    def note(account: Address, address: Address) -> None:
        """Mail for the address came to the account.  Never makes its caller wait, and never raises."""

    async def has_received(account: Address, address: Address) -> bool:
        """Did mail for the address come to the account?  Raises DirectoryUnavailable."""
