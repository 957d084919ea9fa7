"""APPEND: messages from the client into a folder (RFC 9051 6.3.12, RFC 3502, RFC 4469, RFC 7889)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from twisted.logger import Logger

from mailsys.interfaces import FolderFault, FolderRefused, ICollector, NewMessage
from mailsys.read.imap.catenate import UrlParts
from mailsys.read.imap.faults import refusal
from mailsys.read.imap.session import CannotDo, IMAPSession
from mailsys.wire.imap import responses
from mailsys.wire.imap.append import (
    Append,
    AppendEnds,
    LiteralStarts,
    MessageEnds,
    MessageStarts,
    Octets,
    UrlPart,
)
from mailsys.wire.imap.events import Rejected
from mailsys.wire.imap.responses import Response, no, ok
from mailsys.wire.imap.sequence import render_set

MOST_MESSAGES = 1000  # of one command
MOST_TIMES = 4  # of the largest message, in all of one command
URL_OCTETS = 4096
EVENTS_AT_ONCE = 100  # before others get their turn

log = Logger(namespace="mailsys.read")


class _Answered(Exception):  # noqa: N818 - it is an event
    """The client has made a mistake and was told of it."""


@dataclass(slots=True)
class _Taken:
    """A message that has come, or is coming."""

    starts: MessageStarts
    collector: ICollector


@dataclass(slots=True)
class Appending:
    """The messages of one command."""

    session: IMAPSession
    taken: list[_Taken] = field(default_factory=list)
    octets: int = 0
    urls: UrlParts = field(init=False)

    def __post_init__(self) -> None:
        self.urls = UrlParts(self.session)

    async def take(self) -> None:
        """Take all that the client sends; raises CannotDo, OSError, and _Answered."""
        for count in itertools.count(1):
            if count % EVENTS_AT_ONCE == 0:
                await self.session.dialogue.give_way()
            event = await self.session.dialogue.next_of_append()
            match event:
                case Rejected():
                    raise _Answered
                case MessageStarts():
                    self._begin(event)
                case LiteralStarts(octets, is_url):
                    await self._literal(octets, is_url=is_url)
                case UrlPart(url):
                    await self._url(url)
                case MessageEnds() if not self.taken[-1].collector.size:
                    raise CannotDo(no("A message cannot be empty", "CANNOT"))
                case AppendEnds():
                    return

    def _begin(self, starts: MessageStarts) -> None:
        if len(self.taken) >= MOST_MESSAGES:
            raise CannotDo(responses.TOO_MANY_MESSAGES)
        self.taken.append(_Taken(starts, self.session.incoming.collector()))

    async def _literal(self, octets: int, *, is_url: bool) -> None:
        if is_url and octets > URL_OCTETS:
            raise CannotDo(no("The URL is too long", "TOOBIG"))
        if not is_url:
            self._require_room(octets)
        dialogue = self.session.dialogue
        dialogue.send_some(dialogue.machine.accept_literal())
        if is_url:
            await self._url((await self._read(octets)).decode("ascii", "replace"))
            return
        left = octets
        while left:
            left -= len(piece := await self._piece())
            await self._add(piece)

    async def _read(self, octets: int) -> bytes:
        read = b""
        while len(read) < octets:
            read += await self._piece()
        return read

    async def _piece(self) -> bytes:
        event = await self.session.dialogue.next_of_append()
        if isinstance(event, Octets):
            return event.data
        raise _Answered

    async def _url(self, url: str) -> None:
        await self.urls.append(url, self._add, self._require_room)

    def _require_room(self, octets: int) -> None:
        """Before octets come: may they?"""
        most = self.session.incoming.message_octets
        if self.taken[-1].collector.size + octets > most:
            raise CannotDo(responses.MESSAGE_TOO_BIG)
        self.octets += octets
        if self.octets > MOST_TIMES * most:
            raise CannotDo(no("The messages are too large together", "LIMIT"))
        if not self.session.incoming.space.has_room_for(self.octets):
            raise CannotDo(no("The disk is full", "UNAVAILABLE"))

    async def _add(self, piece: bytes) -> None:
        await self.taken[-1].collector.add(piece)

    async def messages(self) -> list[NewMessage]:
        """All of them, for the store; raises OSError."""
        now = self.session.now()
        return [
            NewMessage(
                await one.collector.finish(),
                one.starts.flags,
                now if one.starts.date is None else one.starts.date,
            )
            for one in self.taken
        ]

    async def discard(self) -> None:
        """Forget the messages; a file that cannot be removed is removed at the next start."""
        self.urls.release()
        for one in self.taken:
            try:
                await one.collector.discard()
            except OSError as error:
                log.error("What came with APPEND cannot be removed: {error}", error=error)


async def append(session: IMAPSession, command: Append) -> Response | None:
    """Take the messages and put them into the folder, all or none; None when the client has its answer."""
    appending = Appending(session)
    try:
        await _require_folder(session, command.folder)
        await appending.take()
        return await _place(session, command, await appending.messages())
    except _Answered:
        return None
    except FolderRefused as refused:
        return refusal(refused, is_target=True)
    finally:
        session.dialogue.machine.refuse_append()  # of which nothing may be left when all has come
        await appending.discard()


async def _require_folder(session: IMAPSession, name: str) -> None:
    """Who would send megabytes to a folder that is not there hears it before, the first time."""
    if name in session.met:
        return
    if not any(entry.name == name and entry.exists for entry in await session.folders.list()):
        raise FolderRefused(FolderFault.NONEXISTENT)
    session.met.add(name)


async def _place(session: IMAPSession, command: Append, messages: list[NewMessage]) -> Response:
    try:
        placed = await session.folders.append(command.folder, messages)
    except FolderRefused:
        session.met.discard(command.folder)
        raise
    session.counts.appended += len(placed.uids)
    return ok("Appended", f"APPENDUID {placed.uid_validity} {render_set(placed.uids).decode()}")
