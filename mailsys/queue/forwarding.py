"""Mail in the queue that goes to other hosts because an address of ours stands for addresses there.

It leaves with a return address of ours (:mod:`mailsys.message.srs`), made anew for each attempt, and with
a Delivered-To field (RFC 9228) that names the address which stands for its recipients, so that it is known
when it comes back.  Both differ from address to address, so each has a transaction of its own, and nobody
learns of the others.

What comes from nobody stays so, and so does what comes from an address of ours: our domains' own hosts
send it in any case, and a notice about it finds its way without another name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from zope.interface import implementer

from mailsys.interfaces import Attempt, DirectoryUnavailable, IDelivery, IRouter
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.content import Content, HeadedContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Step
from mailsys.message.srs import SenderRewriting
from mailsys.message.trace_fields import delivered_to_field


@implementer(IDelivery)
class Forwarding:
    """Before ``away``, which takes mail to other hosts.  ``router`` tells what is ours."""

    def __init__(self, router: Callable[[], IRouter], rewriting: SenderRewriting, away: IDelivery) -> None:
        self._router = router
        self._rewriting = rewriting
        self._away = away

    async def deliver(
        self, envelope: Envelope, content: Content, recipients: Sequence[Address]
    ) -> Mapping[Address, Attempt]:
        """Those who were written to as it came, the others as forwarded."""
        if not envelope.forwarded:
            return await self._away.deliver(envelope, content, recipients)
        by_alias: dict[Address | None, list[Address]] = {}
        for recipient in recipients:
            by_alias.setdefault(envelope.forwarded.get(recipient), []).append(recipient)
        attempts: dict[Address, Attempt] = {}
        for alias, some in by_alias.items():
            if alias is None:
                attempts.update(await self._away.deliver(envelope, content, some))
            else:
                attempts.update(await self._forward(envelope, content, some, alias))
        return attempts

    async def _forward(
        self, envelope: Envelope, content: Content, recipients: Sequence[Address], alias: Address
    ) -> dict[Address, Attempt]:
        try:
            sender = await return_address(
                self._router(),
                self._rewriting,
                envelope.reverse_path,
                alias,
                is_vouched_for=envelope.is_vouched_for,
            )
        except DirectoryUnavailable:
            attempt = Attempt(Deferred(replies.LOCAL_ERROR), Step.MESSAGE)
            return dict.fromkeys(recipients, attempt)
        head = delivered_to_field(alias, smtputf8=envelope.smtputf8)
        forwarded = replace(envelope, reverse_path=sender)
        attempts = await self._away.deliver(forwarded, HeadedContent(head, content), recipients)
        return {
            recipient: replace(attempt, forwarded_for=alias, sent_as=sender)
            for recipient, attempt in attempts.items()
        }


async def return_address(
    router: IRouter,
    rewriting: SenderRewriting,
    sender: Address | None,
    alias: Address,
    *,
    is_vouched_for: bool,
) -> Address | None:
    """As whom mail to ``alias`` is forwarded; raises DirectoryUnavailable.

    A sender of ours stays as it is only if it is vouched for: a stranger may have made it up, and the next
    host would read in SPF that we answer for it.

    A sender whose return address would be too long for any host goes as it is: that its notices do not
    come back is less harm than no mail.
    """
    if sender is None or (is_vouched_for and await router.route(sender) is not None):
        return sender
    return rewriting.rewrite(sender, alias.domain) or sender
