"""What waits, in sentences that an operator understands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo
from typing import Any

from mailsys.config.retry import RetrySchedule
from mailsys.journal.moments import day_of, moment_of
from mailsys.journal.phrases import size_in_words
from mailsys.queue.listing import ListedMessage, ListedRecipient
from mailsys.queue.schedule import lifetime

SHOWN_RECIPIENTS = 10
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WEEK_SECONDS = 6 * 86_400.0


class Words:
    """``now`` is seconds since 1970; times are local, or those of ``zone``."""

    def __init__(self, schedule: RetrySchedule, now: float, zone: tzinfo | None = None) -> None:
        self._schedule = schedule
        self._now = now
        self._zone = zone

    def message(self, message: ListedMessage, shown: int = SHOWN_RECIPIENTS) -> Iterator[str]:
        """A heading, and a line for each recipient; of very many only the first."""
        size = size_in_words({"size": message.octets})
        yield f"{message.id}  {size} from <{message.sender}>, since {self.when(message.at)}"
        for recipient in message.recipients[:shown]:
            alias = message.forwarded.get(recipient.address)
            whom = f"<{recipient.address}>, forwarded for <{alias}>," if alias else f"<{recipient.address}>"
            yield f"  {whom} {self.recipient(message, recipient)}"
        if (more := len(message.recipients) - shown) > 0:
            yield f"  and {more} more recipients: mailsys queue show {message.id}"

    def recipient(self, message: ListedMessage, recipient: ListedRecipient) -> str:
        """Where one recipient stands."""
        match recipient.state:
            case "waiting":
                return self._waiting(message, recipient)
            case "held":
                return f"is held ({recipient.reason}); 'mailsys queue release {message.id}' lets it go"
            case "delivered":
                secrecy = f" over {recipient.tls.partition(' ')[0]}" if recipient.tls else ""
                said = f', which said "{recipient.said}"' if recipient.said else ""
                return f"was taken {self.when(recipient.ended)} by {recipient.remote}{secrecy}{said}"
            case "failed":
                return f"failed {self.when(recipient.ended)}: {recipient.reason}"
            case _:
                return f"was removed {self.when(recipient.ended)} by order"

    def _waiting(self, message: ListedMessage, recipient: ListedRecipient) -> str:
        parts = [f"waits since {self.when(message.at)} for {recipient.remote or recipient.destination}"]
        if recipient.attempts and (said := recipient.said or recipient.reason):
            parts[0] += f', which said "{said}"' if recipient.said else f": {said}"
        if recipient.is_uncertain:
            parts.append("an attempt broke before its answer, so it may arrive twice")
        parts.append(self._next(message, recipient))
        end = max(message.at, message.not_before) + lifetime(self._schedule)
        parts.append(f"gives up {'on ' if end - self._now >= 86_400 else ''}{self.when(end)}")
        return "; ".join(parts)

    def _next(self, message: ListedMessage, recipient: ListedRecipient) -> str:
        number = f", attempt {recipient.attempts + 1}"
        if recipient.next_attempt <= self._now:
            return f"next try as soon as {recipient.destination} can be reached{number}"
        due = recipient.next_attempt
        when = f"{self.when(due)} ({self.from_now(due)})"
        if not recipient.attempts and message.not_before == due:
            return f"leaves {when}, as its sender wants"
        return f"next try {when}{number}"

    def when(self, at: float | None) -> str:
        """``10:02`` today, ``Friday 10:02`` within a week, else ``25 Nov 2026 10:02``."""
        moment, now = self._moment(at or 0.0), self._moment(self._now)
        if moment.date() == now.date():
            return f"{moment:%H:%M}"
        if abs((at or 0.0) - self._now) < _WEEK_SECONDS:
            return f"{_WEEKDAYS[moment.weekday()]} {moment:%H:%M}"
        return f"{day_of(moment)} {moment:%H:%M}"

    def from_now(self, at: float) -> str:
        """``in 12 min``."""
        seconds = max(0.0, at - self._now)
        for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
            if seconds >= 2 * size or (unit == "min" and seconds >= size):
                return f"in {round(seconds / size)} {unit}"
        return f"in {round(seconds)} s"

    def _moment(self, at: float) -> datetime:
        return moment_of(at, self._zone)


def as_json(message: ListedMessage) -> dict[str, Any]:
    """A message as JSON values, its times in ISO 8601."""
    values = asdict(message)
    for key in ("at", "not_before", "finished"):
        values[key] = _iso(values[key])
    for recipient in values["recipients"]:
        recipient["is_uncertain"] = bool(recipient["is_uncertain"])
        for key in ("next_attempt", "last_attempt", "ended"):
            recipient[key] = _iso(recipient[key])
    return values


def _iso(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds") if at else None
