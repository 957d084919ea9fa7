"""Tells what happened to a message in plain sentences, as someone on the telephone would want to hear it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from mailsys.interfaces import JournalEvent
from mailsys.journal.phrases import paths, peer_in_words, size_in_words, text_of, texts_of, tls_version
from mailsys.journal.printable import printable

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ORDER = ("login", "refused", "received", "deferred", "failed", "delivered", "mailbox read")
_SHOWN_WAYS = 10
Facts = Mapping[str, Any]


def tell(events: Sequence[JournalEvent], zone: tzinfo | None = None) -> str:
    """One paragraph on one message or connection; times are local, or those of ``zone``."""
    events = sorted(events, key=lambda event: (event.at, _rank(event)))
    begin = datetime.fromtimestamp(events[0].at, zone)
    lines = [_heading(events, begin)]
    for at, sentences in _sentences(events):
        moment = datetime.fromtimestamp(at, zone)
        day = "" if moment.date() == begin.date() else f"{_day(moment)} "
        lines.append(f"  {day}{moment:%H:%M:%S}  {sentences}")
    return "\n".join([printable(line) for line in lines])


def _rank(event: JournalEvent) -> int:
    kind = text_of(event.facts, "event")
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _day(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _heading(events: Sequence[JournalEvent], begin: datetime) -> str:
    received = _first(events, "received")
    if received is not None:
        what = [f"Message {events[0].id}", size_in_words(received)]
    elif "." in events[0].id:
        only_refused = all(event.facts.get("event") == "refused" for event in events)
        what = [f"Message {events[0].id}", "not accepted" if only_refused else ""]
    else:
        what = [f"{text_of(events[0].facts, 'service').upper()} connection {events[0].id}".strip()]
    return ", ".join([*filter(None, what), f"{_day(begin)} {begin:%H:%M:%S}"])


def _first(events: Sequence[JournalEvent], kind: str) -> Facts | None:
    return next((event.facts for event in events if event.facts.get("event") == kind), None)


def _sentences(events: Sequence[JournalEvent]) -> Iterator[tuple[float, str]]:
    """Every line of the story: when, and what."""
    received = _first(events, "received")
    arrival = received or next((event.facts for event in events if "peer" in event.facts), None)
    if arrival is not None:
        yield events[0].at, _came_from(arrival)
    for event in events:
        for sentences in _told(event.facts):
            yield event.at, sentences
    if received is not None and not any(event.facts.get("event") in _OUTCOMES for event in events):
        yield events[-1].at, "What became of its copies is not written yet."


def _told(facts: Facts) -> Iterator[str]:
    match facts.get("event"):
        case "received":
            yield _envelope(facts)
            yield from _ways(facts)
            yield _judged(facts)
        case "refused":
            yield _refused(facts)
        case "delivered":
            yield _delivered(facts)
        case "deferred":
            attempt = text_of(facts, "attempt")
            yield f"Attempt {attempt} for <{text_of(facts, 'recipient')}> failed for now: {_reason(facts)}."
        case "failed":
            yield f"Will not reach <{text_of(facts, 'recipient')}>: {_reason(facts)}."
        case "login":
            outcome = "Logged in" if facts.get("succeeded") else "Could not log in"
            why = f": {text_of(facts, 'why')}" if facts.get("why") else ""
            yield f'{outcome} as "{text_of(facts, "name")}"{why}.'
        case "mailbox read":
            yield _mailbox_read(facts)
        case kind:
            yield f"{kind}: " + ", ".join(f"{fact} {facts[fact]}" for fact in facts if fact != "event") + "."


_OUTCOMES = frozenset({"delivered", "deferred", "failed"})


def _came_from(facts: Facts) -> str:
    version, greeting = tls_version(facts), text_of(facts, "greeting")
    # The login of a connection is told by an event of its own; that of a message is part of its origin.
    login = text_of(facts, "login") if facts.get("event") == "received" else ""
    parts = [
        f"Came from {peer_in_words(facts)}",
        f", calling itself {greeting}," if greeting else "",
        f" over {version}" if version else " without TLS",
        f" ({text_of(facts, 'protocol')})",
        f", logged in as {login}" if login else "",
    ]
    return f"{''.join(parts)}."


def _envelope(facts: Facts) -> str:
    sentences = [f"From <{text_of(facts, 'from')}> to {paths(texts_of(facts, 'to'))}."]
    if subject := text_of(facts, "subject"):
        sentences.append(f'Subject "{subject}".')
    if message_id := text_of(facts, "message_id"):
        sentences.append(f"Message-ID {message_id}")
    return " ".join(sentences)


def _ways(facts: Facts) -> Iterator[str]:
    """How the recipients lead to their mailboxes, where that is not plain."""
    via = facts.get("via")
    if not isinstance(via, Mapping):
        return
    for recipient in list(via)[:_SHOWN_WAYS]:
        yield f"{'; '.join(texts_of(via, recipient))}."
    if (more := len(via) - _SHOWN_WAYS) > 0:
        yield f"{more} more recipients are aliases or have tags."


def _judged(facts: Facts) -> str:
    checked = "; ".join(texts_of(facts, "checked"))
    outcome = "Accepted as junk" if facts.get("judgement") == "junk" else "Accepted"
    told = f'{outcome}; the client was told "{text_of(facts, "reply")}".'
    return f"Checked: {checked}. {told}" if checked else told


def _refused(facts: Facts) -> str:
    because = "; ".join(texts_of(facts, "checked"))
    is_ended = text_of(facts, "command") == "SESSION"
    what = "Ended by us" if is_ended else f"Refused {_what_was_refused(facts)}"
    reply = text_of(facts, "reply")
    told = f'the client was told "{reply}"' if reply else "the client had gone"
    return f"{what}{f' ({because})' if because else ''}; {told}."


def _what_was_refused(facts: Facts) -> str:
    sender, command = f"<{text_of(facts, 'from')}>", text_of(facts, "command")
    match command:
        case "CONNECT":
            return "the connection"
        case "MAIL":
            return f"the sender {sender}"
        case "RCPT":
            return f"the recipient <{text_of(facts, 'recipient')}> of mail from {sender}"
        case "DATA" | "BDAT":
            return f"the message from {sender}{_addressed(facts)}"
        case _:
            return command


def _addressed(facts: Facts) -> str:
    to = f" to {paths(recipients)}" if (recipients := texts_of(facts, "to")) else ""
    return f'{to}, subject "{subject}"' if (subject := text_of(facts, "subject")) else to


def _delivered(facts: Facts) -> str:
    if delivery := text_of(facts, "delivery"):
        where = text_of(facts, "where")
        taken = f"Handed on by the delivery {delivery} for <{text_of(facts, 'recipient')}>"
        return f'{taken}: "{where}".' if where else f"{taken}."
    recipient, account = text_of(facts, "recipient"), text_of(facts, "account")
    where = f"{account}, folder {text_of(facts, 'folder')}"
    return f"Delivered to {where}." if recipient == account else f"Delivered to {where}, for <{recipient}>."


def _reason(facts: Facts) -> str:
    return f'"{text_of(facts, "reason")}"'


def _mailbox_read(facts: Facts) -> str:
    retrieved, deleted = text_of(facts, "retrieved"), text_of(facts, "deleted")
    return f"Ended; {retrieved} fetched, {deleted} deleted."
