"""What one evaluation asks in DNS, and how much of it: the limits of RFC 7208 4.6.4."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from mailsys.interfaces import Answer, IResolver, MailExchange, NamesUnavailable, NoSuchName

MOST_TERMS = 10  # that ask in DNS
MOST_VOIDS = 2  # questions to which there is nothing
MOST_EXCHANGES = 10
MOST_POINTERS = 10

T = TypeVar("T")


class PermError(Exception):
    """The domain has made a mistake, or asks for too much; the text says what."""


class TempError(Exception):
    """DNS has no answer for the moment; the text says to what."""


class Lookups:
    """The questions of one evaluation.  ``version`` is the client's, 4 or 6: no other address matters."""

    def __init__(self, resolver: IResolver, version: int) -> None:
        self._resolver = resolver
        self._version = version
        self._terms = 0
        self._voids = 0

    def count_term(self) -> None:
        """One more that asks; raises PermError."""
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise PermError(f"it needs more than {MOST_TERMS} look-ups in DNS")

    async def text(self, name: str) -> Sequence[bytes] | None:
        """TXT records, None when there is no such name; never void.  Raises TempError."""
        return await self._records(self._resolver.text(name))

    async def addresses(self, name: str) -> Sequence[str]:
        """Of the client's kind; raises TempError, PermError."""
        return self._not_void(await self.uncounted_addresses(name))

    async def uncounted_addresses(self, name: str) -> Sequence[str]:
        """The same for names that the client's own network claims; raises TempError."""
        ask = self._resolver.ipv6_addresses if self._version == 6 else self._resolver.ipv4_addresses
        return await self._records(ask(name)) or ()

    async def exists(self, name: str) -> bool:
        """RFC 7208 5.7: is there an IPv4 address, whatever the client's?  Raises TempError, PermError."""
        return bool(self._not_void(await self._records(self._resolver.ipv4_addresses(name)) or ()))

    async def exchanges(self, name: str) -> Sequence[MailExchange]:
        """MX records; raises TempError, and PermError also for too many of them (RFC 7208 5.4)."""
        found = self._not_void(await self._records(self._resolver.mail_exchanges(name)) or ())
        if len(found) > MOST_EXCHANGES:
            raise PermError(f"{name} has more than {MOST_EXCHANGES} MX records")
        return found

    async def pointers(self, address: str) -> Sequence[str]:
        """The first names that an address claims to have; what fails is none (RFC 7208 5.5)."""
        try:
            return (await self._records(self._resolver.pointers(address)) or ())[:MOST_POINTERS]
        except TempError:
            return ()

    async def _records(self, asked: Awaitable[Answer[T]]) -> Sequence[T] | None:
        try:
            return (await asked).records
        except NoSuchName:
            return None
        except NamesUnavailable as unavailable:
            raise TempError(str(unavailable)) from None

    def _not_void(self, records: Sequence[T]) -> Sequence[T]:
        if not records:
            self._voids += 1
            if self._voids > MOST_VOIDS:
                raise PermError(f"more than {MOST_VOIDS} of its look-ups in DNS found nothing")
        return records
