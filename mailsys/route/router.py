"""Where a recipient lives: local domains, accounts, aliases, catch-all, plus-tags, postmaster.

An alias may also name addresses at other hosts, to which the mail is forwarded.

The order for an address of a local domain: the account or alias of exactly this address; without
its tag; ``postmaster``; the catch-all.  An alias may name further aliases; one that leads back to
itself is refused, so that it is found when somebody writes to it, and not by a mail loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zope.interface import implementer

from mailsys.interfaces import Account, IDirectory, IRouter, Route
from mailsys.message.address import Address
from mailsys.route.search import Path, Search, listed


@dataclass(frozen=True, slots=True)
class Found:
    """What stands for one address: an account, or the targets of an alias."""

    end: Account | Sequence[Address]
    way: str = ""
    is_caught: bool = False


@implementer(IRouter)
class Router:
    """Asks the directory.  ``separator`` begins a tag; empty for no tags."""

    def __init__(self, directory: IDirectory, separator: str) -> None:
        self._directory = directory
        self._separator = separator

    async def route(self, recipient: Address) -> Route | None:
        """Follow aliases to the accounts."""
        if not await self._directory.is_local(recipient.domain):
            return None
        search = Search()
        await self._follow(recipient, (), search)
        return search.conclude()

    async def _follow(self, target: Address, path: Path, search: Search) -> None:
        """Those of other hosts stay as they are written: what their case means, only these know."""
        address = target.folded()
        if not search.begin(address, path):
            return
        if not await self._directory.is_local(address.domain):
            search.outside[target] = None
            search.tell(f"mail for {path[-1]} is forwarded to {target}")
            return
        found = await self._find(address)
        if found is None:
            search.tell(f"{address} does not exist")
            return
        search.is_caught |= found.is_caught and not path
        if found.way:
            search.tell(found.way)
        if isinstance(found.end, Account):
            search.accounts[found.end.address] = found.end
        elif search.allows_alias(path):
            for target in found.end:
                await self._follow(target, (*path, address), search)

    async def _find(self, address: Address) -> Found | None:
        """Account or alias targets of an address of a local domain, and the way to them in words."""
        untagged = address.without_tag(self._separator) if self._separator else address
        found = await self._exact(address)
        if found is None and untagged != address:
            found = await self._exact(untagged)
            if found is not None:
                found = Found(found.end, f"{address} is {untagged} with a tag{_then(found.way)}")
        if found is None and untagged.local_part == "postmaster":
            owner = await self._directory.postmaster(address.domain)
            if owner is not None:
                found = Found(owner, f"{untagged} goes to {owner.address}")
        return found or await self._catch_all(address)

    async def _exact(self, address: Address) -> Found | None:
        account = await self._directory.account(address)
        if account is not None:
            return Found(account)
        targets = await self._directory.alias(address)
        if targets is None:
            return None
        return Found(targets, f"{address} is an alias of {listed(targets)}")

    async def _catch_all(self, address: Address) -> Found | None:
        targets = await self._directory.alias(Address("*", address.domain))
        if targets is None:
            return None
        return Found(targets, f"{address} is caught by *@{address.domain}", is_caught=True)


def _then(way: str) -> str:
    return f", and {way}" if way else ""
