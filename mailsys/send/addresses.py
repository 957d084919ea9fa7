"""Which addresses mail may go to: not to ourselves, and into no private net unless allowed.

Whoever owns a domain chooses the addresses that its MX names have.  Without this, a stranger's domain
could make us speak with what listens on our own loopback, or behind our firewall.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass

_IP = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 2.1
_ANY = ("", "0.0.0.0", "::")  # noqa: S104 - where others listen


def is_public(address: str) -> bool:
    """Is it an address of the open internet, also where IPv6 only wraps an IPv4 address?"""
    try:
        ip: _IP = ipaddress.ip_address(address)
    except ValueError:
        return False
    return ip.is_global and not ip.is_multicast and all(inner.is_global for inner in _wrapped(ip))


def _wrapped(ip: _IP) -> list[ipaddress.IPv4Address]:
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    found = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]


def is_of_this_machine(address: str) -> bool:
    """Does this machine have the address?  Opens a socket and binds it; sends nothing."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class OwnHost:
    """What is ourselves: the name, and where we listen for mail as (address, port).

    An empty address, ``0.0.0.0`` or ``::`` means all that the machine has.
    """

    name: str
    listening: Collection[tuple[str, int]] = ()
    is_of_this_machine: Callable[[str], bool] = is_of_this_machine

    def is_at(self, address: str, port: int) -> bool:
        """Would a connection there come out at us?"""
        return any(
            port == own_port and (own == address or (own in _ANY and self.is_of_this_machine(address)))
            for own, own_port in self.listening
        )
