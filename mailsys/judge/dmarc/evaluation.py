"""The evaluation of DMARC (RFC 9989 5.3): is a domain that passed aligned with the one in From?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailsys.interfaces import IResolver, NamesUnavailable, NoSuchName
from mailsys.judge.dmarc.discovery import Found, Walk, walk
from mailsys.judge.dmarc.record import Policy


@dataclass(frozen=True, slots=True)
class Identifier:
    """A domain for which ``method`` (spf, dkim) has passed, or whose check DNS could not answer."""

    method: str
    domain: str
    passed: bool


@dataclass(frozen=True, slots=True)
class DMARCResult:
    """``word`` is pass, fail, none or temperror.  ``policy`` is what the domain wants done, None if unknown.

    ``published_by`` is the domain whose record it is.
    """

    word: str
    domain: str
    policy: Policy | None = None
    published_by: str = ""
    reason: str = ""


async def evaluate(author: str, identifiers: Sequence[Identifier], resolver: IResolver) -> DMARCResult:
    """Evaluate for the domain in From; raises nothing but cancellation."""
    try:
        walked = await walk(author, resolver)
        applicable = walked.applicable
        if applicable is None:
            return DMARCResult("none", author, reason=f"{author} has no DMARC record")
        if not applicable.record.is_usable:
            reason = f"the DMARC record of {applicable.domain} has a policy that cannot be read"
            return DMARCResult("none", author, reason=reason)
        policy = await _policy(author, applicable, resolver)
        return await _aligned(walked, applicable, policy, identifiers, resolver)
    except NamesUnavailable:
        return _unknown(author, identifiers)


def _unknown(author: str, identifiers: Sequence[Identifier]) -> DMARCResult:
    """Without the record: whose own domain passed would pass under any."""
    exact = next((one for one in identifiers if one.passed and one.domain == author), None)
    if exact is not None:
        return DMARCResult("pass", author, Policy.NONE, reason=f"{exact.method} passes for {author} itself")
    reason = f"DNS has no answer for the moment about DMARC of {author}"
    return DMARCResult("temperror", author, reason=reason)


async def _policy(author: str, applicable: Found, resolver: IResolver) -> Policy:
    is_own = applicable.domain == author
    exists = is_own or applicable.record.missing is None or await _exists(author, resolver)
    return applicable.record.policy_for(is_own=is_own, exists=exists)


async def _aligned(
    walked: Walk, applicable: Found, policy: Policy, identifiers: Sequence[Identifier], resolver: IResolver
) -> DMARCResult:
    author, by = walked.domain, applicable.domain
    doubtful: Identifier | None = None
    for one in identifiers:
        record = applicable.record
        is_strict = record.is_spf_strict if one.method == "spf" else record.is_dkim_strict
        if not await _is_aligned(one.domain, walked, resolver, is_strict=is_strict):
            continue
        if one.passed:
            return DMARCResult("pass", author, policy, by, f"{one.method} passes for {one.domain}")
        doubtful = doubtful or one
    if doubtful is not None:
        reason = f"DNS has no answer for the moment about {doubtful.method} of {doubtful.domain}"
        return DMARCResult("temperror", author, policy, by, reason)
    return DMARCResult("fail", author, policy, by, f"neither SPF nor DKIM passes for {author}")


async def _is_aligned(domain: str, walked: Walk, resolver: IResolver, *, is_strict: bool) -> bool:
    """RFC 9989 4.4: the same domain, or in relaxed mode the same organisation."""
    if domain == walked.domain or is_strict:
        return domain == walked.domain
    organisation = walked.organisation
    if domain != organisation and not domain.endswith(f".{organisation}"):
        return False  # nothing on its way up can lead there
    return (await walk(domain, resolver)).organisation == organisation


async def _exists(domain: str, resolver: IResolver) -> bool:
    """RFC 9989 3.2.12: is there an address or an MX?  Raises NamesUnavailable."""
    try:
        return bool(
            (await resolver.ipv4_addresses(domain)).records
            or (await resolver.mail_exchanges(domain)).records
            or (await resolver.ipv6_addresses(domain)).records
        )
    except NoSuchName:
        return False
