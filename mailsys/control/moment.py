"""Times as people say them: ``yesterday``, ``2h``, ``09:30``, ``2026-11-24``, ``2026-11-24 09:30``."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

_AGO = re.compile(r"(\d{1,6}) ?(s|m|min|h|d|w)(?: ago)?")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ t](\S+))?")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class NoTime(ValueError):  # noqa: N818 - it is a sentence for a person
    """The text is no time; the message says what would be one."""


def moment(text: str, now: datetime, *, is_end: bool = False) -> float:
    """Seconds since 1970.  ``now`` is local; a whole day means its beginning, or as an end its end."""
    said = " ".join(text.casefold().split())
    try:
        day = _day(said, now.date())
        if day is not None:
            return _at(day + timedelta(days=1) if is_end else day, time(), now)
        return _within_a_day(said, now)
    except (ValueError, OverflowError, OSError):
        raise NoTime(
            f'"{text}" is no time: write "yesterday", "2h", "09:30", "2026-11-24" or "2026-11-24 09:30".'
        ) from None


def _day(said: str, today: date) -> date | None:
    """A whole day, or None when it is something else."""
    if said in ("today", "yesterday"):
        return today - timedelta(days=said == "yesterday")
    if said in _WEEKDAYS:
        back = (today.weekday() - _WEEKDAYS.index(said)) % 7
        return today - timedelta(days=back)
    match = _DAY.fullmatch(said)
    return date(int(match[1]), int(match[2]), int(match[3])) if match and not match[4] else None


def _within_a_day(said: str, now: datetime) -> float:
    if said == "now":
        return now.timestamp()
    if match := _AGO.fullmatch(said):
        return now.timestamp() - int(match[1]) * _UNITS[match[2]]
    if match := _DAY.fullmatch(said):
        return _at(date(int(match[1]), int(match[2]), int(match[3])), _clock(match[4]), now)
    word, _, rest = said.partition(" ")
    if rest and (day := _day(word, now.date())):
        return _at(day, _clock(rest), now)
    moment = _at(now.date(), _clock(said), now)
    # At eight o'clock, "since 09:30" can only mean yesterday.
    return moment if moment <= now.timestamp() else _at(now.date() - timedelta(days=1), _clock(said), now)


def _clock(said: str) -> time:
    match = _CLOCK.fullmatch(said)
    if match is None:
        raise ValueError(said)
    return time(int(match[1]), int(match[2]), int(match[3] or 0))


def _at(day: date, clock: time, now: datetime) -> float:
    """The zone is the machine's, with its summer time of that day, unless ``now`` brings a fixed one."""
    local = datetime.combine(day, clock)
    return (local if now.tzinfo is None else local.replace(tzinfo=now.tzinfo)).timestamp()
