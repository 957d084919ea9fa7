"""What judges find out about who sent a message, in the terms of RFC 8601."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of one method: ``spf``, ``iprev``, ``dkim``, ``arc``, ``dmarc``.

    ``result`` is a word of RFC 8601 2.7, ``domain`` whom it is about, and ``reason`` our words for people.
    ``properties`` are those of Authentication-Results, as in ``smtp.mailfrom``; ``detail`` is what else
    programs want to know (the explanation of SPF, the selector of DKIM, the policy of DMARC).
    All of it may hold what a stranger said.
    """

    method: str
    result: str
    domain: str = ""
    reason: str = ""
    properties: tuple[tuple[str, str], ...] = ()
    detail: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def passes(self) -> bool:
        """Does it speak for the domain?"""
        return self.result == "pass"


# By method, the more important first; those of the client and the message at hand alone.
Findings = dict[str, tuple[Finding, ...]]
