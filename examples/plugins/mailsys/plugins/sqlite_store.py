"""A store that keeps all mail in one SQLite file: for a small host, and to see what a store has to do.

    [store]
    kind = "sqlite_store"
    [plugins.sqlite_store]
    file = "mail.sqlite3"

A copy is first a row of ``written``, which no reader looks at, and becomes one of ``laid``, with its UID,
in one transaction: so a killed process leaves it in one of the two.  Commits are not synced one by one;
``settle`` makes one that is, and in a write-ahead log that makes durable all that went before it.
"""

from __future__ import annotations

import itertools
import os
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from zope.interface import implementer

from mailsys.config.settings import PATH, setting
from mailsys.interfaces import (
    Account,
    Identity,
    IMailbox,
    IMailStore,
    IQuota,
    IRepeatableDrop,
    MailboxAction,
    MailboxInUse,
    PluginMaker,
    Services,
    StoredMessage,
)
from mailsys.message.address import Address
from mailsys.message.content import READ_OCTETS, Content, MemoryContent

sqlite_store = PluginMaker(IMailStore, "sqlite_store", __name__, "keeps all mail in one SQLite file")

SCHEMA = """
CREATE TABLE IF NOT EXISTS validity (uid_validity INTEGER, settled INTEGER);
CREATE TABLE IF NOT EXISTS written (name TEXT PRIMARY KEY, octets BLOB);
CREATE TABLE IF NOT EXISTS laid (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,
    account TEXT, folder TEXT, size INTEGER, wire_size INTEGER, octets BLOB);
CREATE INDEX IF NOT EXISTS folders ON laid (account, folder, id);
"""  # an id is never used twice, and so serves as UID


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the mail is."""

    file: str = setting(PATH)


class Database:
    """A connection for each transaction: SQLite's belong to one thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o600))
        with self.changing() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(SCHEMA)
            if not connection.execute("SELECT 1 FROM validity").fetchone():
                connection.execute("INSERT INTO validity VALUES (?, 0)", (int(time.time()),))
            self.uid_validity: int = connection.execute("SELECT uid_validity FROM validity").fetchone()[0]

    @contextmanager
    def changing(self, synchronous: str = "NORMAL") -> Iterator[sqlite3.Connection]:
        """One transaction; raises OSError, as a store has to."""
        try:
            connection = sqlite3.connect(self._path, timeout=10)
            try:
                connection.execute(f"PRAGMA synchronous = {synchronous}")
                with connection:
                    yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise OSError(f"{self._path}: {error}") from error


@implementer(IRepeatableDrop)
class Drop:
    """For intake; all but ``plan`` and ``announce`` in worker threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._life = secrets.token_hex(8)
        self._numbers = itertools.count(1)

    def plan(
        self, account: Account, recipient: Address, head: bytes, content_size: int, *, crlf: bool = True
    ) -> MailboxAction:
        """A name that nobody had before."""
        return MailboxAction(account.address, recipient, "INBOX", f"{self._life}.{next(self._numbers)}", head)

    def plan_again(
        self,
        account: Account,
        recipient: Address,
        head: bytes,
        content_size: int,
        identity: Identity,
        *,
        crlf: bool = True,
    ) -> MailboxAction:
        """A name that follows from the identity, so that nothing of the queue is laid twice."""
        return MailboxAction(account.address, recipient, "INBOX", f"again.{identity.digest}", head)

    def write(self, action: MailboxAction, content: Content) -> None:
        """Keep it where no reader looks."""
        octets = b"".join([action.head, *content.pieces()])
        with self._database.changing() as connection:
            connection.execute("INSERT OR REPLACE INTO written VALUES (?, ?)", (action.name, octets))

    def lay(self, action: MailboxAction) -> None:
        """Let it be seen."""
        with self._database.changing() as connection:
            octets = _take(connection, action)
            row = (action.name, str(action.account), action.folder, len(octets), _wire_size(octets), octets)
            columns = "name, account, folder, size, wire_size, octets"
            connection.execute(f"INSERT INTO laid ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)  # noqa: S608

    def discard(self, action: MailboxAction) -> None:
        """Forget what was written."""
        with self._database.changing() as connection:
            connection.execute("DELETE FROM written WHERE name = ?", (action.name,))

    def is_written(self, action: MailboxAction) -> bool:
        """A row is whole or not there."""
        with self._database.changing() as connection:
            rows = connection.execute("SELECT 1 FROM written WHERE name = ?", (action.name,))
            return rows.fetchone() is not None

    def laid_octets(self, action: MailboxAction) -> int | None:
        """How large it is, wherever it is."""
        with self._database.changing() as connection:
            row = connection.execute("SELECT size FROM laid WHERE name = ?", (action.name,)).fetchone()
            return row[0] if row else None

    def remove_short(self, action: MailboxAction, octets: int) -> None:
        """A row is never short, unless somebody has damaged it."""
        with self._database.changing() as connection:
            connection.execute("DELETE FROM laid WHERE name = ? AND size < ?", (action.name, octets))

    def replace(self, action: MailboxAction) -> None:
        """The same row with other octets."""
        with self._database.changing() as connection:
            query = "UPDATE laid SET octets = ?, size = ?, wire_size = ? WHERE name = ?"
            octets = _take(connection, action)
            if not connection.execute(query, (octets, len(octets), _wire_size(octets), action.name)).rowcount:
                raise FileNotFoundError(f"{action.name} was deleted")

    def settle(self, actions: Sequence[MailboxAction]) -> Sequence[MailboxAction]:
        """One synced transaction syncs all before it."""
        with self._database.changing("FULL") as connection:
            connection.execute("UPDATE validity SET settled = settled + ?", (len(actions),))
        return ()

    def announce(self, action: MailboxAction) -> None:
        """Nobody watches a folder here."""


@implementer(IMailbox)
class Mailbox:
    """A folder as it was when it was opened."""

    def __init__(self, store: Store, key: tuple[str, str], names: dict[int, str], messages, is_held) -> None:  # type: ignore[no-untyped-def]
        self.uid_validity = store.database.uid_validity
        self.messages: Sequence[StoredMessage] = messages
        self._store, self._key, self._names, self._is_held = store, key, names, is_held

    def name(self, uid: int) -> str:
        """What its copy is called."""
        return self._names.get(uid, "")

    async def content(self, uid: int) -> Content:
        """The message; raises KeyError."""
        return MemoryContent([await self._store.workers.run(self._octets, uid)])

    def read_cached(self, uid: int) -> bytes | None:
        """Nothing can be had without a wait."""
        return None

    async def read_many(self, uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Whole small messages."""
        return await self._store.workers.run(lambda: [self._small(uid) for uid in uids])

    async def expunge(self, uids: Sequence[int]) -> int:
        """Delete."""
        return await self._store.workers.run(self._remove, uids)

    def close(self) -> None:
        """Give up the hold."""
        if self._is_held:
            self._is_held = False
            self._store.held.discard(self._key)

    def _octets(self, uid: int) -> bytes:
        with self._store.database.changing() as connection:
            row = connection.execute("SELECT octets FROM laid WHERE id = ?", (uid,)).fetchone()
        if row is None or uid not in self._names:
            raise KeyError(uid)
        return bytes(row[0])

    def _small(self, uid: int) -> bytes | KeyError | OSError | None:
        try:
            octets = self._octets(uid)
        except (KeyError, OSError) as error:
            return error
        return octets if len(octets) <= READ_OCTETS else None

    def _remove(self, uids: Sequence[int]) -> int:
        known = [(uid,) for uid in uids if self._names.pop(uid, "")]
        with self._store.database.changing() as connection:
            return connection.executemany("DELETE FROM laid WHERE id = ?", known).rowcount if known else 0


