"""Names of a client that DNS confirms in both directions (RFC 7208 5.5)."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from mailsys.judge.spf.lookups import Lookups, TempError

NOBODY = "unknown"


async def validated_names(address: IPv4Address | IPv6Address, lookups: Lookups) -> Sequence[str]:
    """Those of the first ten that lead back to the address; a question that fails confirms nothing."""
    return [
        name for name in await lookups.pointers(str(address)) if await _leads_back(name, address, lookups)
    ]


async def validated_name(address: IPv4Address | IPv6Address, domain: str, lookups: Lookups) -> str:
    """RFC 7208 7.3: for the macro ``p`` the domain itself, else a name below it, else any."""
    names = await validated_names(address, lookups)
    domain = domain.lower().removesuffix(".")
    below = [name for name in names if name.endswith(f".{domain}")]
    return domain if domain in names else next(iter([*below, *names]), NOBODY)


async def _leads_back(name: str, address: IPv4Address | IPv6Address, lookups: Lookups) -> bool:
    try:
        return address in map(ip_address, await lookups.uncounted_addresses(name))
    except TempError:
        return False
