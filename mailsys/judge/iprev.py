"""Does the client's address have a name that leads back to it?  (RFC 8601 3, FCrDNS.)

A host that is meant to send mail has one; most machines that somebody has taken over do not.  Nothing
is refused for it: it is one sign among others.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime

from mailsys.interfaces import (
    ACCEPT,
    Disposition,
    Finding,
    IResolver,
    NamesUnavailable,
    NoSuchName,
    Session,
    Verdict,
)
from mailsys.judge.bounded import within
from mailsys.judge.silent import SilentJudge
from mailsys.judge.strangers import Strangers
from mailsys.message.address import Address
from mailsys.net.origin import plain_host

MOST_NAMES = 10
SECONDS = 10.0


class IPRev(SilentJudge):
    """Finds the name of a client."""

    name = "iprev"

    def __init__(self, resolver: IResolver, clock: IReactorTime, strangers: Strangers) -> None:
        self._resolver = resolver
        self._clock = clock
        self._strangers = strangers

    async def sender(self, session: Session, reverse_path: Address | None) -> Verdict:
        """Accept, and say what the client's name is."""
        if not self._strangers.knows_not(session):
            return ACCEPT
        finding = await reverse_name(plain_host(session.peer.host), self._resolver, self._clock)
        session.findings["iprev"] = (finding,)
        return Verdict(Disposition.ACCEPT, f"{finding.result}: {finding.reason}")


async def reverse_name(address: str, resolver: IResolver, clock: IReactorTime) -> Finding:
    """The finding for an address."""
    try:
        result, name, reason = await within(SECONDS, clock, _looked_up(address, resolver))
    except (NamesUnavailable, TimeoutError):
        result, name, reason = "temperror", "", f"DNS has no answer for the moment about {address}"
    return Finding("iprev", result, name, reason, (("policy.iprev", address),))


async def _looked_up(address: str, resolver: IResolver) -> tuple[str, str, str]:
    try:
        names = (await resolver.pointers(address)).records
    except NoSuchName:
        names = ()
    if not names:
        return "permerror", "", f"{address} has no name in DNS"
    for name in names[:MOST_NAMES]:
        if address in await _addresses(name, address, resolver):
            return "pass", name, f"{address} is {name}"
    return "fail", "", f"{address} claims to be {names[0]}, which does not lead back to it"


async def _addresses(name: str, address: str, resolver: IResolver) -> Sequence[str]:
    ask = resolver.ipv6_addresses if ":" in address else resolver.ipv4_addresses
    try:
        return (await ask(name)).records
    except NoSuchName:
        return ()