@implementer(IQuota)
class Quota:
    """Counts anew each time: an index holds the sizes of an account together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: Counter[Address] = Counter()

    async def has_room(self, account: Account, octets: int) -> bool:
        """Would it fit now?"""
        if account.quota_bytes is None:
            return True
        used = await self._store.workers.run(self._used, account)
        return used + self._held[account.address] + octets <= account.quota_bytes

    async def hold(self, account: Account, octets: int) -> bool:
        """Set room aside."""
        if not await self.has_room(account, octets):
            return False
        self._held[account.address] += octets
        return True

    def release(self, account: Account, octets: int, *, used: int) -> None:
        """What was laid counts by itself."""
        self._held[account.address] -= min(octets, self._held[account.address])

    def _used(self, account: Account) -> int:
        with self._store.database.changing() as connection:
            query = "SELECT coalesce(sum(size), 0) FROM laid WHERE account = ?"
            return int(connection.execute(query, (str(account.address),)).fetchone()[0])


@implementer(IMailStore)
class Store:
    """All of it."""

    def __init__(self, path: str, services: Services) -> None:
        self.database = Database(path)
        self.workers = services.workers
        self.held: set[tuple[str, str]] = set()
        self.drop = Drop(self.database)
        self.quota = Quota(self)

    async def open(self, account: Account, folder: str, *, exclusive: bool) -> Mailbox:
        """Open for reading; raises MailboxInUse, FileNotFoundError."""
        key = str(account.address), "INBOX" if folder.upper() == "INBOX" else folder
        if exclusive and key in self.held:
            raise MailboxInUse
        if exclusive:
            self.held.add(key)
        try:
            rows = await self.workers.run(self._rows, *key)
        except BaseException:
            if exclusive:
                self.held.discard(key)
            raise
        messages = [StoredMessage(uid, size, wire_size) for uid, _, size, wire_size in rows]
        return Mailbox(self, key, {uid: name for uid, name, _, _ in rows}, messages, exclusive)

    def _rows(self, account: str, folder: str) -> list[tuple[int, str, int, int]]:
        with self.database.changing() as connection:
            query = "SELECT id, name, size, wire_size FROM laid WHERE account = ? AND folder = ? ORDER BY id"
            rows = connection.execute(query, (account, folder)).fetchall()
        if not rows and folder != "INBOX":
            raise FileNotFoundError(f"{account} has no folder {folder}")
        return rows


def _take(connection: sqlite3.Connection, action: MailboxAction) -> bytes:
    row = connection.execute("DELETE FROM written WHERE name = ? RETURNING octets", (action.name,)).fetchone()
    if row is None:
        raise FileNotFoundError(f"{action.name} is not written")
    return bytes(row[0])


def _wire_size(octets: bytes) -> int:
    return len(octets) + octets.count(b"\n") - octets.count(b"\r\n")


def make(settings: Settings, services: Services) -> Store:
    """The store."""
    return Store(settings.file, services)
