"""What the store knows of messages without reading them, as the beginning of FETCH responses.

It is put together column by column, some hundred messages at a time: for FLAGS of a large folder there is
one format and a row of values a message, and nothing is asked for each item of each message.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mailsys.interfaces import Column, IFolder
from mailsys.message.structure.strings import as_ascii, string
from mailsys.read.imap.selected import Selected
from mailsys.read.imap.session import IMAPSession
from mailsys.read.imap.updates import FlagsRenderer
from mailsys.wire.imap.dates import render_date_time
from mailsys.wire.imap.fetch import Item

_COLUMNS: Mapping[Item, Column] = {
    Item.INTERNAL_DATE: Column.INTERNAL_DATE,
    Item.SIZE: Column.WIRE_SIZE,
    Item.ENVELOPE: Column.ENVELOPE,
    Item.BODY: Column.BODY,
    Item.BODY_STRUCTURE: Column.BODY_STRUCTURE,
    Item.SAVE_DATE: Column.SAVE_DATE,
    Item.PREVIEW: Column.PREVIEW,
}
LARGE_ITEMS = frozenset({Item.ENVELOPE, Item.BODY, Item.BODY_STRUCTURE, Item.PREVIEW})
_FORMATS: Mapping[Item, bytes] = {
    Item.UID: b"UID %d",
    Item.MODSEQ: b"MODSEQ (%d)",
    Item.SIZE: b"RFC822.SIZE %d",
}


class KnownItems:
    """Items of messages in the selected folder."""

    def __init__(self, session: IMAPSession, selected: Selected) -> None:
        self._selected = selected
        self._folder: IFolder = selected.folder
        self._utf8 = session.utf8
        self._flags = FlagsRenderer(session, selected.folder)

    async def lines(self, uids: Sequence[int], items: Sequence[Item]) -> list[bytes | None]:
        """``* n FETCH (item …`` for each message, without its end; None for one that has gone."""
        wanted = [_COLUMNS[item] for item in items if item in _COLUMNS]
        known = iter(await self._folder.columns(uids, wanted) if wanted else ())
        columns = [self._column(item, uids, known) for item in items]
        beginning = b"* %d FETCH (" + b" ".join([_FORMATS.get(item, _format(item)) for item in items])
        if not columns:
            return [beginning % number for number in self._numbers(uids)]
        rows = zip(self._numbers(uids), *columns, strict=True)
        if any(None in column for column in columns):
            return [None if None in row else beginning % row for row in rows]
        return [beginning % row for row in rows]

    def _numbers(self, uids: Sequence[int]) -> Sequence[int]:
        """Message numbers; most often those of one stretch of the folder."""
        all_uids = self._selected.view.uids
        first = bisect_left(all_uids, uids[0])
        if all_uids[first : first + len(uids)].tolist() == list(uids):
            return range(first + 1, first + 1 + len(uids))
        return [bisect_left(all_uids, uid) + 1 for uid in uids]

    def _column(self, item: Item, uids: Sequence[int], known: Any) -> Sequence[Any]:
        match item:
            case Item.UID:
                return uids
            case Item.FLAGS:
                self._selected.view.forget_reflagged(uids)
                return self._flags.column(uids)
            case Item.MODSEQ:
                return [self._modseq(uid) for uid in uids]
            case Item.SIZE:
                return next(known)
        render, utf8 = _RENDER[item], self._utf8
        return [render(value, utf8) for value in next(known)]

    def _modseq(self, uid: int) -> int | None:
        try:
            return self._folder.modseq(uid)
        except KeyError:
            return None


def _format(item: Item) -> bytes:
    return item.value.encode() + b" %b"


def _form(value: bytes | None, utf8: bool) -> bytes | None:
    return value if utf8 or value is None else as_ascii(value)


def _preview(value: str | None, utf8: bool) -> bytes | None:
    return None if value is None else _form(string(value.encode()), utf8)


def _date(value: float | None, utf8: bool) -> bytes | None:
    return None if value is None else render_date_time(int(value))


def _save_date(value: float | None, utf8: bool) -> bytes:
    """RFC 8514 4.2: NIL where the store cannot tell."""
    return _date(value, utf8) or b"NIL"


_RENDER: Mapping[Item, Callable[[Any, bool], bytes | None]] = {
    Item.INTERNAL_DATE: _date,
    Item.SAVE_DATE: _save_date,
    Item.ENVELOPE: _form,
    Item.BODY: _form,
    Item.BODY_STRUCTURE: _form,
    Item.PREVIEW: _preview,
}
