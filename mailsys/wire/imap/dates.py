"""Dates as IMAP writes them (RFC 9051 9: ``date`` and ``date-time``)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = date(1970, 1, 1).toordinal()
FIRST_SECOND, LAST_SECOND = -62135596800, 253402300799  # of the years 1 to 9999
_BY_NAME = {month.upper(): number for number, month in enumerate(_MONTHS, 1)}
_DATE = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})", re.ASCII)
_DATE_TIME = re.compile(r"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", re.ASCII)


def parse_date(text: str) -> date:
    """A day, as ``1-Feb-1994``; raises ValueError."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError("this is not a date")
    return date(int(found[3]), _month(found[2]), int(found[1]))


def parse_date_time(text: str) -> float:
    """A moment, as ``" 7-Feb-1994 21:52:25 -0800"``, in seconds since 1970; raises ValueError."""
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        raise ValueError("this is not a date and time")
    hours, minutes = int(found[8]), int(found[9])
    if hours > 23 or minutes > 59:
        raise ValueError("there is no such zone")
    offset = timedelta(hours=hours, minutes=minutes)
    zone = timezone(offset if found[7] == "+" else -offset)
    second = min(int(found[6]), 59) if int(found[6]) <= 60 else 99  # a leap second
    day = int(found[3]), _month(found[2]), int(found[1])
    moment = datetime(*day, int(found[4]), int(found[5]), second, tzinfo=zone)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def _month(name: str) -> int:
    try:
        return _BY_NAME[name.upper()]
    except KeyError:
        raise ValueError("there is no such month") from None


def render_date_time(seconds: int) -> bytes:
    """A moment in UTC, with quotes; out of reach of the calendar it is the nearest within."""
    day, second = divmod(min(max(seconds, FIRST_SECOND), LAST_SECOND), 86400)
    return b'%b%02d:%02d:%02d +0000"' % (_render_day(day), second // 3600, second // 60 % 60, second % 60)


@lru_cache(maxsize=4096)
def _render_day(day: int) -> bytes:
    """Of a day since 1970, with the opening quote."""
    found = date.fromordinal(day + _EPOCH)
    return f'"{found.day:2d}-{_MONTHS[found.month - 1]}-{found.year:04d} '.encode()
