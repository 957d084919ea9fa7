"""DNS messages as octets, and what makes a reply the reply to a question (RFC 1035 4.1, RFC 5452 9.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdataclass
import dns.rdatatype

from mailsys.interfaces import NoSuchName

UDP_OCTETS = (
    1232  # EDNS (RFC 6891): fits into a packet on any path, so nothing has to be put together from fragments
)
_ID_OCTETS = 2


@dataclass(frozen=True, slots=True)
class Question:
    """A name and the type of record that is wanted."""

    name: dns.name.Name
    kind: dns.rdatatype.RdataType

    def __str__(self) -> str:
        return f"{host_text(self.name)} {dns.rdatatype.to_text(self.kind)}"


class Nonsense(Exception):  # noqa: N818 - it is only left unread
    """The octets are no DNS message, or none that answers the question."""


@lru_cache(maxsize=4096)
def read_question(name: str, kind: dns.rdatatype.RdataType) -> Question:
    """A question for a name in text; NoSuchName for what can be no name in DNS."""
    try:
        return Question(dns.name.from_text(name).canonicalize(), kind)
    except (dns.exception.DNSException, UnicodeError, ValueError) as error:
        raise NoSuchName(f'"{name}" can be no name: {error}') from None


def host_text(name: dns.name.Name) -> str:
    """A name without its final dot, in lower case; the root is empty."""
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()


def encode_query(question: Question, number: int, *, edns: bool, wants_ad: bool) -> bytes:
    """The octets of a query with this id.  RFC 6840 5.7: AD in a query asks for AD in the reply."""
    query = dns.message.make_query(
        question.name, question.kind, use_edns=0 if edns else False, payload=UDP_OCTETS, id=number
    )
    if wants_ad:
        query.flags |= dns.flags.AD
    return query.to_wire()


def has_id(octets: bytes, number: int) -> bool:
    """Does a datagram have this id?  Asked first, since it costs nothing."""
    return octets[:_ID_OCTETS] == number.to_bytes(_ID_OCTETS, "big")


def decode_reply(octets: bytes, question: Question) -> dns.message.Message:
    """The reply to a question; raises Nonsense for anything else.

    Up to 64 kB of a stranger's octets take their time: more than ``UDP_OCTETS`` belong into a thread.
    """
    try:
        reply = dns.message.from_wire(octets, ignore_trailing=True, raise_on_truncation=False)
    except Exception as error:  # whatever a stranger's octets lead to
        raise Nonsense(f"{type(error).__name__}: {error}") from None
    if not reply.flags & dns.flags.QR or reply.opcode() != dns.opcode.QUERY or not _asks(reply, question):
        raise Nonsense("it does not answer what was asked")
    return reply


def _asks(reply: dns.message.Message, question: Question) -> bool:
    if len(reply.question) != 1:
        return False
    asked = reply.question[0]
    return (
        asked.name == question.name and asked.rdtype == question.kind and asked.rdclass == dns.rdataclass.IN
    )
