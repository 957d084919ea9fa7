"""Verifies the DKIM signatures of a message (RFC 6376 6, RFC 8301, RFC 8463).

One signature costs at most one question in DNS, and of a message ``MOST_SIGNATURES`` are looked at, so
that nobody can make us work without end.  The body is hashed once, whatever the signatures want.

A body of which only the first octets are signed (l=) may have been written on by anybody; such a signature
is right, and its result is ``policy``.  A failure under a key that the domain only tests (t=y) is
``neutral``, since the domain asks that it be not held against the message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred, gatherResults

from mailsys.dkim.body_hash import BodyHash, WantedHash, hash_body
from mailsys.dkim.key_record import KeyRecord, NoKey, parse_key_record
from mailsys.dkim.results import DKIMResult, Result
from mailsys.dkim.signature import BadSignature, Signature, parse_signature, time_fault
from mailsys.dkim.signed_header import SignedHeader, read_signed_header
from mailsys.interfaces import IResolver, IWorkers, NamesUnavailable, NoSuchName
from mailsys.message.content import Content
from mailsys.message.headers import Field

MOST_SIGNATURES = 10
MOST_KEY_RECORDS = 4  # TXT records under one name


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A signature that may be right, if its key and the message say so."""

    field: Field
    signature: Signature

    @property
    def wanted(self) -> WantedHash:
        return WantedHash(self.signature.body_canonicalization, self.signature.body_octets)


async def verify(
    content: Content, resolver: IResolver, now: float, workers: IWorkers, header: SignedHeader | None = None
) -> Sequence[DKIMResult]:
    """A result for each of the first signatures, from the top down; raises OSError.

    ``now`` is in seconds since 1970.  A small message is read and hashed at once, a large one in a thread.
    Who has read its ``header`` already gives it.
    """
    header = header or read_signed_header(content)
    fields = header.all(b"dkim-signature")[:MOST_SIGNATURES]
    if not fields:
        return ()
    if not header.is_complete:
        return (DKIMResult(Result.PERMERROR, reason="the header of the message is too large"),)
    looked_at = [_look_at(field, now) for field in fields]
    candidates = [one for one in looked_at if isinstance(one, _Candidate)]
    keys = await find_keys(resolver, [one.signature for one in candidates])
    able = [one for one in candidates if isinstance(keys[key_of(one.signature)], KeyRecord)]
    wanted = {one.wanted for one in able}
    bodies = await hash_body(content, header.body_start, wanted, workers) if wanted else {}
    return tuple(
        [one if isinstance(one, DKIMResult) else _outcome(one, keys, header, bodies) for one in looked_at]
    )


def _look_at(field: Field, now: float) -> _Candidate | DKIMResult:
    """What the field alone says."""
    try:
        signature = parse_signature(field.value)
    except BadSignature as bad:
        return bad.outcome
    fault = time_fault(signature, now)
    return signature.outcome(Result.PERMERROR, fault) if fault else _Candidate(field, signature)


# ---------------------------------------------------------------------- keys

Keys = Mapping[tuple[str, str], KeyRecord | DKIMResult]


def key_of(signature: Signature) -> tuple[str, str]:
    """What ``find_keys`` knows the key of a signature by."""
    return signature.key_name, signature.kind


async def find_keys(resolver: IResolver, signatures: Sequence[Signature]) -> Keys:
    """The keys of all, asked for at once, or why there is none."""
    by_key = {key_of(signature): signature for signature in signatures}
    asked = [Deferred.fromCoroutine(_find_key(resolver, name, by_key[name, kind])) for name, kind in by_key]
    found = await gatherResults(asked, consumeErrors=True)
    return dict(zip(by_key, found, strict=True))


async def _find_key(resolver: IResolver, name: str, signature: Signature) -> KeyRecord | DKIMResult:
    """RFC 6376 6.1.2."""
    try:
        answer = await resolver.text(name)
    except NamesUnavailable as error:
        return signature.outcome(Result.TEMPERROR, f"its key cannot be looked up: {error}")
    except NoSuchName:
        return signature.outcome(Result.PERMERROR, f"there is no key at {name}")
    return _usable_key(answer.records[:MOST_KEY_RECORDS], signature)


def _usable_key(records: Sequence[bytes], signature: Signature) -> KeyRecord | DKIMResult:
    """The first that fits, since nothing is said of several."""
    why = f"there is no key at {signature.key_name}"
    for record in records:
        try:
            return parse_key_record(record, signature.kind)
        except NoKey as error:
            why = str(error)
    return signature.outcome(Result.PERMERROR, why)


# ---------------------------------------------------------------------- the verdict on one


def _outcome(
    candidate: _Candidate, keys: Keys, header: SignedHeader, bodies: Mapping[WantedHash, BodyHash]
) -> DKIMResult:
    signature = candidate.signature
    key = keys[key_of(signature)]
    if isinstance(key, DKIMResult):
        return _for_signature(key, signature)
    if key.is_strict and signature.identity_domain != signature.domain:
        reason = "the key is not for domains below its own, and i= is one"
        return signature.outcome(Result.PERMERROR, reason, is_testing=key.is_testing)
    field = candidate.field
    digest = header.digest(
        signature.header_canonicalization, signature.signed_fields, header.raw(field), field.start
    )
    result, reason = _verdict(signature, key, digest, bodies[candidate.wanted])
    return signature.outcome(result, reason, is_testing=key.is_testing)


def _for_signature(missing: DKIMResult, signature: Signature) -> DKIMResult:
    """Why there is no key, said of each signature that wants it."""
    return signature.outcome(missing.result, missing.reason)


def _verdict(
    signature: Signature, key: KeyRecord, header_digest: bytes, body: BodyHash
) -> tuple[Result, str]:
    """RFC 6376 6.1.3: the body's hash, then the signature."""
    failed = Result.NEUTRAL if key.is_testing else Result.FAIL
    if body.digest is None:
        return Result.PERMERROR, "l= is larger than the body"
    if body.digest != signature.body_hash:
        return failed, "the body was changed"
    if not key.verifies(signature.signature, header_digest):
        return failed, "the signed fields were changed, or another key made the signature"
    if signature.body_octets is not None and signature.body_octets < body.octets:
        unsigned = body.octets - signature.body_octets
        return Result.POLICY, f"{unsigned} octets at the end of the body are not signed"
    return Result.PASS, ""
