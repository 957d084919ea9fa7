"""FETCH: what the store knows of messages, and their octets (RFC 9051 6.4.5).

Also what changed since (RFC 7162), when it was saved (RFC 8514), and how it begins (RFC 8970).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from twisted.logger import Logger

from mailsys.interfaces import Column, ConnectionEnded, FlagChange
from mailsys.message.structure.strings import as_ascii, string
from mailsys.read.imap import updates
from mailsys.read.imap.bodies import Streamed, Value, body_value
from mailsys.read.imap.session import CannotDo, IMAPSession
from mailsys.read.imap.updates import FlagsRenderer
from mailsys.read.imap.vanished import vanished
from mailsys.wire.imap import responses
from mailsys.wire.imap.dates import render_date_time
from mailsys.wire.imap.fetch import BodyItem, Fetch, Item
from mailsys.wire.imap.responses import Response, no

AT_ONCE = 500  # messages told in one go
AT_ONCE_WITH_FORMS = 100  # … with ENVELOPE and the like, of which each takes a kilobyte or more
AT_ONCE_READ = 16  # … whose files are read
SEEN = frozenset({"\\Seen"})

_COLUMNS: Mapping[Item, Column] = {
    Item.INTERNAL_DATE: Column.INTERNAL_DATE,
    Item.SIZE: Column.WIRE_SIZE,
    Item.ENVELOPE: Column.ENVELOPE,
    Item.BODY: Column.BODY,
    Item.BODY_STRUCTURE: Column.BODY_STRUCTURE,
    Item.SAVE_DATE: Column.SAVE_DATE,
    Item.PREVIEW: Column.PREVIEW,
}
_FORMS = frozenset({Item.ENVELOPE, Item.BODY, Item.BODY_STRUCTURE, Item.PREVIEW})
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


class _Telling:
    """One FETCH."""

    def __init__(self, session: IMAPSession, command: Fetch) -> None:
        self._session = session
        self._selected = session.open
        self._folder = session.folder
        self._items = [item for item in command.items if isinstance(item, Item)]
        self._bodies = [item for item in command.items if isinstance(item, BodyItem)]
        self._columns = [_COLUMNS[item] for item in self._items if item in _COLUMNS]
        self._reading = self._selected.reading(session.workers)
        self._flags = FlagsRenderer(session, self._folder)
        self._marks = any(item.sets_seen for item in self._bodies) and not self._folder.read_only
        self._some_gone = self._some_unreadable = False

    @property
    def at_once(self) -> int:
        """How many messages to tell in one go."""
        if self._bodies:
            return AT_ONCE_READ
        return AT_ONCE_WITH_FORMS if _FORMS.intersection(self._items) else AT_ONCE

    def response(self) -> Response:
        """How it went."""
        if self._some_unreadable:
            return _UNREADABLE
        return responses.SOME_HAVE_GONE if self._some_gone else responses.DONE

    async def tell(self, uids: Sequence[int]) -> None:
        """Tell of these messages."""
        known = await self._folder.columns(uids, self._columns) if self._columns else ()
        if self._bodies:
            for place, uid in enumerate(uids):
                values = [column[place] for column in known]
                await self._tell_with_bodies(uid, values, uids[place + 1 :])
            return
        lines = []
        for place, uid in enumerate(uids):
            line = self._line(uid, iter([column[place] for column in known]), self._items)
            if line is not None:
                lines.append(b"%b)\r\n" % line)
        self._session.dialogue.send_some(b"".join(lines))

    # ------------------------------------------------------------------ what is known

    def _line(self, uid: int, values: Iterator[Any], items: Iterable[Item]) -> bytes | None:
        """The response without its end; None when the message has gone."""
        number = self._selected.view.number(uid)
        try:
            words = [self._word(item, uid, values) for item in items]
        except KeyError:
            self._some_gone = True
            return None
        return b"* %d FETCH (%b" % (number or 0, b" ".join(words))

    def _word(self, item: Item, uid: int, values: Iterator[Any]) -> bytes:
        match item:
            case Item.UID:
                return b"UID %d" % uid
            case Item.FLAGS:
                self._selected.view.forget_reflagged((uid,))
                return b"FLAGS " + self._flags(uid)
            case Item.MODSEQ:
                return b"MODSEQ (%d)" % self._folder.modseq(uid)
        value = next(values)
        if value is None and item is not Item.SAVE_DATE:
            raise KeyError(uid)
        return b"%b %b" % (item.value.encode(), _RENDER[item](value, self._session.utf8))

    # ------------------------------------------------------------------ what must be read

    async def _tell_with_bodies(self, uid: int, values: Sequence[Any], following: Sequence[int]) -> None:
        try:
            message = await self._reading.read(uid, following)
            bodies = [(item, await body_value(message, item)) for item in self._bodies]
        except KeyError:
            self._some_gone = True
            return
        except OSError as error:
            log.error("A message cannot be read: {error}", error=error)
            self._some_unreadable = True
            return
        line = self._line(uid, iter(values), await self._mark_read(uid))
        if line is None:
            return
        self._session.counts.fetched += 1
        await self._send(line if line.endswith(b"(") else line + b" ", bodies)

    async def _mark_read(self, uid: int) -> Sequence[Item]:
        """Set \\Seen where this FETCH does; flags that have changed by it are told."""
        try:
            if not self._marks or "\\Seen" in self._folder.flags(uid):
                return self._items
        except KeyError:
            return self._items
        await self._folder.store([uid], FlagChange.ADD, SEEN)
        items = [*self._items, *(item for item in (Item.FLAGS,) if item not in self._items)]
        if self._session.condstore and Item.MODSEQ not in items:
            items.append(Item.MODSEQ)
        return items

    async def _send(self, line: bytes, bodies: Sequence[tuple[BodyItem, Sequence[Value]]]) -> None:
        unsent = [line]
        for place, (item, values) in enumerate(bodies):
            unsent.append(b" " + item.label if place else item.label)
            for value in values:
                if isinstance(value, bytes):
                    unsent.append(value)
                    continue
                self._session.dialogue.send(b"".join(unsent))
                unsent = []
                await self._send_streamed(value)
        unsent.append(b")\r\n")
        self._session.dialogue.send(b"".join(unsent))
        await self._session.dialogue.flow()

    async def _send_streamed(self, value: Streamed) -> None:
        """The client counts on these octets: when they cannot be read, all we can do is to go."""
        try:
            async for piece in value.pieces:
                self._session.dialogue.send(piece)
                await self._session.dialogue.flow()
        except OSError as error:
            log.error("A message became unreadable while it was sent: {error!r}", error=error)
            raise ConnectionEnded from error


def _form(value: bytes, utf8: bool) -> bytes:
    return value if utf8 else as_ascii(value)


def _moment(value: float | None, utf8: bool) -> bytes:
    return b"NIL" if value is None else render_date_time(int(value))


_RENDER: Mapping[Item, Callable[[Any, bool], bytes]] = {
    Item.INTERNAL_DATE: _moment,
    Item.SAVE_DATE: _moment,
    Item.SIZE: lambda value, utf8: b"%d" % value,
    Item.ENVELOPE: _form,
    Item.BODY: _form,
    Item.BODY_STRUCTURE: _form,
    Item.PREVIEW: lambda value, utf8: _form(string(value.encode()), utf8),
}
