"""Which hosts take mail for a domain, in what order (RFC 5321 5.1, RFC 7505)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from mailsys.interfaces import IResolver, MailExchange, NamesUnavailable, NoSuchName
from mailsys.message.outcome import Step
from mailsys.message.reply import Reply
from mailsys.send import trouble
from mailsys.send.addresses import OwnHost, is_public
from mailsys.send.host import Host
from mailsys.send.trouble import Trouble

HOSTS = 10  # of a domain that has more, only so many are tried
ADDRESSES = 4  # of one host


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Finds hosts; ``port`` is where they listen, ``shuffle`` puts a list into random order."""

    resolver: IResolver
    own: OwnHost
    shuffle: Callable[[list[Any]], None]
    port: int = 25
    allow_private: bool = False

    async def search(self, domain: str) -> Search:
        """Begin with a domain or an address literal; raises Trouble when nobody takes its mail."""
        if domain.startswith("["):
            return Search(self, domain, [[domain[1:-1].removeprefix("IPv6:")]])
        try:
            records = (await self.resolver.mail_exchanges(domain)).records
        except NoSuchName:
            raise Trouble(Step.ROUTE, _about(trouble.NO_SUCH_DOMAIN, domain)) from None
        except NamesUnavailable as error:
            raise Trouble(Step.ROUTE, _about(trouble.NO_NAMES, domain, str(error))) from None
        if not records:
            return Search(self, domain, [[domain]])  # the implicit MX
        named = [record for record in records if record.host not in ("", ".")]
        if not named:
            raise Trouble(Step.ROUTE, _about(trouble.TAKES_NO_MAIL, domain))
        return Search(self, domain, self._in_order(named))

    def _in_order(self, records: Sequence[MailExchange]) -> list[list[str]]:
        """By preference, in random order among equals; from ourselves on, nobody (RFC 5321 5.1).

        A host that comes to the same domain as an MX and hands it to one that is no better would see
        the message again.
        """
        groups: list[list[str]] = []
        ordered = sorted(records, key=lambda record: record.preference)
        for _preference, equals in groupby(ordered, key=lambda record: record.preference):
            names = list(dict.fromkeys(record.host.lower().rstrip(".") for record in equals))
            if self.own.name in names:
                break
            self.shuffle(names)
            groups.append(names)
        return _first(groups, HOSTS)


class Search:
    """The hosts of one domain, group by group; what was wrong with those passed over is remembered."""

    def __init__(self, exchanges: Exchanges, domain: str, groups: list[list[str]]) -> None:
        self._exchanges = exchanges
        self._domain = domain
        self._groups = groups
        self._found = False
        self._why: list[Reply] = [] if groups else [_about(trouble.LOOP, domain)]

    async def next_hosts(self) -> list[Host]:
        """Return the next best hosts, all equally good; none when there are no more.

        Raises Trouble when there was never any.
        """
        while self._groups:
            names = self._groups.pop(0)
            located = [await self._locate(name) for name in names]
            if any(self._is_own(host) for host in located):
                self._groups.clear()
                self._why.append(_about(trouble.LOOP, self._domain))
                break
            if hosts := [host for host in located if host.addresses]:
                self._found = True
                return hosts
        if not self._found:
            raise Trouble(Step.ROUTE, self._verdict())
        return []

    async def _locate(self, name: str) -> Host:
        """Find a host's addresses, none if it may not be spoken with."""
        addresses = await self._addresses(name)
        if not self._exchanges.allow_private:
            public = [address for address in addresses if is_public(address)]
            if addresses and not public and not self._is_at_own(addresses):
                words = f"{name} has only addresses of private nets ({', '.join(addresses[:ADDRESSES])})"
                self._why.append(_about(trouble.LOOP, self._domain, words))
            addresses = public or [address for address in addresses if self._is_at_own([address])]
        return Host(name, self._exchanges.port, tuple(addresses[:ADDRESSES]))

    async def _addresses(self, name: str) -> list[str]:
        if self._domain.startswith("["):
            return [name]
        if _is_address(name):  # RFC 5321 5.1: an MX is a name, and this is none
            self._why.append(
                _about(trouble.NO_HOST, self._domain, f"its MX {name} is an address, not a name")
            )
            return []
        try:
            addresses = (await self._exchanges.resolver.addresses(name)).records
        except NamesUnavailable as error:
            self._why.append(_about(trouble.NO_NAMES, name, str(error)))
            return []
        except NoSuchName:
            addresses = ()
        if not addresses:
            self._why.append(_about(trouble.NO_HOST, self._domain, f"{name} has no address"))
        return list(addresses)

    def _is_own(self, host: Host) -> bool:
        return self._is_at_own(host.addresses)

    def _is_at_own(self, addresses: Sequence[str]) -> bool:
        own, port = self._exchanges.own, self._exchanges.port
        return any(own.is_at(address, port) for address in addresses)

    def _verdict(self) -> Reply:
        """What DNS may know better later is temporary; else the first thing that was wrong."""
        temporary = [reply for reply in self._why if reply.is_transient]
        return (temporary or self._why)[0]


def _first(groups: list[list[str]], limit: int) -> list[list[str]]:
    kept: list[list[str]] = []
    for group in groups:
        kept.append(group[:limit])
        limit -= len(kept[-1])
    return [group for group in kept if group]


def _about(reply: Reply, subject: str, detail: str = "") -> Reply:
    return reply.with_text(f"{reply.text}: {subject}" + (f" ({detail})" if detail else ""))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
