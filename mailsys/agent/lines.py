"""Lists and messages as lines for a terminal, or for a program that reads lines.

All that strangers wrote goes through ``printable`` here: no escape sequence, control character or mark that
turns the direction of writing reaches a terminal, and an address is shown beside each name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from mailsys.agent.entry import Entry, Person
from mailsys.agent.readable import Attachment, Readable
from mailsys.journal.printable import bounded, printable

PERSON_CHARACTERS = 60
SUBJECT_CHARACTERS = 100
NAME_CHARACTERS = 200  # of a person or file, where there is a line for it
PEOPLE = 50  # of one field, that are shown
# What has no width: senders of advertisements fill texts with it.  It says nothing, so it is left out.
_WITHOUT_WIDTH = re.compile("[\u00ad\u034f\u115f\u1160\u200b-\u200d\u2060\ufeff]")


def entry_line(entry: Entry) -> str:
    """One message of a list, on one line."""
    mark = "N" if entry.is_seen is False else " "
    sender = person(entry.sender, PERSON_CHARACTERS) if entry.sender else "(nobody)"
    attached = f" (+{entry.attachments})" if entry.attachments else ""
    subject = bounded(printable(entry.subject), SUBJECT_CHARACTERS) or "(no subject)"
    words = f"  {line(entry.preview)}" if entry.preview else ""
    return f"{entry.number:>5} {mark} {moment(entry.sent):<16}  {sender}  {subject}{attached}{words}"


def message_lines(message: Readable) -> Iterator[str]:
    """The fields that a person cares about, the text, and what is attached."""
    for name, people in (("From", message.sender), ("To", message.to), ("Cc", message.cc)):
        if people or name == "From":
            yield f"{name + ':':<9}{_people(people)}"
    yield f"Date:    {moment(message.sent)}"
    yield f"Subject: {printable(message.subject)}"
    yield ""
    yield from text_lines(message.text)
    if message.attachments:
        yield ""
        yield from (f"Attached: {_attached(attachment)}" for attachment in message.attachments)


def text_lines(text: str) -> Iterator[str]:
    """Lines of a text, each printable; a tab is spaces."""
    for part in text.replace("\r\n", "\n").split("\n"):
        yield line(part)


def line(text: str) -> str:
    """One line of a text that a stranger wrote."""
    return printable(_WITHOUT_WIDTH.sub("", text.rstrip("\r")).expandtabs())


def person(who: Person, characters: int = NAME_CHARACTERS) -> str:
    """Name and address; when it is too long the name is cut, and the address stays."""
    address = f"<{bounded(printable(who.address), NAME_CHARACTERS)}>"
    name = bounded(printable(who.name), max(10, characters - len(address) - 1))
    return f"{name} {address}" if name else address


def moment(sent: datetime | None) -> str:
    """When a message was sent, in this machine's time."""
    return sent.astimezone().strftime("%Y-%m-%d %H:%M") if sent else "(no date)"


def _people(people: Sequence[Person]) -> str:
    shown = ", ".join(person(who) for who in people[:PEOPLE])
    more = len(people) - PEOPLE
    return f"{shown} and {more} more" if more > 0 else shown or "(nobody)"


def _attached(attachment: Attachment) -> str:
    name = bounded(printable(attachment.name), NAME_CHARACTERS) or "(no name)"
    return f"{name} ({printable(attachment.media_type)}, {attachment.size_octets:,} octets)"


# ---------------------------------------------------------------------- for programs


def entry_json(entry: Entry) -> dict[str, Any]:
    """One message of a list."""
    return {
        "number": entry.number,
        "uid": entry.uid,
        "date": _json_moment(entry.sent),
        "from": _json_person(entry.sender) if entry.sender else None,
        "subject": entry.subject,
        "size": entry.size_octets,
        "seen": entry.is_seen,
        "flags": None if entry.flags is None else sorted(entry.flags),
        "attachments": entry.attachments,
        "preview": entry.preview,
    }


def message_json(number: int, message: Readable) -> dict[str, Any]:
    """One message."""
    return {
        "number": number,
        "date": _json_moment(message.sent),
        "from": [_json_person(who) for who in message.sender],
        "to": [_json_person(who) for who in message.to],
        "cc": [_json_person(who) for who in message.cc],
        "subject": message.subject,
        "text": message.text,
        "attachments": [
            {"name": one.name, "type": one.media_type, "size": one.size_octets} for one in message.attachments
        ],
    }


def _json_person(who: Person) -> dict[str, str]:
    return {"name": who.name, "address": who.address}


def _json_moment(sent: datetime | None) -> str | None:
    return sent.isoformat() if sent else None
