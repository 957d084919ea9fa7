"""The public suite of SPF as data: its scenarios, and a resolver over the zone of one."""

from ipaddress import ip_address

import dns.name
import dns.reversename
from zope.interface import implementer

from mailsys.interfaces import Answer, IResolver, MailExchange, NamesUnavailable, NoSuchName
from mailsys.judge.spf.evaluation import Query, check_host
from mailsys.message.address import Address

FAILS = "TIMEOUT"


@implementer(IResolver)
class SuiteResolver:
    """``zone`` is as the suite writes it: names with lists of ``{TYPE: value}``, or ``TIMEOUT``."""

    def __init__(self, zone):
        self._zone = {name.lower(): _entries(entries) for name, entries in zone.items()}

    def _answer(self, name, kind, read):
        try:
            dns.name.from_text(name)
        except Exception as error:
            raise NoSuchName(str(error)) from None
        entries = self._zone.get(name.lower().removesuffix("."))
        if entries is None:
            raise NoSuchName(name)
        for alias in [value for found, value in entries if found == "CNAME"]:
            return self._answer(alias, kind, read)
        records = tuple(read(value) for found, value in entries if found == kind)
        if not records and (FAILS, None) in entries:
            raise NamesUnavailable(name)
        return Answer(records, False, 60.0, name)

    async def text(self, name):
        return self._answer(name, "TXT", _text)

    async def mail_exchanges(self, domain):
        return self._answer(domain, "MX", lambda value: MailExchange(value[0], value[1]))

    async def ipv4_addresses(self, host):
        return self._answer(host, "A", str)

    async def ipv6_addresses(self, host):
        return self._answer(host, "AAAA", str)

    async def addresses(self, host):
        answers = [await self.ipv6_addresses(host), await self.ipv4_addresses(host)]
        return Answer(answers[0].records + answers[1].records, False, 60.0, host)

    async def pointers(self, address):
        return self._answer(dns.reversename.from_address(address).to_text().rstrip("."), "PTR", str.lower)

    async def tls_records(self, name):
        raise NoSuchName(name)


def _entries(entries):
    """As TXT what the suite calls SPF, unless it says what there is as TXT."""
    found = [(FAILS, None) if entry == FAILS else next(iter(entry.items())) for entry in entries]
    if not any(kind == "TXT" for kind, _ in found):
        found += [("TXT", value) for kind, value in found if kind == "SPF"]
    return [(kind, value) for kind, value in found if value != "NONE"]


def _text(value):
    return "".join([value] if isinstance(value, str) else value).encode("latin-1")


def query(host, helo, mailfrom):
    """What is asked for a sender as it stands in MAIL, however odd."""
    local_part, _, domain = mailfrom.rpartition("@")
    sender = Address(local_part or "postmaster", domain or helo)
    return Query(ip_address(host), helo, sender, "receiver.example", 1_700_000_000.0)


def judged(resolver, host, helo, mailfrom):
    """The result of a check that never has to wait."""
    try:
        check_host(query(host, helo, mailfrom), resolver).send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("it waits")
