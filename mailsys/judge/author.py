"""The author of a message, as DMARC wants it: the one domain in the one From field (RFC 9989 5.3.1)."""

from __future__ import annotations

from mailsys.message.address import Address
from mailsys.message.headers import Headers
from mailsys.message.mailboxes import parse_address_list


def author_of(headers: Headers) -> Address | None:
    """The address in From; None when there is none, or more than one that readers may see."""
    fields = headers.all(b"from")
    if len(fields) != 1 or not headers.complete:
        return None
    found = parse_address_list(fields[0].value, limit=1)
    mailboxes = found.mailboxes
    return mailboxes[0].address if found.complete and len(mailboxes) == 1 else None


def is_from_list(headers: Headers) -> bool:
    """Does it say that it came over a mailing list (RFC 2919)?  Anybody can say that."""
    return headers.count(b"list-id") > 0
