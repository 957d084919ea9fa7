"""For a host that writes no notices: nobody is told, the journal and the queue know."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from mailsys.interfaces import INotices, Notice, Progress, QueuedMessage


@implementer(INotices)
class NoNotices:
    """Composes nothing."""

    async def compose(self, message: QueuedMessage, progress: Sequence[Progress]) -> Sequence[Notice]:
        """None."""
        return ()
