"""The header by which a proxy says whose connection it passes on: PROXY protocol, versions 1 and 2.

Version 1 is one line of text, version 2 a block of octets; what follows the header is the client's.
Only what can be the beginning of a header is waited for, and never more than ``LONGEST_OCTETS``.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TEXT_OCTETS = 107  # of version 1, its CR LF included
BLOCK_OCTETS = 2048  # of version 2 behind its first sixteen: addresses, and what else the proxy tells
LONGEST_OCTETS = 16 + BLOCK_OCTETS

# PROXY TCP4 source destination source-port destination-port, with one space each
_TEXT = re.compile(
    rb"PROXY (TCP[46]) ([0-9a-fA-F.:]{2,39}) ([0-9a-fA-F.:]{2,39}) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})"
)
_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*)?")
_LOCAL, _PROXY = 0x20, 0x21  # version and command
_STREAM_IPV4, _STREAM_IPV6, _STREAM_UNIX, _UNSPECIFIED = 0x11, 0x21, 0x31, 0x00
_ADDRESS_OCTETS = {_STREAM_IPV4: 12, _STREAM_IPV6: 36, _STREAM_UNIX: 216, _UNSPECIFIED: 0}


class MalformedHeader(ValueError):  # noqa: N818 - it says what the peer did
    """It is no header, or one that cannot be believed; the text says why."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """``source`` is the client's address and port, or None where the proxy names none."""

    source: tuple[str, int] | None


def read_proxy_header(data: bytes) -> tuple[ProxyHeader, bytes] | None:
    """The header at the front and what follows it; None while there is too little of it.

    Raises :class:`MalformedHeader` as soon as it can be none.
    """
    if SIGNATURE.startswith(data[: len(SIGNATURE)]):
        return _read_block(data)
    if b"PROXY ".startswith(data[:6]):
        return _read_text(data)
    raise MalformedHeader("the first octets are no PROXY header")


def _read_text(data: bytes) -> tuple[ProxyHeader, bytes] | None:
    end = data.find(b"\r\n", 0, TEXT_OCTETS)
    if end < 0:
        if len(data) >= TEXT_OCTETS:
            raise MalformedHeader("the PROXY line has no end")
        return None
    line, rest = data[:end], data[end + 2 :]
    if _UNKNOWN.fullmatch(line):
        return ProxyHeader(None), rest
    match = _TEXT.fullmatch(line)
    if match is None:
        raise MalformedHeader("the PROXY line is not as it should be")
    family, source, destination, source_port, destination_port = match.groups()
    kind = IPv4Address if family == b"TCP4" else IPv6Address
    try:
        host, _ = _plain(kind(source.decode())), kind(destination.decode())
    except AddressValueError as error:
        raise MalformedHeader(f"the PROXY line has no address: {error}") from None
    if max(int(source_port), int(destination_port)) > 65535:
        raise MalformedHeader("the PROXY line has a port that cannot be")
    return ProxyHeader((host, int(source_port))), rest


def _read_block(data: bytes) -> tuple[ProxyHeader, bytes] | None:
    if len(data) > 12 and data[12] not in (_LOCAL, _PROXY):
        raise MalformedHeader("the PROXY header is of an unknown version or command")
    if len(data) > 13 and data[12] == _PROXY and data[13] not in _ADDRESS_OCTETS:
        raise MalformedHeader("the PROXY header is of a connection that is no stream")
    if len(data) < 16:
        return None
    octets = int.from_bytes(data[14:16], "big")
    if octets > BLOCK_OCTETS:
        raise MalformedHeader("the PROXY header is too long")
    if len(data) < 16 + octets:
        return None
    block, rest = data[16 : 16 + octets], data[16 + octets :]
    return ProxyHeader(_source(data[13], block) if data[12] == _PROXY else None), rest


def _source(family: int, block: bytes) -> tuple[str, int] | None:
    addresses = _ADDRESS_OCTETS[family]
    if len(block) < addresses:
        raise MalformedHeader("the PROXY header is too short for its addresses")
    _check_additions(block[addresses:])
    if family == _STREAM_IPV4:
        return str(IPv4Address(block[:4])), struct.unpack_from("!H", block, 8)[0]
    if family == _STREAM_IPV6:
        return _plain(IPv6Address(block[:16])), struct.unpack_from("!H", block, 32)[0]
    return None


def _plain(address: IPv4Address | IPv6Address) -> str:
    """The address as text; an IPv4 address in the dress of IPv6 as what it is (RFC 4291 2.5.5.2)."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _check_additions(additions: bytes) -> None:
    """Whatever a proxy adds (TLV: type, length, value) is not looked at, yet must fill the rest."""
    at = 0
    while at < len(additions):
        at += 3 + int.from_bytes(additions[at + 1 : at + 3], "big")
    if at != len(additions):
        raise MalformedHeader("the PROXY header has an addition that is cut off")
