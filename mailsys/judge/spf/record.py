"""SPF records as values (RFC 7208 4.6.1, 5, 6 and 12): read whole, before anything of one is evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from mailsys.judge.spf.macros import BadMacro, is_domain_spec, is_macro_string

# No honest record comes near; what it costs to read a stranger's is bounded by this.
MOST_OCTETS = 4096
MOST_TERMS = 400
_SHOWN = 60  # of a term, where it is named

_VERSION = re.compile(rb"v=spf1(?: |\Z)", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)", re.DOTALL)
_DIRECTIVE = re.compile(r"([-+?~]?)([A-Za-z][A-Za-z0-9._-]*)([:/].*)?", re.DOTALL)
_PREFIXES = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?\Z")
_NETWORK = re.compile(r":([0-9A-Fa-f.:]+)(?:/(0|[1-9][0-9]{0,2}))?")


class BadRecord(Exception):  # noqa: N818 - a value: the domain has made a mistake
    """The record cannot be read (permerror); the text says what is wrong."""


class Qualifier(Enum):
    """RFC 7208 4.6.2: what follows when the mechanism matches."""

    PASS = "+"  # noqa: S105 - a sign, not a secret
    FAIL = "-"
    SOFTFAIL = "~"
    NEUTRAL = "?"


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One directive; ``text`` is as it was written, for who asks why.

    ``domain`` is a domain-spec with macros, or empty where it may be left out.
    """

    name: str
    qualifier: Qualifier
    text: str
    domain: str = ""
    ipv4_prefix: int = 32
    ipv6_prefix: int = 128
    network: IPv4Network | IPv6Network | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record that can be evaluated; ``redirect`` and ``exp`` are domain-specs, empty without any."""

    mechanisms: tuple[Mechanism, ...]
    redirect: str = ""
    exp: str = ""


def is_spf(text: bytes) -> bool:
    """Does a TXT record call itself one of SPF (RFC 7208 4.5)?"""
    return _VERSION.match(text) is not None


@lru_cache(maxsize=1024)
def parse_record(octets: bytes) -> Record:
    """Read a record for which :func:`is_spf`; raises BadRecord for any mistake in it."""
    if len(octets) > MOST_OCTETS:
        raise BadRecord(f"the record is longer than {MOST_OCTETS} octets")
    try:
        text = octets.decode("ascii")
    except UnicodeDecodeError:
        raise BadRecord("the record has characters beyond ASCII") from None
    terms = [term for term in text.split(" ")[1:] if term]
    if len(terms) > MOST_TERMS:
        raise BadRecord(f"the record has more than {MOST_TERMS} terms")
    mechanisms: list[Mechanism] = []
    modifiers: dict[str, str] = {}
    for term in terms:
        if modifier := _MODIFIER.fullmatch(term):
            _add_modifier(modifiers, modifier[1].lower(), modifier[2])
        else:
            mechanisms.append(_mechanism(term))
    return Record(tuple(mechanisms), modifiers.get("redirect", ""), modifiers.get("exp", ""))


def _add_modifier(modifiers: dict[str, str], name: str, value: str) -> None:
    """RFC 7208 6: redirect and exp once, with a domain-spec; unknown ones are read and ignored."""
    if name not in ("redirect", "exp"):
        if not is_macro_string(value):
            raise BadRecord(f'"{_shown(name)}=" has a value that is not valid')
        return
    if name in modifiers:
        raise BadRecord(f'"{name}=" stands in it twice')
    modifiers[name] = _domain(value, _shown(f"{name}={value}"))


def _mechanism(term: str) -> Mechanism:
    directive = _DIRECTIVE.fullmatch(term)
    read = _READERS.get(directive[2].lower()) if directive else None
    if directive is None or read is None:
        raise BadRecord(f'"{_shown(term)}" is no mechanism')
    qualifier = Qualifier(directive[1] or "+")
    return read(Mechanism(directive[2].lower(), qualifier, _shown(term)), directive[3] or "")


def _shown(term: str) -> str:
    return term if len(term) <= _SHOWN else f"{term[:_SHOWN]}…"


def _domain(spec: str, term: str) -> str:
    try:
        if is_domain_spec(spec):
            return spec
    except BadMacro as error:
        raise BadRecord(f'"{term}": {error}') from None
    raise BadRecord(f'"{term}" has no valid domain')


def _all(read: Mechanism, rest: str) -> Mechanism:
    if rest:
        raise BadRecord(f'"{read.text}": "all" stands alone')
    return read


def _with_domain(read: Mechanism, rest: str) -> Mechanism:
    """``include`` and ``exists``: a domain, and nothing more."""
    if not rest.startswith(":"):
        raise BadRecord(f'"{read.text}" has no domain')
    return Mechanism(read.name, read.qualifier, read.text, _domain(rest[1:], read.text))


def _perhaps_with_domain(read: Mechanism, rest: str) -> Mechanism:
    """``ptr``."""
    return _with_domain(read, rest) if rest else read


def _with_prefixes(read: Mechanism, rest: str) -> Mechanism:
    """``a`` and ``mx``: perhaps a domain, perhaps prefix lengths for IPv4 and IPv6."""
    found = _PREFIXES.search(rest)
    rest = rest[: found.start()] if found else rest
    domain = _domain(rest[1:], read.text) if rest.startswith(":") else ""
    if rest and not domain:
        raise BadRecord(f'"{read.text}" has a prefix length that is not valid')
    ipv4_prefix = int(found[1]) if found and found[1] else 32
    ipv6_prefix = int(found[2]) if found and found[2] else 128
    if ipv4_prefix > 32 or ipv6_prefix > 128:
        raise BadRecord(f'"{read.text}" has a prefix length that is too large')
    return Mechanism(read.name, read.qualifier, read.text, domain, ipv4_prefix, ipv6_prefix)


def _with_network(read: Mechanism, rest: str) -> Mechanism:
    """``ip4`` and ``ip6``."""
    found = _NETWORK.fullmatch(rest)
    try:
        if found is None:
            raise ValueError
        network = ip_network(f"{found[1]}/{found[2]}" if found[2] else found[1], strict=False)
    except ValueError:
        network = None
    if network is None or network.version != int(read.name[2]):
        raise BadRecord(f'"{read.text}" has no valid network')
    return Mechanism(read.name, read.qualifier, read.text, network=network)


_READERS: Mapping[str, Callable[[Mechanism, str], Mechanism]] = {
    "all": _all,
    "include": _with_domain,
    "a": _with_prefixes,
    "mx": _with_prefixes,
    "ptr": _perhaps_with_domain,
    "ip4": _with_network,
    "ip6": _with_network,
    "exists": _with_domain,
}
