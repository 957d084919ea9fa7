"""What a domain says to those who fail (RFC 7208 6.2): one line of bounded, printable ASCII."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from mailsys.judge.spf.lookups import Lookups, TempError
from mailsys.judge.spf.macros import BadMacro, demand_explanation, expand, expand_domain

MOST_OCTETS = 2048  # of the record; a longer one is no explanation
MOST_SHOWN = 300
_NOT_SHOWN = re.compile(r"[^ -~]+")

Values = Callable[[str], Awaitable[Mapping[str, str] | None]]


async def fetch_explanation(spec: str, values: Values, lookups: Lookups) -> str:
    """The text for the domain-spec of ``exp``; empty when there is none that can be used.

    Nothing that goes wrong here changes a result.
    """
    known = await values(spec)
    if known is None:
        return ""
    try:
        found = await lookups.text(expand_domain(spec, known)) or ()
    except TempError:
        return ""
    if len(found) != 1 or len(found[0]) > MOST_OCTETS or not found[0].isascii():
        return ""
    text = found[0].decode("ascii")
    try:
        demand_explanation(text)
    except BadMacro:
        return ""
    known = await values(text)
    return "" if known is None else _NOT_SHOWN.sub(" ", expand(text, known))[:MOST_SHOWN]
