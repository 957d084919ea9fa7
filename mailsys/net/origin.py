"""Where a connection comes from, in the two widths in which strangers are counted.

An *address* is an IPv4 address or the /64 of an IPv6 one, since each host may choose among the 2**64
addresses there.  Its *network* is the /24 or the /48 around it: what a small provider or a company has.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

_ADDRESS_OCTETS = {4: 4, 16: 8}
_NETWORK_OCTETS = {4: 3, 16: 6}


@dataclass(frozen=True, slots=True)
class Origin:
    """Both widths, as the leading octets of the address: keys for counting, of 8 octets at most."""

    address: bytes
    network: bytes


def plain_host(host: str) -> str:
    """An IPv4 address that came over an IPv6 socket is written as IPv4 (RFC 4291 2.5.5.2)."""
    mapped = host.removeprefix("::ffff:")
    return host if ":" in mapped else mapped


def origin_of(host: str) -> Origin | None:
    """The origin of an IP address as text; None for a local socket, and for what is no address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        packed = socket.inet_pton(family, host.partition("%")[0])
    except OSError:
        return None
    return Origin(packed[: _ADDRESS_OCTETS[len(packed)]], packed[: _NETWORK_OCTETS[len(packed)]])


def shown(key: bytes) -> str:
    """A key as people write it: 192.0.2.7, 192.0.2.0/24, 2001:db8:1:2::/64."""
    if len(key) <= 4:
        text = socket.inet_ntop(socket.AF_INET, key.ljust(4, b"\0"))
        return text if len(key) == 4 else f"{text}/24"
    text = socket.inet_ntop(socket.AF_INET6, key.ljust(16, b"\0"))
    return f"{text}/{len(key) * 8}"
