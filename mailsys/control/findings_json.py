"""What judges found out about a sender, for programs: one entry a method, with the words of RFC 8601."""

from __future__ import annotations

from typing import Any

from mailsys.interfaces import Finding, Findings

_SEVERAL = frozenset({"dkim"})  # a message may have any number of signatures


def findings_as_json(findings: Findings) -> dict[str, Any]:
    """By method; those that nobody asked about are absent.  Of SPF, ``helo`` is the other identity."""
    described: dict[str, Any] = {}
    for method, found in findings.items():
        if method in _SEVERAL:
            described[method] = [_described(one) for one in found if one.result != "none"]
        else:
            first, *others = [_described(one) for one in found]
            described[method] = {**first, **{str(one.get("identity")): one for one in others}}
    return described


def _described(finding: Finding) -> dict[str, Any]:
    return {
        "result": finding.result,
        "domain": finding.domain,
        "reason": finding.reason,
        **finding.detail,
    }
