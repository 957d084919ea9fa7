"""Mail addresses: parse, normalise, compare (RFC 5321 4.1.2, RFC 6531 3.3, IDNA 2008).

An :class:`Address` is always valid.  Its domain is kept as A-labels in lower case, so two
addresses of the same domain compare equal however the peer wrote them.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna

LOCAL_PART_OCTETS = 64
DOMAIN_OCTETS = 255
ADDRESS_OCTETS = 254  # RFC 5321 4.5.3.1.3: a path is 256 octets with its two angle brackets.

# RFC 5322 3.2.3 and RFC 6531 3.3: atext, and any character beyond ASCII.
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]"
_DOT_STRING = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
# RFC 5321 4.1.2: Quoted-string = DQUOTE *(qtextSMTP / quoted-pairSMTP) DQUOTE
_QUOTED_STRING = re.compile(r'"(?:[ !#-\[\]-~\u0080-\U0010ffff]|\\[ -~])*"')
_QUOTED_PAIR = re.compile(r"\\(.)")
# RFC 5321 4.1.2: sub-domain = Let-dig [Ldh-str]; underscores are seen in the wild and harmless.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_SPECIAL = re.compile(r'[\\"]')
# An address of sender rewriting holds another one whole, and hosts write it as long as it gets.
_HOLDS_ANOTHER = re.compile(r"srs[01][=+-]", re.IGNORECASE)


class AddressError(ValueError):
    """The text is no address; the message says why, in words fit for a peer."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox ``local_part@domain``; the local part is without quotes, the domain in A-labels."""

    local_part: str
    domain: str

    def __str__(self) -> str:
        return f"{quoted(self.local_part)}@{self.domain}"

    @property
    def is_ascii(self) -> bool:
        """May it be used without SMTPUTF8?"""
        return self.local_part.isascii()

    def folded(self) -> Address:
        """The form under which our own accounts and aliases are looked up: case does not matter."""
        local_part = unicodedata.normalize("NFC", self.local_part).casefold()
        return self if local_part == self.local_part else Address(local_part, self.domain)

    def without_tag(self, separator: str = "+") -> Address:
        """``user+tag@domain`` becomes ``user@domain``; an address that begins with the separator stays."""
        user, found, _tag = self.local_part.partition(separator)
        return Address(user, self.domain) if found and user else self

    def display(self) -> str:
        """For people: the domain as U-labels where it has any."""
        return f"{quoted(self.local_part)}@{display_domain(self.domain)}"


def quoted(local_part: str) -> str:
    """The local part as it stands in a path or header: quoted when it must be."""
    if _DOT_STRING.fullmatch(local_part):
        return local_part
    return '"' + _SPECIAL.sub(r"\\\g<0>", local_part) + '"'


def display_domain(domain: str) -> str:
    """U-labels for people; what is no valid IDNA stays as it is."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address:
    """Read ``local-part@domain`` or ``local-part@[literal]``; raises :class:`AddressError`."""
    local_text, domain_text = _split(text)
    local_part = parse_local_part(local_text)
    domain = parse_domain(domain_text)
    if len(quoted(local_part).encode()) + 1 + len(domain) > ADDRESS_OCTETS:
        raise AddressError(f"the address is longer than {ADDRESS_OCTETS} octets")
    return Address(local_part, domain)


def _split(text: str) -> tuple[str, str]:
    """Cut at the ``@`` that ends the local part: the first after a closing quote, or the only one."""
    if text.startswith('"'):
        match = _QUOTED_STRING.match(text)
        if match is None:
            raise AddressError("the quotes are not balanced")
        local, rest = match.group(), text[match.end() :]
        if not rest.startswith("@"):
            raise AddressError("there is no @ after the quoted local part")
        return local, rest[1:]
    local, found, domain = text.partition("@")
    if not found:
        raise AddressError("there is no @")
    return local, domain


def parse_local_part(text: str) -> str:
    """The local part without its quotes."""
    if text.startswith('"'):
        if not _QUOTED_STRING.fullmatch(text):
            raise AddressError("the quotes are not balanced")
        local_part = _QUOTED_PAIR.sub(r"\1", text[1:-1])
    elif _DOT_STRING.fullmatch(text):
        local_part = text
    else:
        raise AddressError("the part before the @ is empty or has a character that is not allowed")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in local_part if c > "~"):
        raise AddressError("the part before the @ has a control character")
    limit = ADDRESS_OCTETS if _HOLDS_ANOTHER.match(local_part) else LOCAL_PART_OCTETS
    if len(local_part.encode()) > limit:
        raise AddressError(f"the part before the @ is longer than {limit} octets")
    return local_part


@lru_cache(maxsize=4096)
def parse_domain(text: str) -> str:
    """A domain as A-labels in lower case, or an address literal; raises :class:`AddressError`."""
    if text.startswith("["):
        return _parse_literal(text)
    domain = text.lower() if text.isascii() else _to_a_labels(text)
    if len(domain) > DOMAIN_OCTETS:
        raise AddressError(f"the domain is longer than {DOMAIN_OCTETS} octets")
    if not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise AddressError("the domain is not valid")
    return domain


def _to_a_labels(text: str) -> str:
    if len(text) > DOMAIN_OCTETS:
        raise AddressError(f"the domain is longer than {DOMAIN_OCTETS} octets")
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressError("the domain is not valid in IDNA 2008") from error


def _parse_literal(text: str) -> str:
    """RFC 5321 4.1.3: ``[192.0.2.1]`` or ``[IPv6:2001:db8::1]``."""
    inner = text[1:-1]
    # ipaddress takes anything at all after a "%", as the zone of an IPv6 address.
    if not text.endswith("]") or len(text) > 64 or "%" in inner:
        raise AddressError("the address literal is not valid")
    try:
        if inner[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:])}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ValueError as error:
        raise AddressError("the address literal is not valid") from error
