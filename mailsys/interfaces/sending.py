"""How mail leaves: what is handed to a delivery, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zope.interface import Interface

from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Outcome, Step


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt at one recipient came to.

    ``remote`` is the host and address that were spoken to, as in ``mx.example.org [192.0.2.1]:25``, and
    ``tls`` how it was protected, as in ``TLSv1.3 TLS_AES_256_GCM_SHA384, verified``, or why it was not
    though it was offered; empty when it was not.
    ``said`` is the last the remote said about this recipient, bounded and printable.
    """

    outcome: Outcome
    step: Step
    remote: str = ""
    tls: str = ""
    said: str = ""
    # The connection broke after all of the message was sent and before the answer came: the remote may
    # have taken it, and another attempt may deliver it twice (RFC 5321 4.5.3.2.6).
    is_uncertain: bool = False
    # The remote took the message together with the wishes of RFC 3461: it will tell the sender, not we.
    hands_on_notices: bool = False
    # It was not for this recipient but for an address of ours that stands for it, and went out with this
    # reverse-path, None for the null one.
    forwarded_for: Address | None = None
    sent_as: Address | None = None


class IDelivery(Interface):
    """Takes a message to where its recipients live."""

    async def deliver(
        envelope: Envelope, content: Content, recipients: Sequence[Address]
    ) -> Mapping[Address, Attempt]:
        """Try once, for some of the envelope's recipients: one entry for each of them.

        Never raises for what the world or the content's disk does.
        """
