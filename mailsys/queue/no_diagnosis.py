"""For a host that does not look into refusals."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from mailsys.interfaces import IDiagnosis
from mailsys.message.address import Address
from mailsys.message.reply import Reply


@implementer(IDiagnosis)
class NoDiagnosis:
    """Finds nothing."""

    async def findings(self, said: str, reply: Reply, sender: Address | None) -> Sequence[str]:
        """None."""
        return ()
