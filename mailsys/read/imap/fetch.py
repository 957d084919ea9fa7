"""FETCH: what the store knows of messages, and their octets (RFC 9051 6.4.5).

Also what changed since (RFC 7162), when it was saved (RFC 8514), and how it begins (RFC 8970).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from twisted.logger import Logger

from mailsys.interfaces import ConnectionEnded, FlagChange
from mailsys.read.imap import updates
from mailsys.read.imap.bodies import Streamed, Value, body_value, require_known
from mailsys.read.imap.known_items import LARGE_ITEMS, KnownItems
from mailsys.read.imap.reading import Large, Small
from mailsys.read.imap.session import CannotDo, IMAPSession
from mailsys.read.imap.vanished import vanished
from mailsys.wire.imap import responses
from mailsys.wire.imap.fetch import BodyItem, Fetch, Item
from mailsys.wire.imap.responses import Response, no

AT_ONCE = 500  # messages told in one go
AT_ONCE_LARGE = 100  # … with ENVELOPE and the like: mostly a kilobyte, but a stranger may make it 128 of each
AT_ONCE_READ = 16  # … whose files are read
SENT_AT_ONCE = 64 * 1024  # octets of rows and small messages; more wait until the client takes them
SEEN = frozenset({"\\Seen"})

_UNREADABLE = no("Some of the messages cannot be read for the moment", "UNAVAILABLE")

log = Logger(namespace="mailsys.read")


async def fetch(session: IMAPSession, command: Fetch) -> Response:
    """Tell what is wanted of each message, some at a time."""
    uids = await _wanted(session, command)
    if Item.MODSEQ in command.items:
        session.enabled.add("CONDSTORE")  # RFC 7162 3.1: asking for it is enabling
    telling = _Telling(session, command)
    session.dialogue.send_some(updates.new_keywords(session.open))
    for some in _slices(uids, telling.at_once):
        await telling.tell(some)
        if len(uids) > telling.at_once:
            await session.dialogue.give_way()
    return telling.response()


async def _wanted(session: IMAPSession, command: Fetch) -> Sequence[int]:
    """The messages; with CHANGEDSINCE those that changed, after those that have gone."""
    uids = session.find(command.messages, by_uid=command.by_uid)
    if command.changed_since is None:
        return uids
    session.enabled.add("CONDSTORE")
    if command.vanished:
        if not session.qresync:
            raise CannotDo(responses.bad("QRESYNC must be enabled first"))
        wanted = command.messages
        told = b"" if wanted.is_saved else await vanished(session.open, command.changed_since, wanted)
        session.dialogue.send_some(told)
    changed = set(session.folder.changed_since(command.changed_since))
    return [uid for uid in uids if uid in changed]


def _slices(uids: Sequence[int], length: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), length):
        yield uids[start : start + length]


def _rows(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Whole responses of these lines, some together."""
    rows: list[bytes] = []
    octets = 0
    for line in lines:
        rows.append(line)
        octets += len(line)
        if octets > SENT_AT_ONCE:
            yield b")\r\n".join([*rows, b""])
            rows, octets = [], 0
    if rows:
        yield b")\r\n".join([*rows, b""])


