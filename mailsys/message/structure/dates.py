"""The Date field, as it comes (RFC 5322 3.3 and 4.3)."""

from __future__ import annotations

import re
from datetime import date

_EPOCH = date(1970, 1, 1).toordinal()
_DAY_SECONDS = 86_400
_MONTHS = {
    name: number
    for number, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)
}
_DATE = re.compile(
    rb"""\s*+(?:[A-Za-z]{2,12}\s*+[,.]?)?\s*+
         ([0-9]{1,2})[\s-]++([A-Za-z]{3})[a-z]*+[\s.,-]++([0-9]{2,4})
         (?:[\s,]++([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2}))?(?:[.][0-9]++)?
            (?:\s*+(?:([+-])([0-9]{2}):?([0-9]{2})|\(?([A-Za-z]{1,5})))?)?""",
    re.VERBOSE,
)
# RFC 5322 4.3: the zones of North America mean what they say, all others nothing.
_ZONES = {b"EDT": -4, b"EST": -5, b"CDT": -5, b"CST": -6, b"MDT": -6, b"MST": -7, b"PDT": -7, b"PST": -8}


def parse_date(value: bytes) -> tuple[float, int] | None:
    """Seconds since 1970, and the day it names as ``date.toordinal`` has it; None when it is no date."""
    match = _DATE.match(value[:200])
    if match is None:
        return None
    month = _MONTHS.get(match[2].lower())
    year = _year(match[3])
    if month is None or year is None:
        return None
    try:
        day = date(year, month, int(match[1])).toordinal()
    except ValueError:
        return None
    hour, minute, second = (int(match[group] or 0) for group in (4, 5, 6))
    if hour > 24 or minute > 59 or second > 60:
        return None
    seconds = (day - _EPOCH) * _DAY_SECONDS + hour * 3600 + minute * 60 + second
    return float(seconds - _offset(match)), day


def _offset(match: re.Match[bytes]) -> int:
    if match[7]:
        offset = int(match[8]) * 3600 + int(match[9]) * 60
        return -offset if match[7] == b"-" else offset
    return _ZONES.get((match[10] or b"").upper(), 0) * 3600


def _year(digits: bytes) -> int | None:
    year = int(digits)
    if len(digits) == 4:
        return year if year > 0 else None
    # RFC 5322 4.3: two digits below 50 are of this century, three are from 1900 on.
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)
