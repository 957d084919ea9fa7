"""DMARC records as values (RFC 9989 4.7 and 4.8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

MOST_OCTETS = 4096

_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_TAG = re.compile(r"[ \t]*([A-Za-z]+)[ \t]*=[ \t]*(.*?)[ \t]*", re.DOTALL)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s,!]+(?:![0-9]+[kmgtKMGT]?)?")


class Policy(IntEnum):
    """What a domain wants done with messages in its name that fail; the later are the stricter."""

    NONE = 0
    QUARANTINE = 1
    REJECT = 2

    @property
    def word(self) -> str:
        """As in a record."""
        return self.name.lower()


_POLICIES = {policy.word: policy for policy in Policy}


@dataclass(frozen=True, slots=True)
class Record:
    """One record.  ``subdomains`` and ``missing`` (np) are None where they are not said.

    ``psd`` is ``y``, ``n`` or ``u``.  ``is_usable`` is False when a policy in it cannot be read, and nobody
    wants to hear of it: then DMARC does not apply.
    """

    policy: Policy = Policy.NONE
    subdomains: Policy | None = None
    missing: Policy | None = None
    is_dkim_strict: bool = False
    is_spf_strict: bool = False
    psd: str = "u"
    is_testing: bool = False
    is_usable: bool = True

    def policy_for(self, *, is_own: bool, exists: bool) -> Policy:
        """For the domain of the record itself, or for one below it that exists or does not."""
        policy = self.policy
        if not is_own:
            policy = self.subdomains if self.subdomains is not None else policy
            if not exists and self.missing is not None:
                policy = self.missing
        # RFC 9989 4.7: who tests a policy expects the one below it.
        return Policy(max(Policy.NONE, policy - 1)) if self.is_testing else policy


def parse_record(octets: bytes) -> Record | None:
    """Read a TXT record; None when it is none of DMARC.  What is wrong in one counts as not written."""
    if len(octets) > MOST_OCTETS:
        return None
    text = octets.decode("ascii", "replace")
    version = _VERSION.match(text)
    if version is None:
        return None
    tags: dict[str, str] = {}
    for part in text[version.end() :].split(";"):
        if tag := _TAG.fullmatch(part):
            tags.setdefault(tag[1].lower(), tag[2])
    return _record(tags)


def _record(tags: Mapping[str, str]) -> Record:
    requests = {name: tags[name].lower() for name in ("p", "sp", "np") if name in tags}
    if not requests.keys() <= {name for name in requests if requests[name] in _POLICIES}:
        # RFC 9989 4.7: as if it were p=none for who wants reports, and nothing else.
        wants_reports = any(_URI.fullmatch(uri.strip()) for uri in tags.get("rua", "").split(",")[:100])
        requests = {}
    else:
        wants_reports = True
    return Record(
        _POLICIES[requests.get("p", "none")],
        _POLICIES[requests["sp"]] if "sp" in requests else None,
        _POLICIES[requests["np"]] if "np" in requests else None,
        tags.get("adkim", "").lower() == "s",
        tags.get("aspf", "").lower() == "s",
        psd if (psd := tags.get("psd", "").lower()) in ("y", "n") else "u",
        tags.get("t", "").lower() == "y",
        is_usable=wants_reports,
    )
