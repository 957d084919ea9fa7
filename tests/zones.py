"""A small piece of DNS in memory: answers from zone lines, as a message or as an IResolver."""

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset
from zope.interface import implementer

from mailsys.interfaces import Answer, IResolver, MailExchange, NamesUnavailable, NoSuchName, TLSARecord

MOST_ALIASES = 16


class Zone:
    """Record sets by name and type, from lines ``name TTL TYPE data``."""

    def __init__(self, text=""):
        self.sets = {}
        for line in filter(None, map(str.strip, text.splitlines())):
            self.add(line)

    def add(self, line):
        name, ttl, kind, data = line.split(None, 3)
        key = dns.name.from_text(name).canonicalize(), dns.rdatatype.from_text(kind)
        record = dns.rdata.from_text(dns.rdataclass.IN, key[1], data)
        found = self.sets.setdefault(key, dns.rrset.RRset(key[0], dns.rdataclass.IN, key[1]))
        found.add(record, int(ttl))

    def remove(self, name):
        gone = dns.name.from_text(name).canonicalize()
        self.sets = {key: found for key, found in self.sets.items() if key[0] != gone}

    def look_up(self, name, kind):
        """The chain of CNAMEs, and the set at its end or None; NoSuchName when there is no such name."""
        chain = []
        while (alias := self.sets.get((name, dns.rdatatype.CNAME))) is not None:
            chain.append(alias)
            name = alias[0].target.canonicalize()
            if len(chain) > MOST_ALIASES:
                raise NamesUnavailable("the CNAMEs lead on and on")
        if not any(known == name for known, _ in self.sets):
            raise NoSuchName(str(name))
        return chain, name, self.sets.get((name, kind))

    def reply(self, query):
        """What a server with this zone says."""
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        asked = query.question[0]
        try:
            chain, _name, found = self.look_up(asked.name.canonicalize(), asked.rdtype)
        except NoSuchName:
            reply.set_rcode(dns.rcode.NXDOMAIN)
            return reply
        reply.answer.extend([*chain, *([found] if found is not None else [])])
        return reply


@implementer(IResolver)
class ZoneResolver:
    """Answers from ``zone``; names in ``unavailable`` have no answer for the moment."""

    def __init__(self, text="", *, secure=False):
        self.zone = Zone(text)
        self.secure = secure
        self.unavailable = set()
        self.asked = []  # (name, type), in order

    def _answer(self, name, kind, read):
        self.asked.append((name, kind.name))
        try:
            asked = dns.name.from_text(name).canonicalize()
        except Exception as error:
            raise NoSuchName(str(error)) from None
        if name in self.unavailable:
            raise NamesUnavailable(f"SERVFAIL for {name}")
        _chain, end, found = self.zone.look_up(asked, kind)
        records = tuple(read(record) for record in found) if found is not None else ()
        ttl_seconds = float(found.ttl) if found is not None else 60.0
        return Answer(records, self.secure, ttl_seconds, _text(end))

    async def mail_exchanges(self, domain):
        return self._answer(
            domain,
            dns.rdatatype.MX,
            lambda record: MailExchange(record.preference, _text(record.exchange)),
        )

    async def addresses(self, host):
        answers = [
            self._answer(host, kind, lambda record: record.address)
            for kind in (dns.rdatatype.AAAA, dns.rdatatype.A)
        ]
        records = tuple(record for answer in answers for record in answer.records)
        return Answer(records, self.secure, min(one.ttl_seconds for one in answers), answers[0].name)

    async def text(self, name):
        return self._answer(name, dns.rdatatype.TXT, lambda record: b"".join(record.strings))

    async def pointers(self, address):
        try:
            name = dns.reversename.from_address(address).to_text()
        except Exception as error:
            raise NoSuchName(str(error)) from None
        return self._answer(name, dns.rdatatype.PTR, lambda record: _text(record.target))

    async def tls_records(self, name):
        return self._answer(
            name,
            dns.rdatatype.TLSA,
            lambda record: TLSARecord(record.usage, record.selector, record.mtype, record.cert),
        )


def _text(name):
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()
