"""The addresses of a catch-all that brought mail: whoever got it may answer under them.

A catch-all catches everything, so without this its owner could write as anybody of the domain.  An
address is written to the file once a day at most; what a killed process did not write is written with
the next mail.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import DirectoryUnavailable, HostStops, ICaughtAddresses, IWorkers
from mailsys.message.address import Address
from mailsys.submit.file import SubmissionFile

AGAIN_SECONDS = 86_400.0
MOST_IN_MEMORY = 10_000
ROWS = 10_000  # of one account, those with the newest mail

log = Logger(namespace="mailsys.submit")


@implementer(ICaughtAddresses)
class CaughtAddresses:
    """Kept in ``file``, with the last of them in memory."""

    def __init__(self, file: SubmissionFile, workers: IWorkers, now: Callable[[], float]) -> None:
        self._file = file
        self._workers = workers
        self._now = now
        self._known: dict[tuple[str, str], float] = {}  # and when it was noted; the oldest first
        self._unwritten: list[tuple[str, str, float]] = []
        self._is_writing = False
        self._written: Deferred[None] = succeed(None)

    def note(self, account: Address, address: Address) -> None:
        """Mail for the address came to the account."""
        key, now = (str(account), str(address)), self._now()
        if 0 <= now - self._known.get(key, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return
        if len(self._unwritten) >= MOST_IN_MEMORY:
            return  # a flood of made-up addresses, faster than the disk
        self._known.pop(key, None)
        self._known[key] = now
        if len(self._known) > MOST_IN_MEMORY:
            del self._known[next(iter(self._known))]
        self._unwritten.append((*key, now))
        if not self._is_writing:
            self._is_writing = True
            self._written = Deferred.fromCoroutine(self._write())

    async def has_received(self, account: Address, address: Address) -> bool:
        """Did mail for the address come to the account?"""
        key = str(account), str(address)
        if key in self._known:
            return True
        if not self._file.exists():
            return False
        try:
            return await self._workers.run(self._file.run, lambda opened: _is_there(opened, *key))
        except (OSError, sqlite3.Error) as error:
            raise DirectoryUnavailable(str(error)) from error

    async def stop(self) -> None:
        """Return when all is written."""
        await self._written

    async def _write(self) -> None:
        rows: list[tuple[str, str, float]] = []
        try:
            await self._workers.run(_nothing)  # what comes in the same moment goes with it
            while self._unwritten:
                rows, self._unwritten = self._unwritten, []
                await self._workers.run(self._file.run, partial(_add, rows))
        except (OSError, sqlite3.Error, HostStops) as error:
            log.warn("Addresses of a catch-all cannot be remembered: {error}", error=error)
            for account, address, _at in rows:
                self._known.pop((account, address), None)
        finally:
            self._is_writing = False


def _add(rows: Sequence[tuple[str, str, float]], connection: sqlite3.Connection) -> None:
    connection.executemany("REPLACE INTO caught VALUES (?, ?, ?)", rows)
    for account in {row[0] for row in rows}:
        connection.execute(
            "DELETE FROM caught WHERE account = ?1 AND last < (SELECT last FROM caught"
            " WHERE account = ?1 ORDER BY last DESC LIMIT 1 OFFSET ?2)",
            (account, ROWS - 1),
        )


def _is_there(connection: sqlite3.Connection, account: str, address: str) -> bool:
    question = "SELECT 1 FROM caught WHERE account = ? AND address = ?"
    return connection.execute(question, (account, address)).fetchone() is not None


def _nothing() -> None:
    """Only a turn of a thread."""
