"""What is wrong with us, when another host refuses our mail."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from mailsys.message.address import Address
from mailsys.message.reply import Reply


class IDiagnosis(Interface):
    """Looks at the records and lists that a refusal speaks of."""

    async def findings(said: str, reply: Reply, sender: Address | None) -> Sequence[str]:
        """What is wrong and what to do, each one printable line; nothing where there is nothing to look at.

        ``said`` are the other host's words.  Is done within seconds, and never raises.
        """
