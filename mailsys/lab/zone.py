"""A small piece of DNS: record sets from lines of text, and what a server that has them replies.

It is as a resolver that knows everything: it follows CNAMEs, and a name that is not here does not exist
anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

MOST_ALIASES = 16
FAILS = "FAILS"  # in place of a type: questions about this name get SERVFAIL

Key = tuple[dns.name.Name, dns.rdatatype.RdataType]


class ZoneError(ValueError):
    """A line is no record; the text says which."""


class Failing(Exception):  # noqa: N818 - it is what the zone says
    """The name has no answer at the moment."""


class NoName(Exception):  # noqa: N818 - it is what the zone says
    """There is no such name."""


class Zone:
    """Record sets by name and type, from lines ``name TTL TYPE data``, or ``name FAILS``."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.sets: dict[Key, dns.rrset.RRset] = {}
        self.failing: set[dns.name.Name] = set()
        for line in lines:
            if line.strip():
                self.add(line)

    def add(self, line: str) -> None:
        """One more record; raises ZoneError."""
        words = line.split(None, 3)
        try:
            name = dns.name.from_text(words[0]).canonicalize()
            if words[1:] == [FAILS]:
                self.failing.add(name)
                return
            _name, ttl, kind, data = words
            record = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), data)
            found = self.sets.setdefault(
                (name, record.rdtype), dns.rrset.RRset(name, dns.rdataclass.IN, record.rdtype)
            )
            found.add(record, int(ttl))
        except (ValueError, dns.exception.DNSException) as error:
            raise ZoneError(f'"{line.strip()}" is no record: {error}') from None

    def remove(self, name: str) -> None:
        """Forget all that stands for a name."""
        gone = dns.name.from_text(name).canonicalize()
        self.sets = {key: found for key, found in self.sets.items() if key[0] != gone}

    def look_up(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> tuple[list[dns.rrset.RRset], dns.name.Name, dns.rrset.RRset | None]:
        """The CNAMEs on the way, the name at their end, and its set if it has one.

        Raises NoName, and Failing, also for CNAMEs that lead on and on.
        """
        chain: list[dns.rrset.RRset] = []
        while (alias := self.sets.get((name, dns.rdatatype.CNAME))) is not None:
            chain.append(alias)
            name = alias[0].target.canonicalize()
            if len(chain) > MOST_ALIASES:
                raise Failing("the CNAMEs lead on and on")
        if name in self.failing:
            raise Failing(f"{name} has no answer")
        if not any(known == name or known.is_subdomain(name) for known, _ in self.sets):
            raise NoName(str(name))
        return chain, name, self.sets.get((name, kind))

    def reply(self, query: dns.message.Message) -> dns.message.Message:
        """What a server with this zone says to a query with one question."""
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        asked = query.question[0]
        try:
            chain, _name, found = self.look_up(asked.name.canonicalize(), asked.rdtype)
        except NoName:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        except Failing:
            reply.set_rcode(dns.rcode.SERVFAIL)
        else:
            reply.answer.extend([*chain, *([found] if found is not None else [])])
        return reply


def answer(zone: Zone, octets: bytes, most_octets: int | None) -> bytes | None:
    """The reply to a query as octets; None to what is no query, since a reply to it could start a quarrel.

    ``most_octets`` is what a datagram may have unless the query says otherwise (RFC 6891 6.2.5): a
    longer reply is cut, and says so.  None is for streams.
    """
    try:
        query = dns.message.from_wire(octets)
    except dns.exception.DNSException:
        return None
    if query.flags & dns.flags.QR or query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
        return None
    reply = zone.reply(query)
    room = 65535 if most_octets is None else max(most_octets, query.payload if query.edns >= 0 else 0)
    try:
        return reply.to_wire(max_size=room)
    except dns.exception.TooBig:
        cut = dns.message.make_response(query)
        cut.flags |= dns.flags.TC | dns.flags.RA
        return cut.to_wire()