class _Telling:
    """One FETCH."""

    def __init__(self, session: IMAPSession, command: Fetch) -> None:
        self._session = session
        self._folder = session.folder
        self._items = [item for item in command.items if isinstance(item, Item)]
        self._bodies = [item for item in command.items if isinstance(item, BodyItem)]
        self._known = KnownItems(session, session.open)
        self._reading = session.open.reading(session.workers)
        self._marks = any(item.sets_seen for item in self._bodies) and not self._folder.read_only
        self._some_gone = self._some_unreadable = False
        self._unsent: list[bytes] = []
        self._unsent_octets = 0

    @property
    def at_once(self) -> int:
        """How many messages to tell in one go."""
        if self._bodies:
            return AT_ONCE_READ
        return AT_ONCE_LARGE if LARGE_ITEMS.intersection(self._items) else AT_ONCE

    def response(self) -> Response:
        """How it went."""
        if self._some_unreadable:
            return _UNREADABLE
        return responses.SOME_HAVE_GONE if self._some_gone else responses.DONE

    async def tell(self, uids: Sequence[int]) -> None:
        """Tell of these messages."""
        if self._bodies:
            await self._tell_with_bodies(uids)
            return
        lines = await self._known.lines(uids, self._items)
        there = [line for line in lines if line is not None]
        self._some_gone = self._some_gone or len(there) < len(lines)
        for rows in _rows(there):
            self._session.dialogue.send(rows)
            await self._session.dialogue.flow()

    # ------------------------------------------------------------------ what must be read

    async def _tell_with_bodies(self, uids: Sequence[int]) -> None:
        marked = await self._mark_read(uids) if self._marks else frozenset[int]()
        lines = dict(zip(uids, await self._known.lines(uids, self._items), strict=True))
        if marked:
            again = [uid for uid in uids if uid in marked]
            lines.update(zip(again, await self._known.lines(again, self._items_and_flags()), strict=True))
        try:
            for place, uid in enumerate(uids):
                await self._tell_body(uid, lines[uid], uids[place + 1 :])
        finally:
            self._reading.release()
            self._flush()

    async def _mark_read(self, uids: Sequence[int]) -> Collection[int]:
        """Set \\Seen, as these items do; return those where it was not, of which the client must hear."""
        unread = [uid for uid in uids if self._is_unread(uid)]
        if unread:
            await self._folder.store(unread, FlagChange.ADD, SEEN)
        return frozenset(unread)

    def _is_unread(self, uid: int) -> bool:
        try:
            return "\\Seen" not in self._folder.flags(uid)
        except KeyError:
            return False

    def _items_and_flags(self) -> Sequence[Item]:
        items = list(dict.fromkeys([*self._items, Item.FLAGS]))
        if self._session.condstore and Item.MODSEQ not in items:
            items.append(Item.MODSEQ)
        return items

    async def _tell_body(self, uid: int, line: bytes | None, following: Sequence[int]) -> None:
        try:
            message = await self._reading.read(uid, following)
            await require_known(message, self._bodies)
        except KeyError:
            self._some_gone = True
            return
        except OSError as error:
            log.error("A message cannot be read: {error}", error=error)
            self._some_unreadable = True
            return
        if line is None:
            self._some_gone = True
            return
        self._session.counts.fetched += 1
        await self._send(line if line.endswith(b"(") else line + b" ", message)

    async def _send(self, line: bytes, message: Small | Large) -> None:
        """Send the response of one message, with those before it when they are small.

        One item after the other, so that no more is held than one.  The client counts on what was begun:
        when it cannot be read, all we can do is to go.
        """
        self._unsent.append(line)
        self._unsent_octets += len(line)
        try:
            for place, item in enumerate(self._bodies):
                self._unsent.append(b" " + item.label if place else item.label)
                for value in await body_value(message, item):
                    await self._send_value(value)
                await self._session.dialogue.give_way_in_time()
        except OSError as error:
            log.error("A message became unreadable while it was sent: {error!r}", error=error)
            raise ConnectionEnded from error
        self._unsent.append(b")\r\n")

    async def _send_value(self, value: Value) -> None:
        if isinstance(value, Streamed):
            self._flush()
            async for piece in value.pieces:
                self._session.dialogue.send(piece)
                await self._session.dialogue.flow()
            return
        self._unsent.append(value)
        self._unsent_octets += len(value)
        if self._unsent_octets > SENT_AT_ONCE:
            self._flush()
            await self._session.dialogue.flow()

    def _flush(self) -> None:
        self._session.dialogue.send_some(b"".join(self._unsent))
        self._unsent, self._unsent_octets = [], 0
