"""The resolver: questions of mail, answered from the cache or by asking; the same question once at a time."""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import dns.rdata
import dns.rdatatype
import dns.reversename
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailsys.interfaces import (
    Answer,
    IWorkers,
    IZoneResolver,
    MailExchange,
    NamesUnavailable,
    NoSuchName,
    ServiceRecord,
    TLSARecord,
)
from mailsys.net.dns.asking import Asker
from mailsys.net.dns.cache import FAILURE_SECONDS, Cache, Outcome
from mailsys.net.dns.codec import Question, host_text, read_question
from mailsys.net.dns.exchange import Server
from mailsys.net.dns.reading import (
    LONGEST_SECONDS,
    MOST_ALIASES,
    Reading,
    is_secure,
    read_reply,
    too_many_aliases,
)
from mailsys.net.dns.servers import Servers

T = TypeVar("T")
Read = Callable[[dns.rdata.Rdata], object]


@implementer(IZoneResolver)
class Resolver:
    """Asks through ``asker``.  ``trust_ad`` believes its servers when they say that they validated."""

    def __init__(self, asker: Asker, cache: Cache, *, trust_ad: bool) -> None:
        self._asker = asker
        self._cache = cache
        self._trust_ad = trust_ad
        self._asked: dict[Question, list[Deferred[Outcome]]] = {}

    async def mail_exchanges(self, domain: str) -> Answer[MailExchange]:
        """All MX records of a domain."""
        return await self._answer(domain, dns.rdatatype.MX, _mail_exchange)

    async def text(self, name: str) -> Answer[bytes]:
        """All TXT records of a name."""
        return await self._answer(name, dns.rdatatype.TXT, _text)

    async def tls_records(self, name: str) -> Answer[TLSARecord]:
        """All TLSA records of a name."""
        return await self._answer(name, dns.rdatatype.TLSA, _tls_record)

    async def services(self, name: str) -> Answer[ServiceRecord]:
        """All SRV records of a name."""
        return await self._answer(name, dns.rdatatype.SRV, _service)

    async def name_servers(self, domain: str) -> Answer[str]:
        """All NS records of a name."""
        return await self._answer(domain, dns.rdatatype.NS, _pointer)

    async def pointers(self, address: str) -> Answer[str]:
        """All PTR records of an address."""
        try:
            name = dns.reversename.from_address(str(ipaddress.ip_address(address))).to_text()
        except ValueError:
            raise NoSuchName(f'"{address}" is no IP address') from None
        return await self._answer(name, dns.rdatatype.PTR, _pointer)

    async def addresses(self, host: str) -> Answer[str]:
        """Ask for both kinds at once.  One that fails does not matter when the other has something."""
        kinds = dns.rdatatype.AAAA, dns.rdatatype.A
        asked = [Deferred.fromCoroutine(self._tried(host, kind)) for kind in kinds]
        outcomes = [await one for one in asked]
        answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        records = tuple(record for answer in answers for record in answer.records)
        if failures and not records:
            raise next((one for one in failures if isinstance(one, NamesUnavailable)), failures[0])
        secure = all(answer.secure for answer in answers) and not failures
        return Answer(records, secure, min(one.ttl_seconds for one in answers), answers[0].name)

    async def ipv4_addresses(self, host: str) -> Answer[str]:
        """All A records of a host."""
        return await self._answer(host, dns.rdatatype.A, _address)

    async def ipv6_addresses(self, host: str) -> Answer[str]:
        """All AAAA records of a host."""
        return await self._answer(host, dns.rdatatype.AAAA, _address)

    async def _tried(self, host: str, kind: dns.rdatatype.RdataType) -> Answer[str] | Exception:
        try:
            return await self._answer(host, kind, _address)
        except (NamesUnavailable, NoSuchName) as failure:
            return failure

    async def _answer(self, name: str, kind: dns.rdatatype.RdataType, read: Callable[[Any], T]) -> Answer[T]:
        """From the cache, from whoever asks the same just now, or by asking."""
        question = read_question(name, kind)
        outcome = self._cache.get(question)
        if outcome is None:
            outcome = await self._asked_once(question, read)
        if isinstance(outcome, Exception):
            raise outcome.with_traceback(None)
        return cast(Answer[T], outcome)

    def _asked_once(self, question: Question, read: Read) -> Deferred[Outcome]:
        waiter: Deferred[Outcome] = Deferred()
        if question in self._asked:
            self._asked[question].append(waiter)
        else:
            self._asked[question] = [waiter]
            Deferred.fromCoroutine(self._ask(question, read))
        return waiter

    async def _ask(self, question: Question, read: Read) -> None:
        """Ask, remember, and tell all who wait.  Goes on though one of them has given up."""
        outcome: Outcome
        seconds = FAILURE_SECONDS
        try:
            outcome = await self._looked_up(question, read)
            seconds = outcome.ttl_seconds
        except _Nothing as nothing:
            outcome, seconds = NoSuchName(str(nothing)), nothing.ttl_seconds
        except Exception as failure:
            # Whatever goes wrong with a stranger's reply: it is no answer.
            outcome = failure if isinstance(failure, NamesUnavailable) else NamesUnavailable(repr(failure))
        self._cache.put(question, outcome, seconds)
        for waiter in self._asked.pop(question):
            if not waiter.called:
                waiter.callback(outcome)

    async def _looked_up(self, question: Question, read: Read) -> Answer[object]:
        """Follow CNAMEs from reply to reply, where one server does not do it by itself."""
        secure, ttl_seconds, aliases, asked = self._trust_ad, LONGEST_SECONDS, 0, question
        while True:
            reply = await self._asker.ask(asked)
            reading = read_reply(reply, asked)
            secure = secure and is_secure(reply)
            ttl_seconds = min(ttl_seconds, reading.ttl_seconds)
            aliases += reading.aliases
            if reading.records is not None:
                break
            if aliases > MOST_ALIASES:
                raise too_many_aliases(question)
            asked = Question(reading.name.canonicalize(), question.kind)
        if not reading.exists:
            raise _Nothing(question, ttl_seconds)
        return Answer(_records(reading, read), secure, ttl_seconds, host_text(reading.name))


def open_resolver(reactor: Any, workers: IWorkers, servers: Sequence[Server], *, trust_ad: bool) -> Resolver:
    """A resolver with a cache of its own; without ``servers`` it asks those of the system."""
    asker = Asker(
        reactor,
        Servers(servers, time.monotonic),
        workers,
        lambda: secrets.randbits(16),
        wants_ad=trust_ad,
    )
    return Resolver(asker, Cache(time.monotonic), trust_ad=trust_ad)


class _Nothing(Exception):  # noqa: N818 - NXDOMAIN, with how long that holds
    def __init__(self, question: Question, ttl_seconds: float) -> None:
        super().__init__(f"{host_text(question.name)} does not exist")
        self.ttl_seconds = ttl_seconds


def _records(reading: Reading, read: Read) -> tuple[object, ...]:
    return tuple(map(read, reading.records or ()))


def _mail_exchange(record: Any) -> MailExchange:
    return MailExchange(record.preference, host_text(record.exchange))


def _text(record: Any) -> bytes:
    return b"".join(record.strings)


def _tls_record(record: Any) -> TLSARecord:
    return TLSARecord(record.usage, record.selector, record.mtype, record.cert)


def _service(record: Any) -> ServiceRecord:
    return ServiceRecord(record.priority, record.port, host_text(record.target))


def _pointer(record: Any) -> str:
    return host_text(record.target)


def _address(record: Any) -> str:
    return str(record.address)
