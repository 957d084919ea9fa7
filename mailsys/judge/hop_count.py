"""A message that goes round in a circle must be stopped (RFC 5321 6.3).

Two signs: more Received fields than any honest way has, and a Delivered-To (RFC 9228) or
X-Original-To line, as we write them, for a recipient to whom it comes again.  The whole message is
refused when one of its recipients has it already: it came back through a forward of that one.
"""

from __future__ import annotations

from mailsys.interfaces import ACCEPT, Disposition, Session, Verdict
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.headers import LIMITS, Headers, parse_headers, read_header_block
from mailsys.message.mailboxes import parse_mailboxes
from mailsys.message.reply import Reply

# RFC 5321 6.3 speaks of 100; no honest way has half of that, and a loop costs less the sooner it ends.
HOPS = 50
_WHERE_IT_WAS = (b"delivered-to", b"x-original-to")  # the account, and the alias that led to it

_TOO_MANY_HOPS = Reply(554, "5.4.6", f"The message came over more than {HOPS} hosts; it seems to loop")
_DELIVERED_BEFORE = Reply(554, "5.4.6", "The message was delivered to this recipient before; it loops")


class HopCount(SilentJudge):
    """Refuses a message that seems to loop."""

    name = "hop_count"

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """Reject with 554 5.4.6, or accept."""
        block = read_header_block(content)
        if not _is_suspicious(block):
            return ACCEPT
        headers = parse_headers(block)
        if headers.count(b"received") > HOPS:
            return _reject(_TOO_MANY_HOPS)
        if not _delivered_to(headers).isdisjoint(to.folded() for to in envelope.recipients):
            return _reject(_DELIVERED_BEFORE)
        return ACCEPT


def _is_suspicious(block: bytes) -> bool:
    """Is it worth a closer look?  Nearly no message is, and every message is asked about."""
    block = block[: LIMITS.octets].lower()
    return any(name in block for name in _WHERE_IT_WAS) or block.count(b"received") > HOPS


def _delivered_to(headers: Headers) -> set[Address]:
    """Whom the message reached before, as far as can be read."""
    found: set[Address] = set()
    for name in _WHERE_IT_WAS:
        for field in headers.all(name)[:HOPS]:
            mailboxes = parse_mailboxes(field.value, limit=1)
            found.update(mailbox.address.folded() for mailbox in mailboxes if mailbox.address)
    return found


def _reject(reply: Reply) -> Verdict:
    return Verdict(Disposition.REJECT, reply.text, reply)
