"""The records that a domain of this host should have, and those of the host itself.

They come from here alone: the command that prints them, the one that compares, notices, and the lab.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from mailsys.dkim.key_file import State, StoredKey
from mailsys.dkim.keys import in_state

TTL_SECONDS = 3600
STRING_OCTETS = 255  # RFC 1035 3.3: a TXT record is of strings


class Need(Enum):
    """What it means when a record is not there."""

    NEEDED = "needed"  # mail fails, or is taken for junk
    USEFUL = "useful"  # people type more, or a key waits to be used
    OLD = "old"  # it served keys that sign no more


@dataclass(frozen=True, slots=True)
class Record:
    """One record; ``value`` is as in a zone, but a TXT is its plain text.  ``purpose`` is for people."""

    name: str
    kind: str
    value: str
    need: Need
    purpose: str

    @property
    def line(self) -> str:
        """A line of a zone file."""
        value = txt_data(self.value) if self.kind == "TXT" else self.value
        return f"{self.name}. {TTL_SECONDS} {self.kind} {value}"


@dataclass(frozen=True, slots=True)
class Key:
    """A DKIM key of the domain: where its record stands, its text, and whether it signs (or will, or did)."""

    name: str
    text: str
    need: Need


@dataclass(frozen=True, slots=True)
class Host:
    """What of the host matters.  ``addresses`` are those that are known to be its own, if any are.

    ``services`` are (name, port) as in RFC 6186.  ``is_relayed`` says that mail leaves over a smarthost.
    """

    hostname: str
    addresses: tuple[str, ...] = ()
    services: tuple[tuple[str, int], ...] = ()
    is_relayed: bool = False


_NEEDS = {State.ACTIVE: Need.NEEDED, State.NEXT: Need.USEFUL, State.RETIRED: Need.OLD}


def published_keys(stored: Sequence[StoredKey]) -> list[Key]:
    """The records of a domain's keys, those that sign first."""
    return [
        Key(key.name, key.record, need) for state, need in _NEEDS.items() for key in in_state(stored, state)
    ]


def wanted_records(domain: str, host: Host, keys: Sequence[Key]) -> list[Record]:
    """All of a domain, the most needed first."""
    return [
        *_way_in(domain, host),
        *_spf(domain, host),
        *_dkim(keys),
        _dmarc(domain),
        *_services(domain, host),
    ]


def _way_in(domain: str, host: Host) -> Iterator[Record]:
    yield Record(domain, "MX", f"10 {host.hostname}.", Need.NEEDED, "mail for the domain comes to this host")
    for address in host.addresses:
        kind = "AAAA" if ":" in address else "A"
        yield Record(host.hostname, kind, address, Need.NEEDED, "where this host is")
        yield pointer_record(address, host.hostname)


def pointer_record(address: str, hostname: str) -> Record:
    """What an address should say of itself."""
    pointer = ipaddress.ip_address(address).reverse_pointer
    purpose = "the address names this host; your provider sets it"
    return Record(pointer, "PTR", f"{hostname}.", Need.NEEDED, purpose)


def _spf(domain: str, host: Host) -> Iterator[Record]:
    """RFC 7208: who sends for the domain, and for the host, in whose name notices go out."""
    own = "".join(f" ip{ipaddress.ip_address(one).version}:{one}" for one in host.addresses)
    # Over a relay mail comes from addresses that we do not know, so nobody is asked to refuse the rest.
    rest = "~all" if host.is_relayed else "-all"
    purpose = "this host, and no other, sends for the domain (SPF)"
    if host.is_relayed:
        purpose = "this host sends for the domain (SPF); add include: as the operator of the smarthost says"
    yield Record(domain, "TXT", f"v=spf1 mx{own} {rest}", Need.NEEDED, purpose)
    if host.hostname != domain:
        yield Record(host.hostname, "TXT", f"v=spf1 a{own} -all", Need.USEFUL, "the same for its notices")


def _dkim(keys: Sequence[Key]) -> Iterator[Record]:
    """RFC 6376 3.6.1."""
    purposes = {
        Need.NEEDED: "a key that signs (DKIM)",
        Need.USEFUL: "a key that will sign once this is published (DKIM)",
        Need.OLD: "a key that has signed; leave it for a month (DKIM)",
    }
    for key in keys:
        yield Record(key.name, "TXT", key.text, key.need, purposes[key.need])


def _dmarc(domain: str) -> Record:
    """RFC 9989."""
    purpose = "what others do with mail that only claims to be from the domain (DMARC)"
    return Record(f"_dmarc.{domain}", "TXT", "v=DMARC1; p=quarantine", Need.NEEDED, purpose)


def _services(domain: str, host: Host) -> Iterator[Record]:
    """RFC 6186 and RFC 8314 5.1; TLS from the start is the better way, and comes first."""
    for name, port in host.services:
        priority = 0 if name.endswith("s") else 10
        value = f"{priority} 1 {port} {host.hostname}."
        yield Record(f"_{name}._tcp.{domain}", "SRV", value, Need.USEFUL, "mail programs find this host")


def txt_data(text: str) -> str:
    """A text as a zone file has it: in strings of 255 octets, each quoted."""
    octets = text.encode()
    pieces = [octets[at : at + STRING_OCTETS] for at in range(0, len(octets), STRING_OCTETS)] or [b""]
    return " ".join(f'"{_escaped(piece)}"' for piece in pieces)


def _escaped(octets: bytes) -> str:
    return "".join(
        f"\\{chr(octet)}" if octet in b'"\\' else chr(octet) if 32 <= octet < 127 else f"\\{octet:03}"
        for octet in octets
    )
