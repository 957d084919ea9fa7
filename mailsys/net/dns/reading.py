"""What a reply says: the records at the end of a bounded chain of CNAMEs, and for how long that holds.

Only records of the name that was asked for, or that a CNAME leads to, are taken; what else a reply
brings along is left unread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from mailsys.interfaces import NamesUnavailable
from mailsys.net.dns.codec import Question, host_text

MOST_ALIASES = 16  # CNAMEs in a row
MOST_RECORDS = 500  # of one set; the others are not looked at
NEGATIVE_SECONDS = 60.0  # when a reply does not say how long there will be nothing
LONGEST_NEGATIVE_SECONDS = 900.0
LONGEST_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Reading:
    """``records`` of the name ``name``; None when another reply must say more about it.

    ``exists`` is False for NXDOMAIN.  ``aliases`` is how many CNAMEs led here.
    """

    name: dns.name.Name
    records: Sequence[dns.rdata.Rdata] | None
    ttl_seconds: float
    exists: bool = True
    aliases: int = 0


def read_reply(reply: dns.message.Message, question: Question) -> Reading:
    """Follow the chain within one reply, whose code is NOERROR or NXDOMAIN; raises NamesUnavailable."""
    sets = {(found.name, found.rdtype): found for found in reply.answer if _is_ours(found)}
    name, ttl_seconds, aliases = question.name, LONGEST_SECONDS, 0
    while found := sets.get((name, dns.rdatatype.CNAME)):
        if question.kind == dns.rdatatype.CNAME:
            break
        name, aliases = found[0].target, aliases + 1
        ttl_seconds = min(ttl_seconds, found.ttl)
        if aliases > MOST_ALIASES:
            raise too_many_aliases(question)
    # RFC 6604: the code is about the end of the chain.  NXDOMAIN with an answer is NXDOMAIN.
    if reply.rcode() == dns.rcode.NXDOMAIN:
        return Reading(name, (), min(ttl_seconds, _negative_seconds(reply)), exists=False, aliases=aliases)
    if records := sets.get((name, question.kind)):
        return Reading(name, records[:MOST_RECORDS], min(ttl_seconds, records.ttl), aliases=aliases)
    if aliases and not _has_authority(reply):
        return Reading(name, None, ttl_seconds, aliases=aliases)
    return Reading(name, (), min(ttl_seconds, _negative_seconds(reply)), aliases=aliases)


def too_many_aliases(question: Question) -> NamesUnavailable:
    """The chain has no end, or one that is too far away."""
    return NamesUnavailable(f"the CNAMEs of {host_text(question.name)} lead on and on")


def is_secure(reply: dns.message.Message) -> bool:
    """Does the resolver say that it has validated this?"""
    return bool(reply.flags & dns.flags.AD)


def _is_ours(found: dns.rrset.RRset) -> bool:
    return bool(found.rdclass == dns.rdataclass.IN and found)


def _has_authority(reply: dns.message.Message) -> bool:
    return any(found.rdtype == dns.rdatatype.SOA for found in reply.authority)


def _negative_seconds(reply: dns.message.Message) -> float:
    """RFC 2308 5: the lesser of the SOA's TTL and its last field."""
    for found in reply.authority:
        if found.rdtype == dns.rdatatype.SOA and found:
            return float(min(found.ttl, found[0].minimum, LONGEST_NEGATIVE_SECONDS))
    return NEGATIVE_SECONDS
