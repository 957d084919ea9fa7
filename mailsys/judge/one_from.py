"""A message must say who wrote it, once: exactly one From field with exactly one mailbox.

RFC 5322 3.6 wants one From field; it allows several mailboxes in it, and RFC 6854 groups.  Yet what
is checked later (DMARC) is one domain, and what is shown is one address, so both must be the same
for every reader of the message.  Large hosts refuse such mail too.

What is refused, with a sentence that says which it was:

- no From, also for notices with the null reverse-path: RFC 5322 knows no exception for them;
- several From fields, several mailboxes, a group, no address or one that is not valid;
- an address that readers may take for another: see ``Mailbox.is_plain``.  One case is let through,
  since careless programs write it without harm: ``a@b <a@b>``, both of the same domain;
- a line that is no field to us and a From field to others (``From`` with a space before it or
  something odd around it, or folded before its colon);
- a header so large that a second From could hide behind what is parsed.
"""

from __future__ import annotations

import re

from mailsys.interfaces import ACCEPT, Disposition, Session, Verdict
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import AddressError, parse_address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.headers import Headers, read_headers
from mailsys.message.mailboxes import Group, Mailbox, parse_address_list
from mailsys.message.reply import Reply

_FALSE_FROM = re.compile(rb"[^!-~]*from[^!-~]*:", re.IGNORECASE)

_HEADER_TOO_LARGE = Reply(552, "5.3.4", "The header of the message is too large")
_MISSING = "The message has no From field"
_SEVERAL_FIELDS = "The message has more than one From field"
_FALSE_FIELD = "The message has a line that looks like a From field but is none"
_NOT_ONE = "The From field must have exactly one address"
_GROUP = "The From field must have an address, not a group"
_INVALID = "The From field has no valid address"
_AMBIGUOUS = "The From field can be read in more than one way; write it as: Name <address>"


class OneFrom(SilentJudge):
    """Refuses a message unless its From names exactly one mailbox."""

    name = "one_from"

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """Reject with 550 5.7.1 and what is wrong with From, or accept."""
        headers = read_headers(content)
        if not headers.complete:
            return Verdict(Disposition.REJECT, _HEADER_TOO_LARGE.text, _HEADER_TOO_LARGE)
        fault = _fault(headers)
        if fault is None:
            return ACCEPT
        return Verdict(Disposition.REJECT, fault, Reply(550, "5.7.1", fault))


def _fault(headers: Headers) -> str | None:
    """What is wrong with From, as a sentence."""
    if any(_FALSE_FROM.match(line) for line in headers.stray):
        return _FALSE_FIELD
    fields = headers.all(b"from")
    if len(fields) != 1:
        return _SEVERAL_FIELDS if fields else _MISSING
    return _fault_of_list(fields[0].value)


def _fault_of_list(value: bytes) -> str | None:
    found = parse_address_list(value, limit=1)
    if any(isinstance(entry, Group) for entry in found.entries):
        return _GROUP
    if not found.complete:
        return _NOT_ONE
    mailbox = next(iter(found.mailboxes), None)
    if mailbox is None or mailbox.address is None:
        return _INVALID
    return None if mailbox.is_plain or _names_one_domain(mailbox) else _AMBIGUOUS


def _names_one_domain(mailbox: Mailbox) -> bool:
    """Is it ``a@b <a@b>`` or the like, where every reader sees the same domain?"""
    address = mailbox.address
    try:
        return address is not None and parse_address(mailbox.display_name).domain == address.domain
    except AddressError:
        return False
