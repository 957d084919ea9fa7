"""Accounts from further sources beside those of ``mailsys account``."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from mailsys.interfaces import Account, IAccounts, IDirectory
from mailsys.message.address import Address


@implementer(IDirectory)
class DirectoryWithSources:
    """Asks our own directory first, then the sources in their order.

    Domains, aliases and the postmaster are those of our own, and so is an account that both know.
    """

    def __init__(self, own: IDirectory, sources: Sequence[IAccounts]) -> None:
        self._own = own
        self._sources = tuple(sources)

    async def is_local(self, domain: str) -> bool:
        """Is this domain ours?"""
        return await self._own.is_local(domain)

    async def account(self, address: Address) -> Account | None:
        """The account of exactly this address, from the first who knows it.

        An alias of this address counts more than what a source says: our own directory is the nearer.
        """
        account = await self._own.account(address)
        if account is not None or not self._sources:
            return account
        if not await self._own.is_local(address.domain) or await self._own.alias(address) is not None:
            return None
        for source in self._sources:
            account = await source.account(address)
            if account is not None:
                return account
        return None

    async def alias(self, address: Address) -> Sequence[Address] | None:
        """The targets of exactly this alias."""
        return await self._own.alias(address)

    async def postmaster(self, domain: str) -> Account | None:
        """Who gets postmaster's mail when nobody has that name."""
        return await self._own.postmaster(domain)
