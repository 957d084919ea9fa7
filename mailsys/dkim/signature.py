"""One DKIM-Signature field, taken apart and held to RFC 6376 3.5 and 6.1.1 (with RFC 8301 and RFC 8463)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailsys.dkim.results import DKIMResult, Result
from mailsys.dkim.tags import (
    NoTagList,
    colon_list,
    decode_base64,
    number,
    parse_tags,
    without_space,
)
from mailsys.message.address import AddressError, parse_domain

ALGORITHMS = {"rsa-sha256": "rsa", "ed25519-sha256": "ed25519"}  # by the kind of key
MOST_SIGNED_FIELDS = 500  # names in h=
HASH_OCTETS = 32  # of SHA-256
# A clock may be wrong by some hours, as by a wrong zone.
FUTURE_SECONDS = 24 * 3600

_REQUIRED = ("v", "a", "b", "bh", "d", "h", "s")
_FIELD_NAME = re.compile(rb"[!-9<-~]+")
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*")
_CANONICALIZATIONS = {
    b"simple": ("simple", "simple"),
    b"relaxed": ("relaxed", "simple"),
    b"simple/simple": ("simple", "simple"),
    b"simple/relaxed": ("simple", "relaxed"),
    b"relaxed/simple": ("relaxed", "simple"),
    b"relaxed/relaxed": ("relaxed", "relaxed"),
}


class BadSignature(Exception):  # noqa: N818 - carries a result
    """The field is no signature that could be verified; ``outcome`` says what it is then."""

    def __init__(self, outcome: DKIMResult) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Signature:
    """The tags of RFC 6376 3.5.  ``kind`` is that of the key; ``body_octets`` is l=.

    ``identity`` is i=, ``identity_domain`` its part after the @; both are d= where there is no i=.
    """

    algorithm: str
    kind: str
    signature: bytes
    body_hash: bytes
    header_canonicalization: str
    body_canonicalization: str
    domain: str
    selector: str
    signed_fields: tuple[bytes, ...]  # in lower case
    identity: str
    identity_domain: str
    text: str  # b= without white space
    body_octets: int | None = None
    signed_at: int | None = None
    expires_at: int | None = None

    @property
    def key_name(self) -> str:
        """Where its key stands in DNS."""
        return f"{self.selector}._domainkey.{self.domain}"

    def outcome(self, result: Result, reason: str = "", *, is_testing: bool = False) -> DKIMResult:
        """What became of it."""
        return DKIMResult(
            result,
            self.domain,
            self.selector,
            self.algorithm,
            self.identity,
            reason,
            self.text,
            self.signed_at,
            is_testing,
        )


def parse_signature(value: bytes) -> Signature:
    """Read the value of a DKIM-Signature field; raises BadSignature."""
    try:
        tags = parse_tags(value)
    except NoTagList as error:
        raise BadSignature(DKIMResult(Result.NEUTRAL, reason=f"the field cannot be read: {error}")) from None
    return signature_of(tags)


def signature_of(tags: dict[str, bytes]) -> Signature:
    """What the tags of a field say; raises BadSignature."""
    known = _what_it_says(tags)
    try:
        return _Reading(tags).signature()
    except NoTagList as error:
        raise BadSignature(_with(known, Result.NEUTRAL, str(error))) from None
    except _Unusable as error:
        raise BadSignature(_with(known, Result.PERMERROR, str(error))) from None


def time_fault(signature: Signature, now: float) -> str:
    """Why it does not count at this time (seconds since 1970), or nothing."""
    signed_at, expires_at = signature.signed_at, signature.expires_at
    if expires_at is not None and signed_at is not None and expires_at <= signed_at:
        return "it expires before it was made"
    if expires_at is not None and expires_at < now:
        return "it has expired"
    if signed_at is not None and signed_at > now + FUTURE_SECONDS:
        return "it was made in the future"
    return ""


class _Unusable(Exception):  # noqa: N818 - becomes a permerror
    """It can be read, and not be verified."""


class _Reading:
    """From tags to a signature."""

    def __init__(self, tags: dict[str, bytes]) -> None:
        self._tags = tags

    def signature(self) -> Signature:
        tags = self._tags
        self._demand_what_must_be_there()
        algorithm = tags["a"].decode("utf-8", "replace").lower()
        if algorithm not in ALGORITHMS:
            raise _Unusable(_algorithm_fault(algorithm))
        domain = read_domain(tags["d"], "d")
        identity, identity_domain = self._identity(domain)
        header, body = self._canonicalization()
        return Signature(
            algorithm,
            ALGORITHMS[algorithm],
            decode_base64(tags["b"], "b"),
            self._body_hash(),
            header,
            body,
            domain,
            read_selector(tags["s"]),
            _signed_fields(tags["h"]),
            identity,
            identity_domain,
            without_space(tags["b"]).decode("ascii"),
            self._number("l", 76),
            self._number("t", 15),
            self._number("x", 15),
        )

    def _demand_what_must_be_there(self) -> None:
        for name in _REQUIRED:
            if name not in self._tags:
                raise _Unusable(f"it has no {name}=")
        if self._tags["v"] != b"1":
            raise _Unusable("it is of an unknown version")
        if "q" in self._tags and b"dns/txt" not in colon_list(self._tags["q"].lower()):
            raise _Unusable("its key is not in DNS")

    def _number(self, name: str, most_digits: int) -> int | None:
        return number(self._tags[name], name, most_digits) if name in self._tags else None

    def _canonicalization(self) -> tuple[str, str]:
        value = self._tags.get("c", b"simple").lower()
        if value not in _CANONICALIZATIONS:
            raise _Unusable("its canonicalization is unknown")
        return _CANONICALIZATIONS[value]

    def _body_hash(self) -> bytes:
        body_hash = decode_base64(self._tags["bh"], "bh")
        if len(body_hash) != HASH_OCTETS:
            raise NoTagList("bh= is no SHA-256")
        return body_hash

    def _identity(self, domain: str) -> tuple[str, str]:
        """RFC 6376 3.5: i= is of d= or of a domain below it."""
        if "i" not in self._tags:
            return f"@{domain}", domain
        local_part, found, text = _text(self._tags["i"], "i").rpartition("@")
        if not found:
            raise NoTagList("i= has no @")
        identity_domain = read_domain(text.encode(), "i")
        if identity_domain != domain and not identity_domain.endswith(f".{domain}"):
            raise _Unusable("i= is not of the domain d=")
        return f"{local_part}@{identity_domain}", identity_domain


def _what_it_says(tags: dict[str, bytes]) -> DKIMResult:
    """As much as can be told of a field that may have anything wrong with it."""

    def said(name: str) -> str:
        text = without_space(tags.get(name, b"")).decode("ascii", "replace").lower()
        return text if len(text) <= 255 and text.isprintable() and text.isascii() else ""

    return DKIMResult(Result.NEUTRAL, said("d"), said("s"), said("a"))


def _with(known: DKIMResult, result: Result, reason: str) -> DKIMResult:
    return DKIMResult(result, known.domain, known.selector, known.algorithm, reason=reason)


def _algorithm_fault(algorithm: str) -> str:
    """RFC 8301 3.1: SHA-1 is no longer good for anything."""
    return "rsa-sha1 is no longer safe" if algorithm == "rsa-sha1" else "its algorithm is unknown"


def _text(value: bytes, name: str) -> str:
    try:
        return without_space(value).decode()
    except UnicodeDecodeError:
        raise NoTagList(f"{name}= is no UTF-8") from None


def read_domain(value: bytes, name: str) -> str:
    """RFC 8616 4: a domain may be of U-labels.  Raises NoTagList."""
    try:
        domain = parse_domain(_text(value, name))
    except AddressError:
        raise NoTagList(f"{name}= is no domain") from None
    if domain.startswith("["):
        raise NoTagList(f"{name}= is no domain")
    return domain


def read_selector(value: bytes) -> str:
    """A name of one label or more; raises NoTagList."""
    selector = _text(value, "s").lower()
    if not selector.isascii():
        return read_domain(value, "s")
    if len(selector) > 190 or not _SELECTOR.fullmatch(selector):
        raise NoTagList("s= is no name")
    return selector


def _signed_fields(value: bytes) -> tuple[bytes, ...]:
    names = tuple(name.lower() for name in colon_list(value))
    if len(names) > MOST_SIGNED_FIELDS:
        raise _Unusable(f"it signs more than {MOST_SIGNED_FIELDS} fields")
    if not all(map(_FIELD_NAME.fullmatch, names)):
        raise NoTagList("h= is no list of field names")
    if b"from" not in names:
        raise _Unusable("it does not sign From")
    return names
