"""Where mail for a domain goes: a route of its own, the smarthost, or the domain's MX."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mailsys.config.nexthop import MX, NextHop
from mailsys.interfaces import IResolver, NamesUnavailable, NoSuchName
from mailsys.message.outcome import Step
from mailsys.message.reply import Reply
from mailsys.send import trouble
from mailsys.send.addresses import OwnHost
from mailsys.send.demand import ANYTHING, Protection, TlsDemand
from mailsys.send.exchange import ADDRESSES
from mailsys.send.host import Host
from mailsys.send.trouble import Trouble
from mailsys.wire.sasl.client import Login


@dataclass(frozen=True, slots=True)
class Routes:
    """As in ``[send]``.  ``password`` gives that of the smarthost; it is asked anew at each login."""

    smarthost: NextHop | None = None
    by_domain: Mapping[str, NextHop] = field(default_factory=dict)
    password: Callable[[], str] | None = None

    def next_hop(self, domain: str) -> NextHop:
        """A route goes before the smarthost, the smarthost before MX."""
        return self.by_domain.get(domain, self.smarthost or MX)

    def login(self, hop: NextHop) -> Login | None:
        """What to log in with there; raises OSError when the password cannot be read."""
        if hop == self.smarthost and hop.user and self.password is not None:
            return Login(hop.user, self.password())
        return None


class Relay:
    """The one host of a route, in the form of a search.

    Whoever runs this host has chosen it, so a private address is as good as any.  What is wrong with it
    is theirs to mend, so it is never the end of a message.
    """

    def __init__(self, resolver: IResolver, own: OwnHost, hop: NextHop, login: Login | None) -> None:
        self._resolver = resolver
        self._own = own
        self._hop = hop
        self._login = login
        self._asked = False

    async def next_hosts(self) -> list[Host]:
        """Return the host the first time, none after it; raises Trouble."""
        if self._asked:
            return []
        self._asked = True
        addresses = (await self._addresses())[:ADDRESSES]
        if any(self._own.is_at(address, self._hop.port) for address in addresses):
            reply = trouble.LOOP.with_text(f"The route {self._hop} leads back to this host")
            raise Trouble(Step.ROUTE, Reply(451, "4.4.6", reply.text))
        near = is_near(addresses)
        return [
            Host(
                self._hop.host,
                self._hop.port,
                tuple(addresses),
                scheme=self._hop.scheme,
                is_route=True,
                login=self._login,
                demand=self._demand(near),
                password_in_clear=near,
            )
        ]

    def _demand(self, near: bool) -> TlsDemand:
        """A password, and smtps, want to know who is there; over loopback nobody can listen."""
        if near:
            return ANYTHING
        if self._hop.scheme == "smtps" or self._login is not None:
            return TlsDemand(Protection.VERIFIED, f"the route {self._hop}")
        return ANYTHING

    async def _addresses(self) -> list[str]:
        name = self._hop.host
        if written := _written_address(name):
            return [written]
        try:
            addresses = (await self._resolver.addresses(name)).records
        except NamesUnavailable as error:
            raise Trouble(
                Step.ROUTE, trouble.NO_NAMES.with_text(f"DNS does not answer: {name} ({error})")
            ) from None
        except NoSuchName:
            addresses = ()
        if not addresses:
            raise Trouble(Step.ROUTE, Reply(451, "4.4.4", f"{name} of the route {self._hop} has no address"))
        return list(addresses)


@lru_cache(maxsize=100)  # for every message the same few
def _written_address(host: str) -> str:
    """The address that a host's name says by itself; empty when DNS is to say it."""
    if host == "localhost":  # RFC 6761 6.3: never asked in DNS
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""


def is_near(addresses: Sequence[str]) -> bool:
    """Is the way there one that nobody else can listen to?"""
    return all(map(_is_loopback, addresses))


@lru_cache(maxsize=1000)
def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
