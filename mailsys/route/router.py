"""Where a recipient lives: local domains, accounts, aliases, catch-all, plus-tags, postmaster.

The order for an address of a local domain: the account or alias of exactly this address; without
its tag; ``postmaster``; the catch-all.  An alias may name further aliases; one that leads back to
itself is refused, so that it is found when somebody writes to it, and not by a mail loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zope.interface import implementer

from mailsys.interfaces import Account, IDirectory, IRouter, Refused, Route, ToMailboxes
from mailsys.message import reply as replies
from mailsys.message.address import Address

DEPTH = 10  # of aliases in aliases
TARGETS = 1000  # accounts that one address may reach


@dataclass(slots=True)
class Search:
    """What was found so far for one recipient."""

    accounts: dict[Address, Account] = field(default_factory=dict)
    via: list[str] = field(default_factory=list)
    outside: list[Address] = field(default_factory=list)
    loops: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What stands for one address: an account, or the targets of an alias."""

    end: Account | Sequence[Address]
    way: str = ""


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
        await self._follow(recipient.folded(), (), search)
        return _conclude(search)

    async def _follow(self, address: Address, path: tuple[Address, ...], search: Search) -> None:
        if address in path:
            search.loops = True
            return
        if not await self._directory.is_local(address.domain):
            search.outside.append(address)
            return
        found = await self._find(address)
        if found is None:
            search.via.append(f"{address} does not exist")
            return
        if found.way:
            search.via.append(found.way)
        if isinstance(found.end, Account):
            search.accounts[found.end.address] = found.end
        elif len(path) >= DEPTH or len(search.accounts) + len(found.end) > TARGETS:
            search.loops = True
        else:
            for target in found.end:
                await self._follow(target.folded(), (*path, address), search)

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
        return Found(targets, f"{address} is an alias of {', '.join(map(str, targets))}")

    async def _catch_all(self, address: Address) -> Found | None:
        targets = await self._directory.alias(Address("*", address.domain))
        return None if targets is None else Found(targets, f"{address} is caught by *@{address.domain}")


def _then(way: str) -> str:
    return f", and {way}" if way else ""


def _conclude(search: Search) -> Route:
    via = tuple(search.via)
    if search.loops:
        return Refused(replies.ALIAS_LOOP, via)
    if search.outside:
        return Refused(replies.NO_FORWARDING, via)
    if not search.accounts:
        return Refused(replies.NO_SUCH_USER, via)
    return ToMailboxes(tuple(search.accounts.values()), via)
