"""A message that is to leave later, as a user of ours may wish (RFC 4865)."""

from __future__ import annotations

from datetime import UTC, datetime

from mailsys.message import reply as replies
from mailsys.message.reply import Reply
from mailsys.receive.reception import Reception
from mailsys.wire.smtp.commands import Mail

_MINUTE = 60.0


def offer(reception: Reception) -> str:
    """How far ahead, for EHLO: seconds, and the moment that is, to the minute; empty for not at all."""
    seconds = reception.settings.ahead_seconds
    if not seconds:
        return ""
    latest = (reception.now() + seconds) // _MINUTE * _MINUTE
    return f"{seconds:.0f} {datetime.fromtimestamp(latest, UTC):%Y-%m-%dT%H:%M:%SZ}"


def objection_to(reception: Reception, mail: Mail) -> Reply | None:
    """Not everybody may, and nobody too far ahead."""
    if not mail.later:
        return None
    seconds = reception.settings.ahead_seconds
    if not seconds:
        return replies.unknown_parameter(mail.later)
    now = reception.now()
    if leaves_at(mail, now) <= now + seconds:
        return None
    latest, ahead = offer(reception).split(" ")[1], f"{seconds / 86_400:g} days"
    return replies.SYNTAX_ERROR.with_text(f"{mail.later} may reach {ahead} ahead, until {latest}")


def leaves_at(mail: Mail, now: float) -> float:
    """When it may leave, seconds since 1970; 0 for at once, as for a moment that has passed."""
    if mail.hold_for:
        return now + mail.hold_for
    return mail.hold_until if mail.hold_until is not None and mail.hold_until > now else 0.0
