"""Where does it live?  Accounts, routes, and who knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zope.interface import Interface

from mailsys.message.address import Address
from mailsys.message.reply import Reply


@dataclass(frozen=True, slots=True)
class Account:
    """Someone with a mailbox.  ``quota_bytes`` is None without a limit."""

    address: Address
    quota_bytes: int | None = None
    active: bool = True


class DirectoryUnavailable(Exception):  # noqa: N818 - the peer may try again
    """Nothing can be looked up for the moment; a peer is told 451."""


class IDirectory(Interface):
    """Domains, accounts and aliases.  Addresses are folded (``Address.folded``) by the caller.

    Every method may raise DirectoryUnavailable.
    """

    async def is_local(domain: str) -> bool:
        """Is this domain ours?"""

    async def account(address: Address) -> Account | None:
        """The account of exactly this address."""

    async def alias(address: Address) -> Sequence[Address] | None:
        """The targets of exactly this alias; ``*@domain`` is the catch-all."""

    async def postmaster(domain: str) -> Account | None:
        """Who gets postmaster's mail when no account or alias of that name exists (RFC 5321 4.5.1)."""


class IAccounts(Interface):
    """A further source of accounts: a password file, LDAP, …  Asked for addresses of our domains only."""

    async def account(address: Address) -> Account | None:
        """The account of exactly this (folded) address; raises DirectoryUnavailable."""


@dataclass(frozen=True, slots=True)
class ToMailboxes:
    """It goes into these accounts' mailboxes; ``via`` tells the way in words (aliases, tags).

    ``is_caught`` says that nobody has this address, and a catch-all took it.  ``outside`` are addresses at
    other hosts to which it is forwarded as well, or alone.
    """

    accounts: tuple[Account, ...]
    via: tuple[str, ...] = ()
    is_caught: bool = False
    outside: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class ToDelivery:
    """It is handed to the delivery that the configuration calls ``delivery``."""

    delivery: str
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be taken; the peer is told why."""

    reply: Reply
    via: tuple[str, ...] = ()


Route = ToMailboxes | ToDelivery | Refused


class IRouter(Interface):
    """Finds where a recipient lives."""

    async def route(recipient: Address) -> Route | None:
        """Return None when the recipient is none of this router's business.

        Raises DirectoryUnavailable when that cannot be told for the moment.
        """
