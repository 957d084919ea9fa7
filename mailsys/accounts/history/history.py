"""From where accounts were used, as the server asks and tells it: in the reactor's thread, without waiting.

What is asked is one row by its key, kept in memory then.  What is told is gathered and written in a
thread a few seconds later; a process that is killed loses these.
"""

from __future__ import annotations

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from mailsys.accounts.history.file import KNOWN_SECONDS, LoginFile
from mailsys.accounts.history.rows import Failures, Request, Seen, StoredBlock
from mailsys.interfaces import IWorkers
from mailsys.journal.database import is_damage
from mailsys.sqlite import open_reader

WRITE_SECONDS = 5.0
SOON_SECONDS = 0.25  # for what a restart should not forget: a new network, a block
PRUNE_SECONDS = 86_400.0
HEED_SECONDS = 0.5  # how often requests of operators are looked for, at most
MOST_WAITING = 5_000  # rows; while the disk does not take them
MOST_ACCOUNTS = 5_000  # in memory
READ_BUSY_SECONDS = 0.03

log = Logger(namespace="mailsys.accounts")


class LoginHistory:
    """``heed`` is called with each request of an operator.  ``start`` it, and ``stop`` it once."""

    def __init__(
        self,
        path: str,
        workers: IWorkers,
        clock: IReactorTime,
        now: Callable[[], float],
        heed: Callable[[Request], None],
    ) -> None:
        self._path = path
        self._workers = workers
        self._clock = clock
        self._now = now
        self._heed = heed
        self._file: LoginFile | None = None
        self._reader: sqlite3.Connection | None = None
        self._known: OrderedDict[str, set[str]] = OrderedDict()
        self._seen: dict[tuple[str, str, str], Seen] = {}
        self._failures: dict[tuple[str, str, str, str], Failures] = {}
        self._blocks: dict[tuple[str, str], StoredBlock] = {}
        self._alarm: IDelayedCall | None = None
        self._writing: Deferred[None] | None = None
        self._next_prune = 0.0
        self._version = -1
        self._next_heed = 0.0
        self._last_request = 0
        self._trouble = ""

    async def start(self) -> tuple[bytes, list[StoredBlock]]:
        """Open the file; returns the decoys' secret and the blocks in force.

        Raises sqlite3.Error, OSError.
        """
        self._file, secret, blocks = await self._workers.run(_open, self._path, self._now())
        self._reader = open_reader(self._path, READ_BUSY_SECONDS)
        row = self._reader.execute("SELECT max(id) FROM requests").fetchone()
        self._last_request = row[0] or 0
        return secret, blocks

    async def stop(self) -> None:
        """Write what is left."""
        file, self._file = self._file, None  # from now on nothing is written later
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        if self._writing is not None:
            await self._writing
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if file is not None:
            await self._write(file)
            file.close()

    # ------------------------------------------------------------------ asked

    def is_known(self, account: str, network: str) -> bool:
        """Has this account logged in from this network within the last 90 days?"""
        self._heed_requests()
        networks = self._known.get(account)
        if networks is None:
            networks = self._read(account)
        else:
            self._known.move_to_end(account)
        return network in networks

    def _read(self, account: str) -> set[str]:
        if self._reader is None:
            return set()
        since = self._now() - KNOWN_SECONDS
        query = "SELECT DISTINCT network FROM seen WHERE account = ? AND last > ?"
        try:
            networks = {row[0] for row in self._reader.execute(query, (account, since))}
        except sqlite3.Error as error:
            self._tell(f"cannot be read: {error}")
            return set()
        self._known[account] = networks
        if len(self._known) > MOST_ACCOUNTS:
            self._known.popitem(last=False)
        return networks

    def _heed_requests(self) -> None:
        """Another process may have written: an operator lifts a block."""
        if self._reader is None or self._clock.seconds() < self._next_heed:
            return
        self._next_heed = self._clock.seconds() + HEED_SECONDS
        try:
            version = self._reader.execute("PRAGMA data_version").fetchone()[0]
            if version == self._version:
                return
            query = "SELECT id, kind, subject FROM requests WHERE id > ? ORDER BY id LIMIT 1000"
            rows = self._reader.execute(query, (self._last_request,)).fetchall()
        except sqlite3.Error as error:
            self._tell(f"cannot be read: {error}")
            return
        self._version = version
        for number, kind, subject in rows:
            self._last_request = number
            if kind == "forget":
                self._known.pop(subject, None)
            self._heed(Request(kind, subject))

    # ------------------------------------------------------------------ told

    def succeeded(self, row: Seen) -> None:
        """An account has logged in."""
        is_new = not self.is_known(row.account, row.network)
        self._known.setdefault(row.account, set()).add(row.network)
        key = (row.account, row.network, row.service)
        if (waiting := self._seen.get(key)) is not None:
            row.first, row.logins = waiting.first, waiting.logins + row.logins
        self._seen[key] = row
        self._write_later(SOON_SECONDS if is_new else WRITE_SECONDS)

    def failed(self, row: Failures) -> None:
        """A login has failed."""
        key = (row.account, row.network, row.service, row.why)
        if (waiting := self._failures.get(key)) is not None:
            row.first, row.failures = waiting.first, waiting.failures + row.failures
        elif len(self._failures) >= MOST_WAITING:
            return
        self._failures[key] = row
        self._write_later(WRITE_SECONDS)

    def blocked(self, block: StoredBlock) -> None:
        """An account, address or network is blocked."""
        if len(self._blocks) < MOST_WAITING:
            self._blocks[block.kind, block.subject] = block
        self._write_later(SOON_SECONDS)

    def _write_later(self, seconds: float) -> None:
        if self._file is None or self._writing is not None:
            return
        if self._alarm is not None and self._alarm.active():
            if self._alarm.getTime() <= self._clock.seconds() + seconds:
                return
            self._alarm.cancel()
        self._alarm = self._clock.callLater(seconds, self._begin_writing)

    def _begin_writing(self) -> None:
        if self._file is None:
            return
        self._writing = Deferred.fromCoroutine(self._write(self._file))
        self._writing.addErrback(lambda failure: log.failure("Logins were not written", failure))
        self._writing.addCallback(self._written)

    def _written(self, _: None) -> None:
        self._writing = None
        if self._seen or self._failures or self._blocks:
            self._write_later(WRITE_SECONDS)

    async def _write(self, file: LoginFile) -> None:
        seen, failures, blocks = self._seen, self._failures, self._blocks
        self._seen, self._failures, self._blocks = {}, {}, {}
        try:
            rows = list(seen.values()), list(failures.values()), list(blocks.values())
            await self._workers.run(self._store, file, *rows)
        except (sqlite3.Error, OSError) as error:
            self._tell(f"cannot be written: {error}")
            # What came meanwhile is newer.  What was counted twice over is worth less than what is lost.
            self._seen, self._failures = seen | self._seen, failures | self._failures
            self._blocks = blocks | self._blocks
        else:
            self._trouble = ""

    def _store(
        self, file: LoginFile, seen: list[Seen], failures: list[Failures], blocks: list[StoredBlock]
    ) -> None:
        """In a worker thread."""
        file.write(seen, failures, blocks)
        now = self._now()
        if now >= self._next_prune:
            file.prune(now)
            self._next_prune = now + PRUNE_SECONDS

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            log.warn("{path} {trouble}", path=self._path, trouble=trouble)
        self._trouble = trouble


def _open(path: str, now: float) -> tuple[LoginFile, bytes, list[StoredBlock]]:
    """In a worker thread.  A damaged file is put aside, and a new one begun: nobody is kept out by it."""
    try:
        file = LoginFile(path)
        return file, file.secret(), file.blocks(now)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        aside = f"{path}.damaged-{now:.0f}"
        log.error("{path} was damaged, and is now {aside}: {error}", path=path, aside=aside, error=error)
        os.rename(path, aside)
        for end in ("-wal", "-shm"):
            if os.path.exists(path + end):
                os.unlink(path + end)
    file = LoginFile(path)
    return file, file.secret(), []
