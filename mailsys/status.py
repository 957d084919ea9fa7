"""How the host is, for ``mailsys status`` and for the service manager."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import mailsys
from mailsys.interfaces import IWorkers
from mailsys.journal.count import count_since
from mailsys.listeners import Listeners
from mailsys.net.tls import HostTLS
from mailsys.stations import Stations
from mailsys.tls.remarks import remarks

MOST_HELD = 10  # accounts that are named


class HostStatus:
    """Made with the host; ``stations`` and ``tls`` are set when they are there.

    ``phase`` is starting, serving or stopping.
    """

    def __init__(self, listeners: Listeners, hostname: str) -> None:
        self._listeners = listeners
        self.hostname = hostname
        self.phase = "starting"
        self.since = datetime.now(UTC)
        self.stations: Stations | None = None
        self.tls: HostTLS | None = None

    def line(self) -> str:
        """One line for ``systemctl status``."""
        count = self._listeners.connections
        line = f"{self.phase}: {count} connection{'' if count == 1 else 's'}"
        return "; ".join([line, *self._waiting(), *self._urgent()])

    async def facts(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        """What ``docs/control-socket.rst`` says of the command ``status``."""
        return {
            "phase": self.phase,
            "version": mailsys.__version__,
            "pid": os.getpid(),
            "since": self.since.isoformat(timespec="seconds"),
            "hostname": self.hostname,
            "listeners": self._listeners.describe(),
            "connections": self._listeners.connections,
            "queue": await self._depth(),
            "today": await self._today(),
            "wrong": [*self._wrong(), *await self._held()],
        }

    def _waiting(self) -> Iterator[str]:
        """What lies in the queue, if there is anything; some seconds old."""
        depth = self.stations.outgoing.queue.upkeep.depth if self.stations is not None else 0
        if depth:
            yield f"{depth:,} message{'' if depth == 1 else 's'} in the queue"

    async def _depth(self) -> int | None:
        """How many messages lie in the queue; None when it cannot be read."""
        if self.stations is None or self.phase == "starting":
            return None
        try:
            return await self.stations.outgoing.queue.spool.depth()
        except OSError:
            return None

    async def _today(self) -> dict[str, int] | None:
        """Counts since midnight, local time; None when the journal cannot be read."""
        if self.stations is None:
            return None
        workers: IWorkers = self.stations.files
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        try:
            return await workers.run(count_since, self.stations.paths.journal, midnight.timestamp())
        except sqlite3.Error:
            return None

    async def _held(self) -> list[str]:
        """Whose mail to other hosts was held within a day."""
        if self.stations is None:
            return []
        try:
            accounts = await self.stations.users.limits.held_accounts()
        except OSError as error:
            return [str(error)]
        words = "sent so much that its mail is held; 'mailsys queue list {0}' shows it"
        return [f"{account} {words.format(account)}" for account in accounts[:MOST_HELD]]

    def _urgent(self) -> Iterator[str]:
        """What keeps mail out or goes unrecorded."""
        if self.stations is None:
            return
        if self.stations.space.trouble:
            yield f"new mail is refused: {self.stations.space.trouble}"
        if self.stations.journal.is_failing:
            yield "the journal cannot be written"

    def _wrong(self) -> Iterator[str]:
        yield from self._urgent()
        if self.tls is not None:
            yield from remarks(self.tls.table, self.hostname, datetime.now(UTC))
