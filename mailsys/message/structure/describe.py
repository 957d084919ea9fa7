"""All that an index keeps of a message, in one call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mailsys.message.content import Content
from mailsys.message.encoded_words import decode_words
from mailsys.message.headers import Headers
from mailsys.message.mailboxes import Mailbox
from mailsys.message.structure.addresses import Entries, first_mailbox, halves
from mailsys.message.structure.body_forms import body_forms
from mailsys.message.structure.casemap import casemap, search_form
from mailsys.message.structure.dates import parse_date
from mailsys.message.structure.envelope_form import envelope, read_addresses
from mailsys.message.structure.parts import Part
from mailsys.message.structure.preview import preview
from mailsys.message.structure.scan import SMALL_OCTETS, scan_octets, scan_pieces
from mailsys.message.structure.subjects import base_subject

# A message within these takes some milliseconds at most, whatever it holds.
QUICK_OCTETS = 128 * 1024
QUICK_HEADER_OCTETS = 16 * 1024
QUICK_PARTS = 100
REFERENCES = 100  # ids that are kept of one message: the first, and the last ones
FIELDS = 20  # of one name whose text is kept

# RFC 5256 2.2: what is no msg-id counts as none.
_MESSAGE_ID = re.compile(rb"<\s*+([^<>\s]{1,996})\s*+>")


class Description(NamedTuple):
    """One message; the fields are those of ``Column``, and what they hold is told there.

    Texts to sort by are in the form of :func:`casemap`, those to search in that of :func:`search_form`.
    """

    wire_size: int
    envelope: bytes
    body: bytes
    body_structure: bytes
    preview: str
    sent: float | None
    sent_day: int | None
    subject: str
    base_subject: str
    from_: str
    to: str
    cc: str
    bcc: str
    sort_from: str
    sort_to: str
    sort_cc: str
    display_from: str
    display_to: str
    message_id: str
    references: str


def describe(content: Content) -> Description:
    """Look at a message once.  May wait for a disk, and take long for a large one; raises OSError."""
    if content.size <= SMALL_OCTETS:
        octets = content.read(0, content.size)
        return describe_octets(octets)
    return _describe(scan_pieces(content.pieces()), content)


def describe_octets(octets: bytes) -> Description:
    """The same for a message in memory."""
    return _describe(scan_octets(octets), _Octets(octets))


def is_quick(octets: bytes) -> bool:
    """May this be described where nobody may wait?  Else it belongs into a thread."""
    if len(octets) > QUICK_OCTETS or octets.count(b"\n--") > QUICK_PARTS:
        return False
    head = octets[:QUICK_HEADER_OCTETS]
    return len(octets) < QUICK_HEADER_OCTETS or b"\n\r\n" in head or b"\n\n" in head


class _Octets:
    """Reads as a content does."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def read(self, offset: int, octets: int) -> bytes:
        return self._octets[offset : offset + octets]


def _describe(message: Part, content: Content | _Octets) -> Description:
    headers = message.headers
    addresses = read_addresses(headers)
    body, body_structure = body_forms(message)
    date = headers.first(b"date")
    sent, sent_day = (date and parse_date(date.value)) or (None, None)
    subject = headers.text(b"subject")
    return Description(
        message.end.wire,
        envelope(headers, addresses),
        body,
        body_structure,
        preview(message, content.read),
        sent,
        sent_day,
        search_form(subject),
        casemap(base_subject(subject)[0]),
        field_text(headers, b"from"),
        field_text(headers, b"to"),
        field_text(headers, b"cc"),
        field_text(headers, b"bcc"),
        _sort_key(addresses[b"from"]),
        _sort_key(addresses[b"to"]),
        _sort_key(addresses[b"cc"]),
        _display_key(addresses[b"from"]),
        _display_key(addresses[b"to"]),
        (_ids(headers, b"message-id") or ("",))[0],
        " ".join(_references(headers)),
    )


def field_text(headers: Headers, name: bytes) -> str:
    """What the fields of this name say, a line each, to compare with."""
    if not headers.count(name):
        return ""
    return "\n".join([search_form(field.text) for field in headers.all(name)[:FIELDS]])


def _sort_key(entries: Entries) -> str:
    """RFC 5256 3: the mailbox of the first address."""
    first = first_mailbox(entries)
    return casemap(halves(first)[0].decode("utf-8", "replace")) if first else ""


def _display_key(entries: Entries) -> str:
    """RFC 5957 3: the first display name, or else the address."""
    if not entries:
        return ""
    name = decode_words(entries[0].name).strip()
    if not name and isinstance(entries[0], Mailbox):
        name = entries[0].spec.decode("utf-8", "replace")
    return casemap(name)


def _ids(headers: Headers, name: bytes) -> Sequence[str]:
    field = headers.first(name)
    return [found.decode("utf-8", "replace") for found in _MESSAGE_ID.findall(field.value)] if field else ()


def _references(headers: Headers) -> Sequence[str]:
    """RFC 5256 3: those of References, or the first of In-Reply-To."""
    found = _ids(headers, b"references") or _ids(headers, b"in-reply-to")[:1]
    if len(found) > REFERENCES:
        return [found[0], *found[1 - REFERENCES :]]
    return found
