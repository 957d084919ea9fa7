"""May a message that was judged be forwarded?  What goes to another host goes in our name.

The return address is one of ours, so SPF passes for us at the next host, and with it DMARC for whoever
wrote our domain into From.  So what we would not lay into an INBOX we do not send on either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from mailsys.interfaces import Disposition, Verdict
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.reply import Reply
from mailsys.receive.transaction import RoutedRecipient


def may_leave(verdict: Verdict) -> bool:
    """Is it good enough to be sent on in our name?"""
    return verdict.disposition is Disposition.ACCEPT and not verdict.stays_here


def kept_here(recipients: Iterable[RoutedRecipient], verdict: Verdict) -> list[RoutedRecipient]:
    """The recipients with what becomes of them: their mailboxes alone, where it may not leave."""
    if may_leave(verdict):
        return list(recipients)
    return [_here_alone(one) if one.forwarded and one.accounts else one for one in recipients]


def objections(recipients: Iterable[RoutedRecipient], verdict: Verdict) -> dict[Address, Reply]:
    """What is said to those that are nothing but a way to other hosts, where it may not leave."""
    if may_leave(verdict):
        return {}
    lost = [one.address for one in recipients if one.forwarded and not one.accounts]
    return dict.fromkeys(lost, _refusal(lost))


def _refusal(lost: list[Address]) -> Reply:
    """RFC 6531 3.7.4: an address beyond ASCII is not named to who may not know of SMTPUTF8."""
    named = next((f"<{one}>" for one in lost if one.is_ascii), "")
    words = replies.NOT_FORWARDED.text
    return replies.NOT_FORWARDED.with_text(f"{words}: {named}" if named else words)


def _here_alone(recipient: RoutedRecipient) -> RoutedRecipient:
    targets = " and ".join(str(one) for one in recipient.forwarded)
    words = f"it is not forwarded to {targets}, since that would go in our name"
    return replace(recipient, forwarded=(), via=(*recipient.via, words))
