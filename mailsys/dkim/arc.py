"""Verifies the chain of ARC seals of a message (RFC 8617 5.2).

A sealer says what it found when the message passed it.  That is information, and nothing here believes it: a
whole chain proves who the sealers are, not that they speak the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailsys.dkim.body_hash import WantedHash, hash_body
from mailsys.dkim.key_record import KeyRecord
from mailsys.dkim.results import DKIMResult, Result
from mailsys.dkim.signature import (
    ALGORITHMS,
    BadSignature,
    Signature,
    read_domain,
    read_selector,
    signature_of,
)
from mailsys.dkim.signed_header import SignedHeader
from mailsys.dkim.tags import NoTagList, decode_base64, number, parse_tags, without_space
from mailsys.dkim.verify import find_keys, key_of
from mailsys.interfaces import IResolver, IWorkers
from mailsys.message.content import Content
from mailsys.message.headers import Field

# RFC 8617 4.2.1 allows 50.  Chains of more than a few are not seen, and each seal costs a question in DNS.
MOST_SETS = 5

_RESULTS = b"arc-authentication-results"
_SIGNATURE = b"arc-message-signature"
_SEAL = b"arc-seal"
_FIELDS = (_RESULTS, _SIGNATURE, _SEAL)
_SEAL_TAGS = ("a", "b", "cv", "d", "s")


@dataclass(frozen=True, slots=True)
class ARCResult:
    """``result`` is pass, fail or temperror; ``sealers`` are the domains of the seals, the first first."""

    result: Result
    reason: str = ""
    sealers: tuple[str, ...] = ()


class _Broken(Exception):  # noqa: N818 - becomes a result
    """The chain does not hold; the message says where."""


@dataclass(frozen=True, slots=True)
class _Set:
    """One ARC set: its three fields, and the two signatures in them."""

    fields: Mapping[bytes, Field]
    signature: Signature
    seal: Signature
    validation: bytes  # cv=


def has_chain(header: SignedHeader) -> bool:
    """Is there anything to verify?"""
    return any(header.count(name) for name in _FIELDS)


async def verify_arc(
    content: Content, header: SignedHeader, resolver: IResolver, workers: IWorkers
) -> ARCResult:
    """Verify the newest signature and all seals of a message that has a chain; raises OSError."""
    try:
        chain = _chain(header)
    except _Broken as broken:
        return ARCResult(Result.FAIL, str(broken))
    sealers = tuple(one.seal.domain for one in chain)
    signatures = [chain[-1].signature, *(one.seal for one in chain)]
    keys = await find_keys(resolver, signatures)
    try:
        usable = [_usable(keys[key_of(one)], one) for one in signatures]
        await _check_signature(content, header, chain[-1], usable[0], workers)
        _check_seals(header, chain, usable[1:])
    except _Broken as broken:
        return ARCResult(Result.FAIL, str(broken), sealers)
    except _Unanswered as unanswered:
        return ARCResult(Result.TEMPERROR, str(unanswered), sealers)
    return ARCResult(Result.PASS, sealers=sealers)


class _Unanswered(Exception):  # noqa: N818 - becomes a result
    """DNS has no key for the moment."""


def _usable(key: KeyRecord | DKIMResult, signature: Signature) -> KeyRecord:
    if isinstance(key, KeyRecord):
        return key
    kind = _Unanswered if key.result is Result.TEMPERROR else _Broken
    raise kind(f"{signature.domain}: {key.reason}")


# ---------------------------------------------------------------------- structure


def _chain(header: SignedHeader) -> list[_Set]:
    """Steps 1 to 3: whole, in order, and nobody before has found it broken."""
    if not header.is_complete:
        raise _Broken("the header of the message is too large")
    found = {name: _by_instance(header.all(name)) for name in _FIELDS}
    count = max(map(len, found.values()))
    for name, fields in found.items():
        if sorted(fields) != list(range(1, count + 1)):
            raise _Broken(f"the {name.decode()} fields are not one of each instance")
    chain = [_set({name: found[name][at] for name in _FIELDS}) for at in range(1, count + 1)]
    if chain[-1].validation == b"fail":
        raise _Broken("the last sealer found the chain broken")
    for at, one in enumerate(chain, 1):
        if one.validation != (b"none" if at == 1 else b"pass"):
            raise _Broken(f"the seal {at} has the wrong cv=")
    return chain


def _by_instance(fields: Sequence[Field]) -> dict[int, Field]:
    if len(fields) > MOST_SETS:
        raise _Broken(f"the chain has more than {MOST_SETS} sets")
    by_instance: dict[int, Field] = {}
    for field in fields:
        instance = _instance(field)
        if instance in by_instance:
            raise _Broken(f"the instance {instance} is there twice")
        by_instance[instance] = field
    return by_instance


def _instance(field: Field) -> int:
    """i=, which comes first in ARC-Authentication-Results, whose rest is no list of tags."""
    first = field.value if field.name.lower() != _RESULTS else field.value.partition(b";")[0]
    try:
        return number(parse_tags(first).get("i", b""), "i", 2)
    except NoTagList as error:
        raise _Broken(f"{field.name.decode()}: {error}") from None


def _set(fields: Mapping[bytes, Field]) -> _Set:
    try:
        tags = parse_tags(fields[_SIGNATURE].value)
        del tags["i"]
        signature = signature_of({**tags, "v": b"1"})  # this field has no version
        if _SEAL in signature.signed_fields:
            raise _Broken("an ARC-Message-Signature signs ARC-Seal")
        seal = parse_tags(fields[_SEAL].value)
        return _Set(fields, signature, _seal(seal), seal.get("cv", b"").lower())
    except NoTagList as error:
        raise _Broken(f"a field cannot be read: {error}") from None
    except BadSignature as bad:
        raise _Broken(f"an ARC-Message-Signature is of no use: {bad.outcome.reason}") from None


def _seal(tags: dict[str, bytes]) -> Signature:
    """RFC 8617 4.1.3."""
    for name in _SEAL_TAGS:
        if name not in tags:
            raise _Broken(f"an ARC-Seal has no {name}=")
    algorithm = tags["a"].decode("utf-8", "replace").lower()
    if algorithm not in ALGORITHMS:
        raise _Broken("the algorithm of an ARC-Seal is unknown")
    if "h" in tags:
        raise _Broken("an ARC-Seal has h=")
    domain = read_domain(tags["d"], "d")
    return Signature(
        algorithm,
        ALGORITHMS[algorithm],
        decode_base64(tags["b"], "b"),
        b"",
        "relaxed",
        "relaxed",
        domain,
        read_selector(tags["s"]),
        (),
        "",
        domain,
        without_space(tags["b"]).decode(),
    )


# ---------------------------------------------------------------------- signatures


async def _check_signature(
    content: Content, header: SignedHeader, newest: _Set, key: KeyRecord, workers: IWorkers
) -> None:
    """Step 4: the message is as the last sealer had it."""
    signature, field = newest.signature, newest.fields[_SIGNATURE]
    wanted = WantedHash(signature.body_canonicalization, signature.body_octets)
    bodies = await hash_body(content, header.body_start, (wanted,), workers)
    if bodies[wanted].digest != signature.body_hash:
        raise _Broken("the body was changed after the last seal")
    names = signature.signed_fields
    digest = header.digest(signature.header_canonicalization, names, header.raw(field), field.start)
    if not key.verifies(signature.signature, digest):
        raise _Broken("the fields were changed after the last seal")


def _check_seals(header: SignedHeader, chain: Sequence[_Set], keys: Sequence[KeyRecord]) -> None:
    """Step 6: each seal covers all sets until its own (RFC 8617 5.1.1)."""
    before: list[Field] = []
    for at, (one, key) in enumerate(zip(chain, keys, strict=True), 1):
        before += [one.fields[_RESULTS], one.fields[_SIGNATURE]]
        own = one.fields[_SEAL]
        if not key.verifies(one.seal.signature, header.digest_of(before, own)):
            raise _Broken(f"the seal {at} of {one.seal.domain} does not hold")
        before.append(own)
