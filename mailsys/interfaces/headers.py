"""Header lines of our own in front of a message."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Attribute, Interface

from mailsys.message.content import Content
from mailsys.message.envelope import Envelope


class IHeaderWriter(Interface):
    """Adds header lines to each accepted message; the message itself stays as it is."""

    name: str = Attribute("as in the configuration and the journal")

    async def lines(envelope: Envelope, content: Content) -> Sequence[bytes]:
        """Whole fields, each ending with CR LF; a field may be folded.  None for this message: ()."""
