"""A message that goes round in a circle must be stopped (RFC 5321 6.3).

Two signs: more Received fields than any honest way has, and our own Delivered-To line for a
recipient to whom it comes again (RFC 9228).  The whole message is refused when one of its
recipients has it already: a message that comes back does so through a forward of that one.
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
    return b"delivered-to" in block or block.count(b"received") > HOPS


def _delivered_to(headers: Headers) -> set[Address]:
    """Whom the message reached before, as far as can be read."""
    found: set[Address] = set()
    for field in headers.all(b"delivered-to")[:HOPS]:
        found.update(
            mailbox.address.folded() for mailbox in parse_mailboxes(field.value, limit=1) if mailbox.address
        )
    return found


def _reject(reply: Reply) -> Verdict:
    return Verdict(Disposition.REJECT, reply.text, reply)
