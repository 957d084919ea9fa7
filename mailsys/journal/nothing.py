"""A journal for dry runs."""

from __future__ import annotations

from zope.interface import implementer

from mailsys.interfaces import IJournal, JournalEvent


@implementer(IJournal)
class NoJournal:
    """Forgets what it is told: nothing has happened."""

    def record(self, event: JournalEvent) -> None:
        """Forget it."""

    def flush(self) -> None:
        """Nothing waits to be written."""
