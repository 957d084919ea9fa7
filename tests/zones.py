"""An IResolver that answers from the zone of the lab, in memory."""

import dns.name
import dns.rdatatype
import dns.reversename
from zope.interface import implementer

from mailsys.interfaces import (
    Answer,
    IZoneResolver,
    MailExchange,
    NamesUnavailable,
    NoSuchName,
    ServiceRecord,
    TLSARecord,
)
from mailsys.lab.zone import Failing, NoName, Zone


@implementer(IZoneResolver)
class ZoneResolver:
    """Answers from ``zone``; names in ``unavailable`` have no answer for the moment."""

    def __init__(self, text="", *, secure=False):
        self.zone = Zone(text.splitlines())
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
        try:
            _chain, end, found = self.zone.look_up(asked, kind)
        except Failing as error:
            raise NamesUnavailable(str(error)) from None
        except NoName as error:
            raise NoSuchName(str(error)) from None
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

    async def ipv4_addresses(self, host):
        return self._answer(host, dns.rdatatype.A, lambda record: record.address)

    async def ipv6_addresses(self, host):
        return self._answer(host, dns.rdatatype.AAAA, lambda record: record.address)

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

    async def services(self, name):
        return self._answer(
            name,
            dns.rdatatype.SRV,
            lambda record: ServiceRecord(record.priority, record.port, _text(record.target)),
        )

    async def name_servers(self, domain):
        return self._answer(domain, dns.rdatatype.NS, lambda record: _text(record.target))


def _text(name):
    return "" if name == dns.name.root else name.to_text(omit_final_dot=True).lower()
