"""The story of a message, event by event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zope.interface import Interface


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """Something happened to the message or connection ``id`` at ``at`` (seconds since 1970, UTC).

    ``key`` tells events of one id apart, so that writing an event twice leaves one.
    """

    id: str
    key: str
    at: float
    facts: Mapping[str, Any]


class IJournal(Interface):
    """Keeps events; never makes its caller wait."""

    def record(event: JournalEvent) -> None:
        """Keep it, soon.  From any thread."""

    def flush() -> None:
        """Return when all that was recorded is synced.  From a worker thread; raises OSError."""
