"""The evaluation of SPF (RFC 7208 4 and 5): check_host(), over the resolver and with nothing kept."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from mailsys.interfaces import IResolver
from mailsys.judge.spf.explanation import fetch_explanation
from mailsys.judge.spf.lookups import Lookups, PermError, TempError
from mailsys.judge.spf.macros import expand_domain, letters_in
from mailsys.judge.spf.record import BadRecord, Mechanism, Qualifier, Record, is_spf, parse_record
from mailsys.judge.spf.validated import validated_name, validated_names
from mailsys.message.address import Address

# RFC 7208 4.3: a domain of at least two labels, each of which may stand in DNS.
_DOMAIN = re.compile(r"(?=.{1,254}\Z)[!-\-/-~]{1,63}(?:\.[!-\-/-~]{1,63})+\.?")


class SPFWord(Enum):
    """The results of RFC 7208 2.6."""

    NONE = "none"
    NEUTRAL = "neutral"
    PASS = "pass"  # noqa: S105 - a result, not a secret
    FAIL = "fail"
    SOFTFAIL = "softfail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class SPFResult:
    """``domain`` is whose record was asked for.  ``reason`` says in our words what decided.

    ``explanation`` is the domain's own text for a fail, made printable, and may say anything.
    """

    word: SPFWord
    domain: str
    reason: str = ""
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """Who asks to be let in: the client's address, its name in HELO, and the sender.

    ``hostname`` is ours, ``now`` in seconds since 1970: both may stand in an explanation.
    """

    address: IPv4Address | IPv6Address
    helo: str
    sender: Address
    hostname: str
    now: float


_WORDS = {
    Qualifier.PASS: SPFWord.PASS,
    Qualifier.FAIL: SPFWord.FAIL,
    Qualifier.SOFTFAIL: SPFWord.SOFTFAIL,
    Qualifier.NEUTRAL: SPFWord.NEUTRAL,
}


async def check_host(query: Query, resolver: IResolver) -> SPFResult:
    """Evaluate for the domain of ``query.sender``; raises nothing but cancellation."""
    domain = query.sender.domain
    if isinstance(query.address, IPv6Address) and query.address.ipv4_mapped:
        query = replace(query, address=query.address.ipv4_mapped)  # RFC 7208 5: it is IPv4
    evaluation = _Evaluation(query, Lookups(resolver, query.address.version))
    try:
        # Whatever record it ended with, it is this domain that was asked about (RFC 7208 6.1).
        return replace(await evaluation.check(domain), domain=domain)
    except PermError as error:
        return SPFResult(SPFWord.PERMERROR, domain, str(error))
    except TempError as error:
        return SPFResult(SPFWord.TEMPERROR, domain, str(error))


class _Evaluation:
    """One run; includes and redirects share its limits."""

    def __init__(self, query: Query, lookups: Lookups) -> None:
        self._query = query
        self._lookups = lookups

    async def check(self, domain: str) -> SPFResult:
        """check_host() for one domain; raises PermError, TempError."""
        record = await self._record(domain)
        if record is None:
            return SPFResult(SPFWord.NONE, domain, f"{domain} has no SPF record")
        for mechanism in record.mechanisms:
            if await self._matches(mechanism, domain):
                return await self._matched(mechanism, record, domain)
        if record.redirect:
            return await self._redirected(record, domain)
        return SPFResult(SPFWord.NEUTRAL, domain, f"nothing in the record of {domain} is about this host")

    async def _record(self, domain: str) -> Record | None:
        if not _DOMAIN.fullmatch(domain):
            return None
        found = [text for text in await self._lookups.text(domain) or () if is_spf(text)]
        if not found:
            return None
        if len(found) > 1:
            raise PermError(f"{domain} has more than one SPF record")
        try:
            return parse_record(found[0])
        except BadRecord as error:
            raise PermError(f"in the SPF record of {domain}, {error}") from None

    async def _matched(self, mechanism: Mechanism, record: Record, domain: str) -> SPFResult:
        word = _WORDS[mechanism.qualifier]
        explanation = ""
        if word is SPFWord.FAIL and record.exp:
            explanation = await fetch_explanation(
                record.exp, lambda spec: self._values(spec, domain), self._lookups
            )
        return SPFResult(word, domain, f'"{mechanism.text}" in the record of {domain} matches', explanation)

    async def _redirected(self, record: Record, domain: str) -> SPFResult:
        self._lookups.count_term()
        target = await self._target(record.redirect, domain)
        result = await self.check(target) if target else None
        if result is None or result.word is SPFWord.NONE:
            raise PermError(f'"redirect=" of {domain} leads to no SPF record')
        return result

    # ------------------------------------------------------------------ mechanisms

    async def _matches(self, mechanism: Mechanism, domain: str) -> bool:
        if mechanism.name == "all":
            return True
        if mechanism.network is not None:
            network = mechanism.network
            return network.version == self._query.address.version and self._query.address in network
        self._lookups.count_term()
        target = await self._target(mechanism.domain, domain) if mechanism.domain else domain
        return bool(target) and await _MATCHERS[mechanism.name](self, mechanism, target)

    async def _includes(self, mechanism: Mechanism, target: str) -> bool:
        """RFC 7208 5.2: only a pass matches."""
        result = await self.check(target)
        if result.word is SPFWord.NONE:
            raise PermError(f'"{mechanism.text}" leads to no SPF record')
        return result.word is SPFWord.PASS

    async def _a(self, mechanism: Mechanism, target: str) -> bool:
        return self._is_among(await self._lookups.addresses(target), mechanism)

    async def _mx(self, mechanism: Mechanism, target: str) -> bool:
        for exchange in await self._lookups.exchanges(target):
            if exchange.host and self._is_among(await self._lookups.addresses(exchange.host), mechanism):
                return True
        return False

    async def _ptr(self, _mechanism: Mechanism, target: str) -> bool:
        target = target.lower().removesuffix(".")
        names = await validated_names(self._query.address, self._lookups)
        return any(name == target or name.endswith(f".{target}") for name in names)

    async def _exists(self, _mechanism: Mechanism, target: str) -> bool:
        return await self._lookups.exists(target)

    def _is_among(self, addresses: Sequence[str], mechanism: Mechanism) -> bool:
        client = self._query.address
        prefix = mechanism.ipv4_prefix if client.version == 4 else mechanism.ipv6_prefix
        network = ip_network((client, prefix), strict=False)
        return any(ip_address(address) in network for address in addresses)

    # ------------------------------------------------------------------ macros

    async def _target(self, spec: str, domain: str) -> str:
        """The name that a domain-spec stands for; empty when it can stand for none."""
        values = await self._values(spec, domain)
        return expand_domain(spec, values) if values is not None else ""

    async def _values(self, spec: str, domain: str) -> Mapping[str, str] | None:
        """What the macros in it stand for.

        None for a local part beyond ASCII, with which nothing can match (RFC 8616 4).
        """
        letters = letters_in(spec)
        sender = self._query.sender
        if not sender.local_part.isascii() and letters & {"l", "s"}:
            return None
        values = {
            "s": f"{sender.local_part}@{sender.domain}",
            "l": sender.local_part,
            "o": sender.domain,
            "d": domain,
            "i": _dotted(self._query.address),
            "v": "in-addr" if self._query.address.version == 4 else "ip6",
            "h": self._query.helo,
            "c": str(self._query.address),
            "r": self._query.hostname,
            "t": str(int(self._query.now)),
        }
        if "p" in letters:
            values["p"] = await validated_name(self._query.address, domain, self._lookups)
        return values


_MATCHERS: Mapping[str, Callable[[_Evaluation, Mechanism, str], Awaitable[bool]]] = {
    "include": _Evaluation._includes,
    "a": _Evaluation._a,
    "mx": _Evaluation._mx,
    "ptr": _Evaluation._ptr,
    "exists": _Evaluation._exists,
}


def _dotted(address: IPv4Address | IPv6Address) -> str:
    """RFC 7208 7.3: of IPv6 each nibble is a part."""
    if address.version == 4:
        return str(address)
    return ".".join(address.exploded.replace(":", "").upper())
