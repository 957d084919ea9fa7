"""Tells what happened to a message in plain sentences, as someone on the telephone would want to hear it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, tzinfo
from functools import partial

from mailsys.interfaces import JournalEvent
from mailsys.journal.moments import day_of, moment_of, zone_of
from mailsys.journal.phrases import size_in_words, text_of
from mailsys.journal.printable import printable
from mailsys.journal.sentences import Clock, Facts, came_from, sentences

OUTCOMES = frozenset({"delivered", "deferred", "failed"})
_ORDER = (
    "login", "refused", "repeated", "received", "deferred", "failed", "delivered", "mailbox read",
    "folders used",
)  # fmt: skip


def tell(events: Sequence[JournalEvent], zone: tzinfo | None = None) -> str:
    """One paragraph on one message or connection; times are local, or those of ``zone``."""
    events = in_order(events)
    begin = moment_of(events[0].at, zone)
    lines = [f"{heading(events)}, {day_of(begin)} {begin:%H:%M:%S}{zone_of(begin)}"]
    clock = partial(_clock, zone, begin.date())
    lines += [f"  {clock(at)}  {words}" for at, words in _told(events, clock)]
    return "\n".join([printable(line) for line in lines])


def in_order(events: Sequence[JournalEvent]) -> list[JournalEvent]:
    """By time; but what can only come after the arrival stands after it, also when a clock was set back."""
    arrival = max((event.at for event in events if event.facts.get("event") == "received"), default=None)

    def place(event: JournalEvent) -> tuple[float, int, float]:
        is_late = arrival is not None and event.facts.get("event") in OUTCOMES
        return max(event.at, arrival) if is_late and arrival is not None else event.at, _rank(event), event.at

    return sorted(events, key=place)


def _rank(event: JournalEvent) -> int:
    kind = text_of(event.facts, "event")
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def heading(events: Sequence[JournalEvent]) -> str:
    """What this is the story of."""
    received = _first(events, "received")
    if received is not None:
        what = [f"Message {events[0].id}", size_in_words(received)]
    elif "." in events[0].id:
        only_refused = all(event.facts.get("event") in ("refused", "repeated") for event in events)
        what = [f"Message {events[0].id}", "not accepted" if only_refused else ""]
    else:
        what = [f"{text_of(events[0].facts, 'service').upper()} connection {events[0].id}".strip()]
    return ", ".join(filter(None, what))


def _first(events: Sequence[JournalEvent], kind: str) -> Facts | None:
    return next((event.facts for event in events if event.facts.get("event") == kind), None)


def _told(events: Sequence[JournalEvent], clock: Clock) -> Iterator[tuple[float, str]]:
    """Every line of the story: when, and what."""
    received = _first(events, "received")
    arrival = received or next((event.facts for event in events if "peer" in event.facts), None)
    if arrival is not None:
        yield events[0].at, came_from(arrival)
    for event in events:
        for words in sentences(event.facts, clock):
            yield event.at, words
    if received is not None and not any(event.facts.get("event") in OUTCOMES for event in events):
        yield events[-1].at, "What became of its copies is not written yet."


def _clock(zone: tzinfo | None, day: date, at: object) -> str:
    """The time of day; on another day than the story's first with its date."""
    moment = moment_of(at, zone)
    return f"{'' if moment.date() == day else f'{day_of(moment)} '}{moment:%H:%M:%S}"
