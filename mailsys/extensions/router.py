"""Routers and sources of accounts of plugins: when they fail, nothing can be looked up for the moment."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mailsys.extensions.fit import wrong_account_of, wrong_route
from mailsys.extensions.guard import Guard
from mailsys.interfaces import Account, DirectoryUnavailable, IAccounts, IRouter, PluginFailed, Route
from mailsys.message.address import Address


@implementer(IRouter)
class GuardedRouter:
    """Asks the plugin, within its deadline."""

    def __init__(self, router: Any, guard: Guard) -> None:
        self._router = router
        self._guard = guard

    async def route(self, recipient: Address) -> Route | None:
        """Where it lives; raises DirectoryUnavailable, which names the plugin."""
        declared = (DirectoryUnavailable,)
        try:
            return await self._guard.ask(
                "route", lambda: self._router.route(recipient), wrong_route, declared
            )
        except PluginFailed as failed:
            raise DirectoryUnavailable(str(failed)) from failed


@implementer(IAccounts)
class GuardedAccounts:
    """Asks the plugin, within its deadline."""

    def __init__(self, accounts: Any, guard: Guard) -> None:
        self._accounts = accounts
        self._guard = guard

    async def account(self, address: Address) -> Account | None:
        """The account; raises DirectoryUnavailable, which names the plugin."""
        declared = (DirectoryUnavailable,)
        try:
            return await self._guard.ask(
                "account", lambda: self._accounts.account(address), wrong_account_of(address), declared
            )
        except PluginFailed as failed:
            raise DirectoryUnavailable(str(failed)) from failed
