"""ENVELOPE (RFC 9051 7.5.2, RFC 3501 7.4.2)."""

from __future__ import annotations

from mailsys.message.headers import Headers
from mailsys.message.structure.addresses import Entries, address_list, entries_of
from mailsys.message.structure.strings import NIL, nstring

ADDRESS_FIELDS = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")


def read_addresses(headers: Headers) -> dict[bytes, Entries]:
    """The lists that an envelope needs, by field."""
    return {name: entries_of(headers, name) for name in ADDRESS_FIELDS}


def envelope(headers: Headers, addresses: dict[bytes, Entries] | None = None) -> bytes:
    """The form, given the address lists if they are read already.

    A field that comes more than once counts the first time; of lists of addresses all count.
    """
    lists = {name: address_list(found) for name, found in (addresses or read_addresses(headers)).items()}
    sender = lists[b"from"]
    return b"(%s %s %s %s %s %s %s %s %s %s)" % (
        nstring(value_of(headers, b"date")),
        nstring(value_of(headers, b"subject")),
        sender,
        sender if lists[b"sender"] == NIL else lists[b"sender"],
        sender if lists[b"reply-to"] == NIL else lists[b"reply-to"],
        lists[b"to"],
        lists[b"cc"],
        lists[b"bcc"],
        nstring(value_of(headers, b"in-reply-to")),
        nstring(value_of(headers, b"message-id")),
    )


def value_of(headers: Headers, name: bytes) -> bytes | None:
    """The first field's value in one line; None when there is no such field."""
    field = headers.first(name)
    return None if field is None else field.unfolded
