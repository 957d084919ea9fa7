"""Times of the journal as people read them.  Facts come from a file: any number may stand there."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LATEST = 253_370_764_800.0  # the end of the year 9998: a zone may still add to it


def moment_of(at: object, zone: tzinfo | None = None) -> datetime:
    """Seconds since 1970 in the local zone or in ``zone``; what is no time becomes the nearest one."""
    seconds = float(at) if isinstance(at, int | float) and at == at else 0.0
    seconds = min(max(seconds, 0.0), _LATEST)
    moment = datetime.fromtimestamp(seconds, zone or UTC)
    return moment if zone else moment.astimezone()


def day_of(moment: datetime) -> str:
    """``23 Nov 2026``, whatever the language of this machine."""
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def zone_of(moment: datetime) -> str:
    """The zone's name with a space before it, so that it may follow a time."""
    name = moment.tzname()
    return f" {name}" if name else ""
