"""Parts of messages that are here already, for CATENATE (RFC 4469)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from mailsys.interfaces import FolderRefused, IFolder
from mailsys.message.content import Content, release
from mailsys.message.structure.parts import Part
from mailsys.message.structure.scan import scan
from mailsys.message.structure.sections import Span, read_wire, select_fields
from mailsys.read.imap.bodies import HEADER_OCTETS, span_of
from mailsys.read.imap.selected import Selected
from mailsys.read.imap.session import CannotDo, IMAPSession
from mailsys.wire.imap.fetch import Section, Text
from mailsys.wire.imap.responses import no
from mailsys.wire.imap.urls import BadUrl, MessageUrl, parse_url

MOST_URLS = 100  # of one command
MOST_KNOWN = 4  # messages, of which each may have many parts
TOO_MANY = no("There are too many URLs in one command", "LIMIT")
URL_CHARACTERS = 200  # of one that is named in a response


class UrlParts:
    """What the URLs of one command name.  The messages that were named last are not taken apart again."""

    def __init__(self, session: IMAPSession) -> None:
        self._session = session
        self._urls = 0
        self._known: dict[tuple[str, int | None, int], tuple[Content, Part]] = {}

    async def append(
        self, text: str, add: Callable[[bytes], Awaitable[None]], require_room: Callable[[int], None]
    ) -> None:
        """Add what the URL names to the message; raises CannotDo, OSError."""
        self._urls += 1
        if self._urls > MOST_URLS:
            raise CannotDo(TOO_MANY)
        await self._session.dialogue.give_way()
        try:
            url = parse_url(text)
            content, structure = await self._message(url)
        except (BadUrl, FolderRefused, KeyError):
            raise _bad_url(text) from None
        span = span_of(structure, url.section)
        if span is None:
            raise _bad_url(text)
        pieces, octets = _part(content, span, url)
        require_room(octets)
        while (piece := await self._session.workers.run(next, pieces, None)) is not None:
            await add(piece)

    async def _message(self, url: MessageUrl) -> tuple[Content, Part]:
        """It and its parts; raises BadUrl, FolderRefused, KeyError, OSError."""
        key = url.folder, url.uid_validity, url.uid
        known = self._known.pop(key, None)
        if known is None:
            content = await _content(self._session, url)
            known = content, await self._session.workers.run(scan, content)
        self._known[key] = known
        if len(self._known) > MOST_KNOWN:
            release(self._known.pop(next(iter(self._known)))[0])
        return known

    def release(self) -> None:
        """The command ends: hold no file of these messages open."""
        for content, _structure in self._known.values():
            release(content)
        self._known.clear()


def _bad_url(text: str) -> CannotDo:
    shown = text[:URL_CHARACTERS] if text.isascii() and text.isprintable() and "]" not in text else ""
    return CannotDo(no("That is not to be found here", f"BADURL {shown}".rstrip()))


async def _content(session: IMAPSession, url: MessageUrl) -> Content:
    """The message; raises BadUrl, FolderRefused, KeyError."""
    if not url.folder:
        if session.selected is None:
            raise BadUrl
        return await session.folder.content(url.uid)
    selected = Selected(lambda: None)
    await selected.open(session.folders, url.folder, read_only=True)
    try:
        return await _named(selected.folder, url)
    finally:
        selected.close()


async def _named(folder: IFolder, url: MessageUrl) -> Content:
    if url.uid_validity not in (None, folder.uid_validity):
        raise BadUrl
    return await folder.content(url.uid)


def _part(content: Content, span: Span, url: MessageUrl) -> tuple[Iterator[bytes], int]:
    """The octets of a section, and how many there are."""
    if url.section.fields:
        return _fields(content, span, url.section), min(span.octets, HEADER_OCTETS)
    left = max(0, span.octets - url.first)
    octets = left if url.octets is None else min(left, url.octets)
    return read_wire(content, span, url.first, octets), octets


def _fields(content: Content, span: Span, section: Section) -> Iterator[bytes]:
    header = b"".join(read_wire(content, span, 0, HEADER_OCTETS))
    yield select_fields(header, section.fields, without=section.text is Text.FIELDS_NOT)
