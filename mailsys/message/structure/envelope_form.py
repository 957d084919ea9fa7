"""ENVELOPE (RFC 9051 7.5.2, RFC 3501 7.4.2)."""

from __future__ import annotations

from mailsys.message.headers import Headers
from mailsys.message.structure.addresses import Entries, address_list, entries_of
from mailsys.message.structure.strings import NIL, nstring

ENVELOPE_OCTETS = 128 * 1024  # of a form; whoever wants more can read the header
STRING_OCTETS = 4 * 1024  # of each of the four fields that are no lists of addresses
AUTHOR_OCTETS = 8 * 1024  # of From, which may stand three times, and of Sender and Reply-To
RECIPIENT_OCTETS = 84 * 1024  # of all other lists; the sum leaves room for what stands around

ADDRESS_FIELDS = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")
_AUTHORS = ADDRESS_FIELDS[:3]


def read_addresses(headers: Headers) -> dict[bytes, Entries]:
    """The lists that an envelope needs, by field."""
    return {name: entries_of(headers, name) for name in ADDRESS_FIELDS}


def envelope(headers: Headers, addresses: dict[bytes, Entries] | None = None) -> bytes:
    """The form, given the address lists if they are read already.

    A field that comes more than once counts the first time; of lists of addresses all count.  It has at
    most ENVELOPE_OCTETS: of what is longer than anybody writes it tells the beginning.
    """
    lists = _lists(addresses or read_addresses(headers))
    sender = lists[b"from"]
    return b"(%s %s %s %s %s %s %s %s %s %s)" % (
        _text(headers, b"date"),
        _text(headers, b"subject"),
        sender,
        sender if lists[b"sender"] == NIL else lists[b"sender"],
        sender if lists[b"reply-to"] == NIL else lists[b"reply-to"],
        lists[b"to"],
        lists[b"cc"],
        lists[b"bcc"],
        _text(headers, b"in-reply-to"),
        _text(headers, b"message-id"),
    )


def _lists(addresses: dict[bytes, Entries]) -> dict[bytes, bytes]:
    lists: dict[bytes, bytes] = {}
    room = RECIPIENT_OCTETS
    for name in ADDRESS_FIELDS:
        if name in _AUTHORS:
            lists[name] = address_list(addresses[name], AUTHOR_OCTETS)
        else:
            lists[name] = address_list(addresses[name], room)
            room -= len(lists[name])
    return lists


def _text(headers: Headers, name: bytes) -> bytes:
    value = value_of(headers, name)
    return nstring(None if value is None else value[:STRING_OCTETS])


def value_of(headers: Headers, name: bytes) -> bytes | None:
    """The first field's value in one line; None when there is no such field."""
    field = headers.first(name)
    return None if field is None else field.unfolded
