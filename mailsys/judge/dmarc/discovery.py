"""Which record is about a domain, and to which organisation the domain belongs: the DNS Tree Walk.

RFC 9989 4.10: at most eight questions for any name, from the name itself up to its last label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailsys.interfaces import IResolver, NoSuchName
from mailsys.judge.dmarc.record import Record, parse_record

MOST_QUERIES = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and the domain whose it is."""

    domain: str
    record: Record


@dataclass(frozen=True, slots=True)
class Walk:
    """What stands on the way up from ``domain``, the longest name first."""

    domain: str
    found: tuple[Found, ...]

    @property
    def organisation(self) -> str:
        """The Organizational Domain (RFC 9989 4.10.2)."""
        if not self.found:
            return self.domain
        highest = self.found[-1]
        if highest.record.psd == "y" and highest.domain != self.domain:
            return _one_below(highest.domain, self.domain)
        return highest.domain

    @property
    def applicable(self) -> Found | None:
        """The record whose policy counts: the domain's, its organisation's, or the public suffix's."""
        by_domain = {one.domain: one for one in self.found}
        own = by_domain.get(self.domain) or by_domain.get(self.organisation)
        if own is None and self.found and self.found[-1].record.psd == "y":
            return self.found[-1]
        return own


async def walk(domain: str, resolver: IResolver) -> Walk:
    """Ask up the tree; raises NamesUnavailable."""
    found: list[Found] = []
    for name in _targets(domain):
        record = await _record(name, resolver)
        if record is None:
            continue
        found.append(Found(name, record))
        if record.psd == "n" or (record.psd == "y" and name != domain):
            break
    return Walk(domain, tuple(found))


def _targets(domain: str) -> Sequence[str]:
    """The names to ask about: of a long one the middle is left out."""
    labels = domain.split(".")
    above = labels[1:] if len(labels) < MOST_QUERIES else labels[-(MOST_QUERIES - 1) :]
    return [domain, *(".".join(above[number:]) for number in range(len(above)))]


async def _record(domain: str, resolver: IResolver) -> Record | None:
    """The one record of a name; several are none."""
    try:
        answer = await resolver.text(f"_dmarc.{domain}")
    except NoSuchName:
        return None
    records = [record for text in answer.records if (record := parse_record(text)) is not None]
    return records[0] if len(records) == 1 else None


def _one_below(domain: str, name: str) -> str:
    labels = name.split(".")
    return ".".join(labels[-(domain.count(".") + 2) :])
