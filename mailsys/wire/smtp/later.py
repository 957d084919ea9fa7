"""HOLDFOR and HOLDUNTIL: a message that is to leave later (RFC 4865).

Each function takes a value as it stood in the line, None without one, or raises :class:`Malformed`.
"""

from __future__ import annotations

import re
from datetime import datetime

from mailsys.message import reply as replies
from mailsys.wire.smtp.grammar import Malformed

_INTERVAL = re.compile(r"[0-9]{1,9}")
# RFC 3339 5.6: date-time
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def parse_interval(value: str | None) -> int:
    """``HOLDFOR=``: seconds from now on."""
    if value is None or not _INTERVAL.fullmatch(value):
        raise _malformed("HOLDFOR must be a number of seconds, of up to nine digits")
    return int(value)


def parse_moment(value: str | None) -> float:
    """``HOLDUNTIL=``: a date with time and zone, as seconds since 1970."""
    match = _MOMENT.fullmatch(value or "")
    if match is None:
        raise _malformed("HOLDUNTIL must be a moment such as 2027-01-31T08:00:00Z")
    day, minute, second, zone = match.groups()
    second = "59" if second == "60" else second  # a leap second
    try:
        return datetime.fromisoformat(
            f"{day}T{minute}:{second}{zone.upper().replace('Z', '+00:00')}"
        ).timestamp()
    except (ValueError, OverflowError):
        raise _malformed("HOLDUNTIL must be a moment that exists") from None


def _malformed(words: str) -> Malformed:
    return Malformed(replies.SYNTAX_ERROR.with_text(words))
