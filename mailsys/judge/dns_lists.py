"""What lists in DNS say of a client's address (RFC 5782, RFC 8904): block lists, and lists of good senders.

Only the lists that the configuration names are asked.  An answer counts as a listing if it is in 127.0.0.0/8,
but for 127.255.255.0/24, with which lists say that they do not answer us; anything else comes from a list
that has gone, or from a resolver that makes up answers.  A list that does not answer in time lists nobody.

A listed client is refused at each recipient, but for postmaster and abuse, who must hear of a wrong listing,
and for recipients to whom the sender has written before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailsys.interfaces import (
    ACCEPT,
    Disposition,
    Finding,
    IResolver,
    ISenderHistory,
    NamesUnavailable,
    NoSuchName,
    Session,
    Verdict,
)
from mailsys.judge.bounded import within
from mailsys.judge.silent import SilentJudge
from mailsys.judge.strangers import Strangers
from mailsys.message.address import Address
from mailsys.message.reply import Reply
from mailsys.net.origin import plain_host

SECONDS = 5.0  # for all lists together
MOST_SHOWN = 200  # of what a list says
_ALWAYS_HEARD = frozenset({"postmaster", "abuse"})
_LISTING = re.compile(r"127\.(?!255\.255\.)")
_NOT_SHOWN = re.compile(r"[^ -~]+")

log = Logger(namespace="mailsys.judge")


class DNSLists(SilentJudge):
    """Asks ``blocklists`` and ``allowlists``, which are the zones of the lists."""

    name = "dns_lists"

    def __init__(
        self,
        blocklists: Sequence[str],
        allowlists: Sequence[str],
        resolver: IResolver,
        clock: IReactorTime,
        history: ISenderHistory,
        strangers: Strangers,
    ) -> None:
        self._blocklists = tuple(blocklists)
        self._allowlists = tuple(allowlists)
        self._resolver = resolver
        self._clock = clock
        self._history = history
        self._strangers = strangers
        self._in_trouble: set[str] = set()

    async def sender(self, session: Session, reverse_path: Address | None) -> Verdict:
        """Accept, and say which lists have the client."""
        if not (self._blocklists or self._allowlists) or not self._strangers.knows_not(session):
            return ACCEPT
        address = plain_host(session.peer.host).partition("%")[0]
        allowed = await self._listed(self._allowlists, address)
        blocked = () if allowed else await self._listed(self._blocklists, address)
        session.findings["dnswl"] = tuple(
            [Finding("dnswl", "pass", zone, properties=(("dns.zone", zone),)) for zone in allowed]
        )
        session.findings["blocklist"] = tuple([Finding("blocklist", "listed", zone) for zone in blocked])
        found = [*(f"{zone} vouches for it" for zone in allowed), *(f"{zone} lists it" for zone in blocked)]
        return Verdict(Disposition.ACCEPT, "; ".join(found) or "no list has it")

    async def recipient(self, session: Session, recipient: Address) -> Verdict:
        """Reject a client that is listed with 550 5.7.1, or accept."""
        listed = next(iter(session.findings.get("blocklist", ())), None)
        if listed is None or recipient.local_part.casefold() in _ALWAYS_HEARD:
            return ACCEPT
        if await self._history.knows(session, session.reverse_path, [recipient]):
            return Verdict(Disposition.ACCEPT, f"{listed.domain} lists it, yet the sender has written before")
        said = await self._told_by(listed.domain, session.peer.host)
        words = f"Your address is listed by {listed.domain}{f': {said}' if said else ''}"
        return Verdict(Disposition.REJECT, f"{listed.domain} lists it", Reply(550, "5.7.1", words))

    async def _listed(self, zones: Sequence[str], address: str) -> tuple[str, ...]:
        """Those of the lists that have the address; all are asked at once."""
        asked = [Deferred.fromCoroutine(self._is_listed(zone, address)) for zone in zones]
        return tuple([zone for zone, one in zip(zones, asked, strict=True) if await one])

    async def _is_listed(self, zone: str, address: str) -> bool:
        try:
            asked = self._resolver.ipv4_addresses(f"{reversed_name(address)}.{zone}")
            codes = (await within(SECONDS, self._clock, asked)).records
        except NoSuchName:
            codes = ()
        except (NamesUnavailable, TimeoutError):
            return self._trouble(zone, "it does not answer")
        if odd := next((code for code in codes if not _LISTING.match(code)), None):
            return self._trouble(zone, f"it says {odd}, which is no listing")
        self._in_trouble.discard(zone)
        return bool(codes)

    def _trouble(self, zone: str, why: str) -> bool:
        """Tell the operator once; whom it lists cannot be told."""
        if zone not in self._in_trouble:
            self._in_trouble.add(zone)
            log.warn("The list {zone} cannot be used for the moment: {why}", zone=zone, why=why)
        return False

    async def _told_by(self, zone: str, host: str) -> str:
        """What the list says to who is listed, made printable."""
        try:
            asked = self._resolver.text(f"{reversed_name(plain_host(host).partition('%')[0])}.{zone}")
            texts = (await within(SECONDS, self._clock, asked)).records
        except (NoSuchName, NamesUnavailable, TimeoutError):
            return ""
        return _NOT_SHOWN.sub(" ", texts[0][:MOST_SHOWN].decode("ascii", "replace")) if texts else ""


def reversed_name(address: str) -> str:
    """RFC 5782 2.1 and 2.4: the octets of IPv4, the nibbles of IPv6, the last first."""
    parsed: IPv4Address | IPv6Address = ip_address(address)
    return parsed.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
