"""A judge without an opinion, for judges to begin with."""

from __future__ import annotations

from zope.interface import implementer

from mailsys.interfaces import ACCEPT, IJudge, Session, Verdict
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope


@implementer(IJudge)
class SilentJudge:
    """Accepts at every step; a judge overrides the steps at which it has something to say."""

    name = "silent"

    async def connection(self, session: Session) -> Verdict:
        """Accept."""
        return ACCEPT

    async def sender(self, session: Session, reverse_path: Address | None) -> Verdict:
        """Accept."""
        return ACCEPT

    async def recipient(self, session: Session, recipient: Address) -> Verdict:
        """Accept."""
        return ACCEPT

    async def message(self, session: Session, envelope: Envelope, content: Content) -> Verdict:
        """Accept."""
        return ACCEPT
