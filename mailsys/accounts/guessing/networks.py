"""The network that an address stands for: what one stranger can easily have all of."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

IPV4_PREFIX = 24
IPV6_PREFIX = 64  # RFC 4291 2.5.4: what a provider gives to one customer at least

LOCAL = "local"  # a socket of this machine, without an address


@lru_cache(maxsize=4096)
def network_of(host: str) -> str:
    """``192.0.2.0/24`` or ``2001:db8::/64``."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return LOCAL
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))
