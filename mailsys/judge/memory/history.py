"""Who has written to whom before: each pair of addresses, with what showed that it was the sender.

That is a domain that passed SPF or DKIM, or where there is none the network.  Of what came over a mailing
list its author is noted apart, as shown by ``list`` and the domain: else whoever wrote once, under a name of
their own or in MAIL alone, could write as any author.  Somebody counts as known from the next day on, so that
one message that got through does not open the way for the next hundred.

Only what was delivered into an INBOX is noted.  Nothing waits for that, so what comes within some seconds is
written together; what a killed process did not write is noted with the next mail.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import HostStops, ISenderHistory, IWorkers, Session
from mailsys.judge.memory.file import SendersFile, keep_newest
from mailsys.message.address import Address, AddressError, parse_address
from mailsys.net.origin import origin_of, shown

DAY_SECONDS = 86_400
MOST_ROWS = 1_000_000
MOST_UNWRITTEN = 10_000
MOST_RECIPIENTS = 20  # of one message
PRUNE_AFTER = 5_000  # rows written
MOST_SHOWN_BY = 3
GATHER_SECONDS = 2.0

log = Logger(namespace="mailsys.judge")


@dataclass(frozen=True, slots=True)
class Sender:
    """Under which addresses a message came, and what shows that it was they."""

    addresses: tuple[str, ...]
    shown_by: tuple[str, ...]


def sender_of(session: Session, reverse_path: Address | None) -> Sender:
    """As far as is known at this step: the author only after ``dmarc``, signatures only after ``dkim``."""
    author = next((one.detail.get("author") for one in session.findings.get("dmarc", ())), None)
    addresses = [str(address.folded()) for address in (reverse_path, _parsed(author)) if address]
    passed = [*session.findings.get("spf", ())[:1], *session.findings.get("dkim", ())]
    domains = list(dict.fromkeys(one.domain for one in passed if one.passes))[:MOST_SHOWN_BY]
    if not domains and (origin := origin_of(session.peer.host)) is not None:
        domains = [shown(origin.network)]
    return Sender(tuple(dict.fromkeys(addresses)), tuple(domains))


def _parsed(address: str | None) -> Address | None:
    try:
        return parse_address(address) if address else None
    except AddressError:
        return None


@implementer(ISenderHistory)
class SenderHistory:
    """Kept in ``file`` for ``keep_seconds``, 0 for never; ``now`` is in seconds since 1970.

    Without a ``clock`` all is written at once.
    """

    keep_seconds = 365.0 * DAY_SECONDS

    def __init__(
        self,
        file: SendersFile,
        workers: IWorkers,
        now: Callable[[], float],
        clock: IReactorTime | None = None,
    ) -> None:
        self._file = file
        self._workers = workers
        self._now = now
        self._unwritten: dict[tuple[str, str, str], None] = {}
        self._since_pruned = PRUNE_AFTER
        self._clock = clock
        self._alarm: IDelayedCall | None = None
        self._is_planned = False
        self._written: Deferred[None] = succeed(None)

    def note(self, session: Session, reverse_path: Address | None, recipients: Iterable[Address]) -> None:
        """A message was delivered into the INBOX of these."""
        if not self.keep_seconds or (session.peer.is_loopback and not session.findings):
            return  # that it came from this machine shows nothing of who wrote it
        sender = sender_of(session, reverse_path)
        for recipient in list(recipients)[:MOST_RECIPIENTS]:
            for row in (*_rows(recipient, sender), *_list_rows(recipient, session)):
                if len(self._unwritten) < MOST_UNWRITTEN:  # a flood that is faster than the disk
                    self._unwritten[row] = None
        self._plan()

    async def knows(
        self, session: Session, reverse_path: Address | None, recipients: Iterable[Address]
    ) -> bool:
        """Did the sender write to one of these before today?  False also when that cannot be told."""
        sender = sender_of(session, reverse_path)
        return await self._has_any(
            [row for to in list(recipients)[:MOST_RECIPIENTS] for row in _rows(to, sender)]
        )

    async def knows_from_list(self, session: Session, recipients: Iterable[Address]) -> bool:
        """Did the author write to one of these over the same list before today?"""
        return await self._has_any(
            [row for to in list(recipients)[:MOST_RECIPIENTS] for row in _list_rows(to, session)]
        )

    async def _has_any(self, rows: Sequence[tuple[str, str, str]]) -> bool:
        before = int(self._now()) // DAY_SECONDS
        try:
            return await self._workers.run(self._file.look, partial(_is_there, rows, before), False)
        except (OSError, sqlite3.Error) as error:
            log.warn("Whether a sender is known cannot be told: {error}", error=error)
            return False

    async def stop(self) -> None:
        """Return when all is written.  What is noted after that is written at once."""
        self._clock = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._begin()
        while self._is_planned:
            await self._written

    def _plan(self) -> None:
        """Write in a while, unless that is planned or under way."""
        if self._is_planned or not self._unwritten:
            return
        self._is_planned = True
        if self._clock is None:
            self._begin()
        else:
            self._alarm = self._clock.callLater(GATHER_SECONDS, self._begin)

    def _begin(self) -> None:
        self._alarm = None
        self._written = Deferred.fromCoroutine(self._write())

    async def _write(self) -> None:
        try:
            await self._write_some()
        except (OSError, sqlite3.Error, HostStops) as error:
            log.warn("Senders cannot be remembered: {error}", error=error)
        finally:
            self._is_planned = False
        self._plan()  # for what has come meanwhile

    async def _write_some(self) -> None:
        rows, self._unwritten = list(self._unwritten), {}
        self._since_pruned += len(rows)
        is_due = self._since_pruned >= PRUNE_AFTER
        self._since_pruned = 0 if is_due else self._since_pruned
        await self._workers.run(self._file.run, partial(self._add, rows, is_due))

    def _add(
        self, rows: Sequence[tuple[str, str, str]], is_due: bool, connection: sqlite3.Connection
    ) -> None:
        today = int(self._now()) // DAY_SECONDS
        connection.executemany(
            "INSERT INTO seen VALUES (?1, ?2, ?3, ?4, ?4)"
            " ON CONFLICT DO UPDATE SET last = ?4 WHERE last < ?4",
            [(*row, today) for row in rows],
        )
        if is_due:
            keep_newest(connection, "seen", "last", MOST_ROWS, today - self.keep_seconds / DAY_SECONDS)


def _rows(recipient: Address, sender: Sender) -> list[tuple[str, str, str]]:
    to = str(recipient.folded())
    return [(to, address, shown_by) for address in sender.addresses for shown_by in sender.shown_by]


def _list_rows(recipient: Address, session: Session) -> list[tuple[str, str, str]]:
    """No domain and no network has a space in it."""
    dmarc = next(iter(session.findings.get("dmarc", ())), None)
    if dmarc is None or "list" not in dmarc.detail:
        return []
    author = sender_of(session, None)
    shown_by = tuple([f"list {one}" for one in author.shown_by])
    return _rows(recipient, Sender(author.addresses, shown_by))


def _is_there(rows: Sequence[tuple[str, str, str]], before: int, connection: sqlite3.Connection) -> bool:
    question = "SELECT 1 FROM seen WHERE recipient = ? AND sender = ? AND shown_by = ? AND first < ?"
    return any(connection.execute(question, (*row, before)).fetchone() for row in rows)
