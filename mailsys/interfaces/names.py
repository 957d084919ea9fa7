"""Names in DNS, as those who ask see them.

A name is a text of A-labels in lower case, without a final dot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from zope.interface import Interface

T = TypeVar("T")


class NamesUnavailable(Exception):  # noqa: N818 - it may be otherwise in a minute
    """No answer for the moment: nobody answered, or only with SERVFAIL, REFUSED or nonsense."""


class NoSuchName(Exception):  # noqa: N818 - an answer like others
    """NXDOMAIN: there is nothing at all under this name, of no type."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What is known under a name; no records when the name exists without any of this type.

    ``secure`` says that a resolver whom the configuration trusts has validated all of it with DNSSEC.
    ``name`` is where the records stand, after all CNAMEs.
    """

    records: tuple[T, ...]
    secure: bool
    ttl_seconds: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class MailExchange:
    """One MX record; an empty ``host`` is the root, and says that no mail is taken (RFC 7505)."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True)
class TLSARecord:
    """RFC 6698 2.1."""

    usage: int
    selector: int
    matching: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """One SRV record (RFC 2782); an empty ``host`` is the root, and says that there is no such service."""

    priority: int
    port: int
    host: str


class IResolver(Interface):
    """Asks in DNS.  Every method may raise NamesUnavailable and NoSuchName, and nothing else.

    Answers are bounded: of very many records only the first are given.
    """

    async def mail_exchanges(domain: str) -> Answer[MailExchange]:
        """All MX records, in no order.  Without any, the domain's own address counts (RFC 5321 5.1)."""

    async def addresses(host: str) -> Answer[str]:
        """IPv6 and IPv4 addresses as text, in no order."""

    async def ipv4_addresses(host: str) -> Answer[str]:
        """A records alone: a failure is one, whatever there is of the other kind."""

    async def ipv6_addresses(host: str) -> Answer[str]:
        """AAAA records alone."""

    async def text(name: str) -> Answer[bytes]:
        """TXT records, each with its strings joined."""

    async def pointers(address: str) -> Answer[str]:
        """Names that an IP address claims to have (PTR); nothing says that they are true."""

    async def tls_records(name: str) -> Answer[TLSARecord]:
        """TLSA records, as of ``_25._tcp.mx.example.org``."""


class IZoneResolver(IResolver):
    """Asks also what only those need who look after a zone."""

    async def services(name: str) -> Answer[ServiceRecord]:
        """SRV records, as of ``_imaps._tcp.example.org``."""

    async def name_servers(domain: str) -> Answer[str]:
        """The hosts that have a zone (NS); no records for a name that is no zone of its own."""
