"""One line on a story, for a list of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailsys.interfaces import JournalEvent
from mailsys.journal.phrases import peer_in_words, text_of, texts_of
from mailsys.journal.story import in_order

_REPLY_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Summary:
    """Of one message or connection; ``at`` is when it began, in seconds since 1970."""

    id: str
    at: float
    sender: str  # or who was at the other end
    recipients: str
    subject: str
    outcome: str


def summarise(events: Sequence[JournalEvent]) -> Summary:
    """What a story comes down to."""
    events = in_order(events)
    senders = [f"<{text_of(event.facts, 'from')}>" for event in events if "from" in event.facts]
    client = next((peer_in_words(event.facts) for event in events if "peer" in event.facts), "")
    subjects = (text_of(event.facts, "subject") for event in reversed(events))
    return Summary(
        events[0].id,
        events[0].at,
        senders[-1].replace("<>", "a notice").strip("<>") if senders else client,
        _shortened(_recipients(events)),
        next(filter(None, subjects), ""),
        _outcome(events),
    )


def _recipients(events: Sequence[JournalEvent]) -> list[str]:
    """Those of the message, else those that were refused, else the account that was used."""
    for facts in (event.facts for event in reversed(events)):
        if facts.get("event") in ("received", "refused") and (to := texts_of(facts, "to")):
            return to
    asked = [text_of(event.facts, "recipient") for event in events if "recipient" in event.facts]
    return asked or [name for event in events if (name := text_of(event.facts, "login"))][:1]


def _shortened(recipients: Sequence[str]) -> str:
    if not recipients:
        return ""
    more = len(set(recipients)) - 1
    return f"{recipients[0]} +{more}" if more else recipients[0]


def _outcome(events: Sequence[JournalEvent]) -> str:
    received = next((event for event in events if event.facts.get("event") == "received"), None)
    if received is not None:
        junk = " as junk" if received.facts.get("judgement") == "junk" else ""
        return _outcome_of_message(events, texts_of(received.facts, "to")) + junk
    facts = events[-1].facts
    match facts.get("event"):
        case "repeated" if len(events) > 1:
            return f"{_outcome(events[:-1])} (+{text_of(facts, 'count')})"
        case "refused":
            return _refused(text_of(facts, "command"), text_of(facts, "reply"))
        case "login":
            return "logged in" if facts.get("succeeded") else f'login failed as "{text_of(facts, "name")}"'
        case "mailbox read":
            return f"{text_of(facts, 'retrieved')} fetched, {text_of(facts, 'deleted')} deleted"
        case "folders used":
            return ", ".join(f"{text_of(facts, what)} {what}" for what in ("fetched", "appended", "expunged"))
        case kind:
            return str(kind)


def _outcome_of_message(events: Sequence[JournalEvent], to: Sequence[str]) -> str:
    """The last word on each recipient.  Nobody waits for an alias besides those for whom it stands."""
    last: dict[str, str] = {}
    awaited = set(to)
    for event in events:
        kind = text_of(event.facts, "event")
        if kind in ("delivered", "deferred", "failed"):
            last[text_of(event.facts, "recipient")] = kind
        elif kind == "queued" and isinstance(forwarded := event.facts.get("forwarded"), dict):
            awaited = awaited.difference(map(str, forwarded.values())) | set(forwarded)
    recipients = max(1, len(awaited | last.keys()))
    counts = {
        kind: sum(said == kind for said in last.values()) for kind in ("delivered", "deferred", "failed")
    }
    waits = recipients - counts["delivered"] - counts["failed"]
    words = [("delivered", counts["delivered"]), ("failed", counts["failed"]), ("waiting", max(0, waits))]
    told = [(word, number) for word, number in words if number]
    if len(told) == 1:
        return told[0][0]
    return ", ".join([f"{number} {word}" for word, number in told])


def _refused(command: str, reply: str) -> str:
    if command == "SESSION":
        return f"ended by us: {reply[:_REPLY_CHARACTERS]}"
    return f"refused: {reply[:_REPLY_CHARACTERS]}" if reply else "broke off"
