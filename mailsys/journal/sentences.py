"""The sentences of a story, for each kind of event: short enough to be read aloud on the telephone.

A kind that is not known here, of a later version or a plugin, is told with all its facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mailsys.journal import queue_sentences
from mailsys.journal.meaning import meaning_of
from mailsys.journal.phrases import (
    client_in_words,
    paths,
    peer_in_words,
    secrecy_in_words,
    text_of,
    texts_of,
    value_in_words,
)

_SHOWN_WAYS = 10
Facts = Mapping[str, Any]
Clock = Callable[[object], str]  # seconds since 1970 as a time of day, with its date on another day
_OF_THE_QUEUE = {
    "held": queue_sentences.held,
    "told": queue_sentences.told,
    **dict.fromkeys(("queue retry", "queue hold", "queue release", "queue remove"), queue_sentences.ordered),
}


def sentences(facts: Facts, clock: Clock) -> Iterator[str]:
    """What one event has to tell, line by line."""
    match facts.get("event"):
        case "received":
            yield _envelope(facts)
            yield from _ways(facts)
            yield from _judged(facts)
        case "refused":
            yield _refused(facts)
        case "repeated":
            yield _repeated(facts, clock)
        case "delivered":
            yield _delivered(facts)
        case "queued":
            yield queue_sentences.queued(facts, clock)
        case "deferred":
            yield queue_sentences.deferred(facts, clock)
        case "failed":
            yield queue_sentences.failed(facts)
        case "login":
            outcome = "Logged in" if facts.get("succeeded") else "Could not log in"
            why = f": {text_of(facts, 'why')}" if facts.get("why") else ""
            yield f'{outcome} as "{text_of(facts, "name")}"{why}.'
        case "mailbox read":
            yield _mailbox_read(facts)
        case "folders used":
            yield _folders_used(facts)
        case kind:
            tell = _OF_THE_QUEUE.get(str(kind))
            yield tell(facts) if tell else unknown(facts)


def came_from(facts: Facts) -> str:
    """Who was at the other end, and how safe the way was."""
    # The login of a connection is told by an event of its own; that of a message is part of its origin.
    is_message = facts.get("event") == "received"
    if "continues" in facts:
        return f"Taken from the queue of this host, where it was message {text_of(facts, 'continues')}."
    if "about" in facts:
        return f"Written by this host, as a notice about message {text_of(facts, 'about')}."
    login = text_of(facts, "login") if is_message else ""
    parts = [
        "Handed in by " if is_message else "Came from ",
        client_in_words(facts),
        f", {secrecy}" if (secrecy := secrecy_in_words(facts)) else "",
        f" ({protocol})" if (protocol := text_of(facts, "protocol")) else "",
        f", logged in as {login}" if login else "",
    ]
    return f"{''.join(parts)}."


def unknown(facts: Facts) -> str:
    """All that is known of a kind of event that this version does not know."""
    told = [f"{fact} {value_in_words(facts[fact])}" for fact in facts if fact != "event"]
    return f"{text_of(facts, 'event')}: {', '.join(told)}."


def _envelope(facts: Facts) -> str:
    told = [f"From <{text_of(facts, 'from')}> to {paths(texts_of(facts, 'to'))}."]
    if subject := text_of(facts, "subject"):
        told.append(f'Subject "{subject}".')
    if message_id := text_of(facts, "message_id"):
        told.append(f"Message-ID {message_id}")
    return " ".join(told)


def _ways(facts: Facts) -> Iterator[str]:
    """How the recipients lead to their mailboxes, where that is not plain."""
    via = facts.get("via")
    if not isinstance(via, Mapping):
        return
    for recipient in list(via)[:_SHOWN_WAYS]:
        yield f"{'; '.join(texts_of(via, recipient))}."
    if (more := len(via) - _SHOWN_WAYS) > 0:
        yield f"{more} more recipients are aliases or have tags."


def _judged(facts: Facts) -> Iterator[str]:
    if "reply" not in facts:  # from the queue, and not from a client
        return
    if checked := texts_of(facts, "checked"):
        yield f"Checked: {'; '.join(checked)}."
    if signed := texts_of(facts, "signed"):
        yield f"Signed (DKIM) with the keys whose records are {' and '.join(signed)}."
    outcome = "Accepted as junk" if facts.get("judgement") == "junk" else "Accepted"
    yield f'{outcome}; the client was told "{text_of(facts, "reply")}".'


def _refused(facts: Facts) -> str:
    because = "; ".join(texts_of(facts, "checked"))
    command, reply = text_of(facts, "command"), text_of(facts, "reply")
    what = "Ended by us" if command == "SESSION" else f"Refused {_what_was_refused(facts)}"
    if not reply and command != "SESSION":
        what = f"Never complete: {_what_was_refused(facts)}"
    told = f'the client was told "{reply}"' if reply else "the client had gone"
    meaning = meaning_of(reply, command)
    return f"{what}{f' ({because})' if because else ''}; {told}{f': {meaning}' if meaning else ''}."


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


def _repeated(facts: Facts, clock: Clock) -> str:
    count = facts.get("count")
    number = f"{count:,}" if isinstance(count, int) else "many"
    who = "from many other clients" if facts.get("clients") else f"from {peer_in_words(facts)}"
    return f"And {number} more like this within the hour {who}, the last at {clock(facts.get('until'))}."


def _delivered(facts: Facts) -> str:
    if "account" not in facts and "delivery" not in facts:
        return queue_sentences.sent(facts)
    if delivery := text_of(facts, "delivery"):
        where = text_of(facts, "where")
        taken = f"Handed on by the delivery {delivery} for <{text_of(facts, 'recipient')}>"
        return f'{taken}: "{where}".' if where else f"{taken}."
    recipient, account = text_of(facts, "recipient"), text_of(facts, "account")
    where = f"{account}, folder {text_of(facts, 'folder')}"
    return f"Delivered to {where}." if recipient == account else f"Delivered to {where}, for <{recipient}>."


def _folders_used(facts: Facts) -> str:
    counts = ", ".join(f"{text_of(facts, what)} {what}" for what in ("fetched", "appended", "expunged"))
    return f"Ended; {counts}."


def _mailbox_read(facts: Facts) -> str:
    retrieved, deleted = text_of(facts, "retrieved"), text_of(facts, "deleted")
    return f"Ended; {retrieved} fetched, {deleted} deleted."
