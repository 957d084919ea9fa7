"""The address lists of a header, read once for all that is told of them (RFC 9051 7.5.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from mailsys.message.headers import Headers
from mailsys.message.mailboxes import Group, Mailbox, parse_address_list
from mailsys.message.structure.strings import NIL, nstring, string

Entries = Sequence[Mailbox | Group]

# Of one list; what goes beyond it is not told.
ADDRESSES = 1000
# What stands where an address lacks a part.  NIL would make it the beginning or end of a group.
NO_MAILBOX = b"MISSING_MAILBOX"
NO_HOST = b"MISSING_DOMAIN"

_ONE = re.compile(
    rb"""\s*+(?:"([^"\\\r\n]*+)"|([A-Za-z0-9=?_'/+!-]++(?:[ .]++[A-Za-z0-9=?_'/+!-]++)*+))?\s*+
         <([A-Za-z0-9._+=-]++@[A-Za-z0-9.-]++)>\s*+\Z""",
    re.VERBOSE,
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_GROUP_END = b"(NIL NIL NIL NIL)"


def entries_of(headers: Headers, name: bytes) -> Entries:
    """What all fields of this name hold, in their order, at most ADDRESSES; the name is in lower case."""
    count = headers.count(name)
    if count == 0:
        return ()
    if count > 1:
        return parse_address_list(b",".join(field.value for field in headers.all(name)), ADDRESSES).entries
    field = headers.first(name)
    value = field.value if field else b""
    if match := _ONE.match(value):
        return (Mailbox(match[1] or match[2] or b"", match[3]),)
    return parse_address_list(value, ADDRESSES).entries


def first_mailbox(entries: Entries) -> Mailbox | None:
    """The first, perhaps of a group."""
    for entry in entries:
        if isinstance(entry, Mailbox):
            return entry
        if entry.members:
            return entry.members[0]
    return None


def halves(mailbox: Mailbox) -> tuple[bytes, bytes]:
    """The local part, without quotes, and the domain; what is missing is empty."""
    local, at, domain = mailbox.spec.rpartition(b"@")
    if not at:
        local, domain = domain, b""
    if local.startswith(b'"'):
        local = _QUOTED_PAIR.sub(rb"\1", local[1:].removesuffix(b'"'))
    return local, domain


def address_list(entries: Entries, room: int) -> bytes:
    """The form of ENVELOPE, without addresses that do not fit into so many octets; NIL when there is none."""
    parts: list[bytes] = []
    room -= len(b"()")
    for entry in entries:
        if isinstance(entry, Mailbox):
            told = _fitting([_address(entry)], room)
        else:
            forms = [b"(NIL NIL %s NIL)" % string(entry.name), *map(_address, entry.members)]
            told = _fitting(forms, room - len(_GROUP_END))
            told += [_GROUP_END] if told else []
        parts += told
        room -= sum(map(len, told))
    return b"(%s)" % b"".join(parts) if parts else NIL


def _fitting(forms: Sequence[bytes], room: int) -> list[bytes]:
    """The first ones, which together have no more octets."""
    ends = accumulate(map(len, forms))
    return [form for form, end in zip(forms, ends, strict=True) if end <= room]


def _address(mailbox: Mailbox) -> bytes:
    local, domain = halves(mailbox)
    name = mailbox.name
    if not local and not domain and name and not name.count(b" "):
        name, local = b"", name  # a user of some host, as in "To: root"
    return b"(%s NIL %s %s)" % (nstring(name or None), string(local or NO_MAILBOX), string(domain or NO_HOST))
