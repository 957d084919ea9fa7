"""Return addresses of forwarded mail: the Sender Rewriting Scheme (SRS), as other hosts write it.

Mail that is forwarded to another host must come from a domain that names us in its SPF record
(RFC 7208, appendix D.2 leaves that to whoever forwards), and a notice about it must find the way back.
So the reverse-path ``ann@far.example`` becomes ``SRS0=HASH=DAY=far.example=ann@ours.example``; what is such
an address already, of a host before us, becomes ``SRS1=HASH=THAT-HOST==…@ours.example``, and its notice goes
to that host at once.  The hash is ours alone, so nobody can make us send mail to an address of their choice.

The hash is 40 bits of HMAC-SHA-256, of which a stranger can only try one with each RCPT; it is taken of
the folded text, since some hosts change the case of what they send back.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from base64 import b32encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256

from mailsys.message.address import (
    ADDRESS_OCTETS,
    Address,
    AddressError,
    parse_domain,
    parse_local_part,
    quoted,
)

EXPIRY_DAYS = 21  # longer than any host waits with a notice
HASH_CHARACTERS = 8
_DAYS = "abcdefghijklmnopqrstuvwxyz234567"
_CYCLE = len(_DAYS) ** 2  # days until the two characters of a day come again
# ASCII: of other alphabets a letter that folds to one of ours is not one of ours.
_FLAGS = re.IGNORECASE | re.DOTALL | re.ASCII
# Hosts part the first word from the rest by any of these.
_SRS0 = re.compile(r"srs0[=+-]([^=]+)=([a-z2-7]{2})=([^=]+)=(.+)", _FLAGS)
_SRS1 = re.compile(r"srs1[=+-]([^=]+)=([^=]+)=([=+-].+)", _FLAGS)
_ANY_SRS0 = re.compile(r"srs0([=+-].+)", _FLAGS)


@dataclass(frozen=True, slots=True)
class SrsKey:
    """``until`` is the last day (since 1970) of which an address made with it is still ours."""

    secret: bytes
    until: int | None = None


class Fault(Enum):
    """Why an address leads to nobody."""

    FORGED = "this host has not made it"
    EXPIRED = f"it was made more than {EXPIRY_DAYS} days ago"


class NoReturn(ValueError):  # noqa: N818 - read by what answers a peer
    """A return address that is not, or not any more, good."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class SenderRewriting:
    """``keys`` may be changed at any time: the first makes addresses, all of them verify.

    ``today`` gives days since 1970.
    """

    def __init__(self, keys: Sequence[SrsKey], today: Callable[[], int]) -> None:
        self.keys = tuple(keys)
        self._today = today

    def rewrite(self, sender: Address, domain: str) -> Address | None:
        """The return address in ``domain``; None when it would be longer than an address may be."""
        if not self.keys:
            return None
        key, today = self.keys[0], self._today()
        if found := _SRS1.fullmatch(sender.local_part):
            host, rest = found[2], found[3]
            local_part = f"SRS1={_hash_1(key, host, rest)}={host}={rest}"
        elif found := _ANY_SRS0.fullmatch(sender.local_part):
            host, rest = sender.domain, found[1]
            local_part = f"SRS1={_hash_1(key, host, rest)}={host}={rest}"
        else:
            made = _hash_0(key, today, sender.domain, sender.local_part)
            local_part = f"SRS0={made}={_day(today)}={sender.domain}={sender.local_part}"
        too_long = len(quoted(local_part).encode()) + 1 + len(domain) > ADDRESS_OCTETS
        return None if too_long else Address(local_part, domain)

    def original(self, address: Address) -> Address:
        """For whom a return address stands; raises NoReturn."""
        if found := _SRS0.fullmatch(address.local_part):
            return self._original_0(*found.groups())
        if found := _SRS1.fullmatch(address.local_part):
            return self._original_1(*found.groups())
        raise NoReturn(Fault.FORGED)

    def _original_0(self, said: str, day: str, domain: str, local_part: str) -> Address:
        today = self._today()
        # A clock that was set back, here or on a host before, must not make today's addresses bad.
        age = (today - _number(day) + 1) % _CYCLE - 1
        made = today - age
        keys = [key for key in self.keys if key.until is None or made <= key.until]
        if not any(_is_same(said, _hash_0(key, made, domain, local_part)) for key in keys):
            raise NoReturn(Fault.FORGED)
        if age > EXPIRY_DAYS:
            raise NoReturn(Fault.EXPIRED)
        return _address(local_part, domain)

    def _original_1(self, said: str, host: str, rest: str) -> Address:
        """It has no day: the address within, of the host before us, has."""
        if not any(_is_same(said, _hash_1(key, host, rest)) for key in self.keys):
            raise NoReturn(Fault.FORGED)
        return _address(f"SRS0{rest}", host)


def is_return_address(address: Address) -> bool:
    """Is it written as one, of whatever host?"""
    return bool(_SRS0.fullmatch(address.local_part) or _SRS1.fullmatch(address.local_part))


def _address(local_part: str, domain: str) -> Address:
    try:
        return Address(parse_local_part(quoted(local_part)), parse_domain(domain))
    except AddressError:  # never of what we made
        raise NoReturn(Fault.FORGED) from None


def _hash_0(key: SrsKey, day: int, domain: str, local_part: str) -> str:
    return _hash(key, "0", str(day), domain, local_part)


def _hash_1(key: SrsKey, host: str, rest: str) -> str:
    return _hash(key, "1", host, rest)


def _hash(key: SrsKey, *parts: str) -> str:
    text = unicodedata.normalize("NFC", "\0".join(parts)).casefold()
    return b32encode(hmac.digest(key.secret, text.encode(), sha256)).decode().lower()[:HASH_CHARACTERS]


def _is_same(said: str, made: str) -> bool:
    return hmac.compare_digest(said.casefold().encode(), made.encode())


def _day(day: int) -> str:
    high, low = divmod(day % _CYCLE, len(_DAYS))
    return _DAYS[high] + _DAYS[low]


def _number(day: str) -> int:
    return _DAYS.index(day[0].lower()) * len(_DAYS) + _DAYS.index(day[1].lower())
