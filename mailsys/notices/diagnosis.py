"""Looks, as soon as another host refuses our mail, at the record or list that it speaks of.

What is found stands in the notice and in the story: whoever runs this host reads there which line to publish,
and need not guess from the words of a stranger.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.dkim.key_file import BadKeyFile, StoredKey
from mailsys.interfaces import (
    DirectoryUnavailable,
    HostStops,
    IDiagnosis,
    IZoneResolver,
    NamesUnavailable,
    NoSuchName,
)
from mailsys.message.address import Address
from mailsys.message.reply import Reply
from mailsys.notices.causes import Fault, Said, cause_of
from mailsys.publish.comparison import Finding, SPFCheck, State, compare
from mailsys.publish.wanted import Host, published_keys

SECONDS = 10.0
MOST_ADDRESSES = 4
MOST_CHARACTERS = 1000  # of one finding

# Lists that can be asked in DNS, and where their people can be asked to take an address off.
LISTS = {
    "Spamhaus": ("zen.spamhaus.org", "https://check.spamhaus.org/"),
    "Barracuda": ("b.barracudacentral.org", "https://www.barracudacentral.org/rbl/removal-request"),
    "SpamCop": ("bl.spamcop.net", "https://www.spamcop.net/bl.shtml"),
    "UCEPROTECT": ("dnsbl-1.uceprotect.net", "https://www.uceprotect.net/"),
}
_PAGES = {
    "Microsoft": "https://sender.office.com/ or https://olcsupport.office.com/",
    "Abusix": "https://lookup.abusix.com/",
    "Invaluement": "https://www.invaluement.com/lookup/",
}
_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
# What lists answer to those whom they do not answer: that is no listing.
_ERRORS = ipaddress.ip_network("127.255.255.0/24")
_LISTINGS = ipaddress.ip_network("127.0.0.0/8")
_KINDS = {
    Fault.AUTHENTICATION: frozenset({"TXT"}),
    Fault.REVERSE_NAME: frozenset({"A", "AAAA", "PTR"}),
}
_NAMES = {Fault.AUTHENTICATION: "SPF, DKIM and DMARC of {domain}", Fault.REVERSE_NAME: "{hostname}"}

log = Logger(namespace="mailsys.notices")


@dataclass(slots=True)
class Surroundings:
    """What is asked: DNS, what should be there, and which domains are ours (with their keys)."""

    host: Host
    resolver: IZoneResolver
    spf: SPFCheck
    keys: Callable[[str], Awaitable[Sequence[StoredKey]]]
    is_ours: Callable[[str], Awaitable[bool]]


@implementer(IDiagnosis)
class Diagnosis:
    """``surroundings`` are asked for anew each time, as the configuration may have changed."""

    def __init__(self, surroundings: Callable[[], Surroundings], clock: IReactorTime) -> None:
        self._surroundings = surroundings
        self._clock = clock

    async def findings(self, said: str, reply: Reply, sender: Address | None) -> Sequence[str]:
        """Sentences, each with what to publish or whom to ask."""
        cause = cause_of(Said(None, reply.code, reply.enhanced, f"{said} {reply.text}"))
        if cause.fault is None:
            return ()
        looking = Deferred.fromCoroutine(self._look(cause.fault, cause.blocklist, said, sender))
        try:
            found = await looking.addTimeout(SECONDS, self._clock)
        except (CancelledError, TimeoutError):
            return (f"DNS did not answer within {SECONDS:.0f} seconds, so nothing was looked up.",)
        except (NamesUnavailable, OSError, BadKeyFile, DirectoryUnavailable, HostStops) as error:
            return (f"Nothing could be looked up: {error}.",)
        except Exception:
            log.failure("A refusal could not be looked into")
            return ()
        return [one[:MOST_CHARACTERS] for one in found]

    async def _look(self, fault: Fault, blocklist: str, said: str, sender: Address | None) -> Sequence[str]:
        around = self._surroundings()
        if fault is Fault.BLOCKLIST:
            return await _on_list(around, blocklist, said)
        if sender is None:
            return ()
        if fault is Fault.AUTHENTICATION and not await around.is_ours(sender.domain):
            return (
                f"{sender.domain} is no domain of this host: whoever runs it must let {around.host.hostname} "
                "send for it, in its SPF record.",
            )
        keys = published_keys(await around.keys(sender.domain))
        compared = await compare(sender.domain, around.host, keys, around.resolver, around.spf)
        bad = [one for one in compared if one.is_bad and one.record.kind in _KINDS[fault]]
        if bad:
            return [_told(one, around.host) for one in bad]
        what = _NAMES[fault].format(domain=sender.domain, hostname=around.host.hostname)
        return (f"What DNS says of {what} is right now; it may have been otherwise a while ago.",)


def _told(finding: Finding, host: Host) -> str:
    record = finding.record
    if finding.state is State.UNKNOWN:
        return f"{record.name} ({record.kind}): {finding.words}."
    publish = record.line if record.value else f"{host.hostname}. A (the address of this host)"
    return f"{record.name} ({record.kind}) is {finding.state.value}: {finding.words}.  Publish: {publish}"


async def _on_list(around: Surroundings, blocklist: str, said: str) -> Sequence[str]:
    """Is it so, by what the list itself says?"""
    if blocklist in _PAGES:
        return (f"{blocklist} tells at {_PAGES[blocklist]} what it holds against this host.",)
    if blocklist not in LISTS:
        return ()
    zone, page = LISTS[blocklist]
    return [await _listed(around, address, zone, page) for address in await _addresses(around, said)]


async def _addresses(around: Surroundings, said: str) -> Sequence[str]:
    """The one that the other host names, for it saw it; else those of this host."""
    named = [text for text in _ADDRESS.findall(said) if _is_address(text)]
    if named:
        return named[:1]
    if around.host.addresses:
        return around.host.addresses[:MOST_ADDRESSES]
    return (await around.resolver.addresses(around.host.hostname)).records[:MOST_ADDRESSES]


async def _listed(around: Surroundings, address: str, zone: str, page: str) -> str:
    """RFC 5782 2.1."""
    pointer = ipaddress.ip_address(address).reverse_pointer.rpartition(".")[0].rpartition(".")[0]
    try:
        answers = (await around.resolver.addresses(f"{pointer}.{zone}")).records
    except NoSuchName:
        return f"{address} is not on {zone} now; it may have been a while ago."
    codes = [one for one in answers if ipaddress.ip_address(one) in _LISTINGS]
    listings = [one for one in codes if ipaddress.ip_address(one) not in _ERRORS]
    if not listings:
        return f"{zone} does not answer this host's questions; look at {page} whether {address} is listed."
    return (
        f"{address} is on {zone} ({', '.join(listings[:MOST_ADDRESSES])}): see {page} why, and how it ends."
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
