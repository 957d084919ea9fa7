"""A message as a list shows it: who, when, what about, and the first words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from mailsys.message.headers import Headers
from mailsys.message.mailboxes import Mailbox, parse_mailboxes
from mailsys.message.structure.dates import parse_date
from mailsys.message.structure.preview import preview
from mailsys.message.structure.scan import scan_octets

MAILBOXES = 100  # of one field, that are looked at
_EARLIEST = datetime(2, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Person:
    """Who a field names, as it is written there: nothing of it is fit for a terminal yet."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of a list.  All texts are a stranger's, and not fit for a terminal yet.

    ``number`` is its place in the folder now, ``uid`` what it is called as long as it exists (empty when
    the server does not say); ``sent`` is None without a date that can be read.  ``flags`` are in lower
    case, as in ``\\seen``, and None where the protocol knows none.  ``attachments`` is None where to count
    them would have cost to fetch the whole message.
    """

    number: int
    uid: str
    sender: Person | None
    subject: str
    sent: datetime | None
    size_octets: int
    preview: str
    flags: frozenset[str] | None = None
    attachments: int | None = None

    @property
    def is_seen(self) -> bool | None:
        """Was it read?  None where nobody keeps that."""
        return None if self.flags is None else "\\seen" in self.flags


@dataclass(frozen=True, slots=True)
class Looks:
    """What the beginning of a message tells; the fields are those of ``Entry``."""

    sender: Person | None
    subject: str
    sent: datetime | None
    preview: str


def look_at(beginning: bytes) -> Looks:
    """Read a message's header and the first lines of its body."""
    message = scan_octets(beginning)
    headers = message.headers
    people = people_of(headers, b"from") or people_of(headers, b"sender")
    words = preview(message, lambda offset, octets: beginning[offset : offset + octets])
    return Looks(people[0] if people else None, headers.text(b"subject").strip(), sent_at(headers), words)


def people_of(headers: Headers, name: bytes) -> list[Person]:
    """Whom a field names."""
    field = headers.first(name)
    if field is None:
        return []
    return [_person(mailbox) for mailbox in parse_mailboxes(field.value, MAILBOXES)]


def sent_at(headers: Headers) -> datetime | None:
    """When it says that it was sent."""
    field = headers.first(b"date")
    parsed = parse_date(field.value) if field is not None else None
    # Beyond these no other zone could show it.
    if parsed is None or not _EARLIEST <= parsed[0] <= _LATEST:
        return None
    return datetime.fromtimestamp(parsed[0], UTC)


def _person(mailbox: Mailbox) -> Person:
    return Person(mailbox.display_name.strip(), mailbox.spec.decode("utf-8", "replace"))
