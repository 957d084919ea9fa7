"""Which messages of a folder a search means (RFC 9051 6.4.4).

Keys are asked in the order of their cost, each only about messages that all before it have left, and
long work gives way to others after each slice.  What has gone meanwhile is not found.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from datetime import date
from typing import Any

from mailsys.interfaces import Column, IFolder, IWorkers
from mailsys.message.content import Content
from mailsys.message.headers import parse_headers
from mailsys.message.structure.describe import field_text
from mailsys.message.structure.scan import scan
from mailsys.message.structure.search_text import find_texts
from mailsys.read.imap.search.texts import Messages
from mailsys.read.imap.view import View
from mailsys.wire.imap.search_keys import (
    Aged,
    Among,
    Both,
    Changed,
    Dated,
    Day,
    Either,
    Everything,
    Flagged,
    InHeader,
    InText,
    Key,
    Not,
    Relation,
    Sized,
)

FLAGS_AT_ONCE = 5_000
COLUMNS_AT_ONCE = 2_000
MANY = 100  # messages, of which it is better to ask for all of the folder
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_SECONDS = 86_400
_RECENT = "\\Recent"
_FIELDS = {
    b"from": Column.FROM,
    b"to": Column.TO,
    b"cc": Column.CC,
    b"bcc": Column.BCC,
    b"subject": Column.SUBJECT,
}
_DAYS = {Day.INTERNAL: Column.INTERNAL_DATE, Day.SENT: Column.SENT_DAY, Day.SAVED: Column.SAVE_DATE}
_COST = {Everything: 0, Among: 0, Changed: 1, Flagged: 2, Aged: 3, Dated: 3, Sized: 3, InHeader: 5, InText: 6}

GiveWay = Callable[[], Awaitable[None]]


class Finder:
    """Looks into ``folder`` as the client of ``view`` knows it; ``now`` is in seconds since 1970."""

    def __init__(self, folder: IFolder, view: View, workers: IWorkers, give_way: GiveWay, now: float) -> None:
        self.folder = folder
        self.workers = workers
        self._give_way = give_way
        self._view = view
        self._messages = Messages(folder, workers, give_way)
        self._now = now

    def all(self) -> list[int]:
        """UIDs of what the client knows and is there."""
        gone = self._view.gone
        return [uid for uid in self._view.uids if uid not in gone] if gone else list(self._view.uids)

    async def find(self, key: Key, uids: Sequence[int]) -> list[int]:
        """Those of the rising UIDs that the key means; as deep as keys are nested.  Raises OSError."""
        match key:
            case Everything():
                return list(uids)
            case Both(keys):
                for inner in sorted(keys, key=_cost):
                    uids = await self.find(inner, uids)
                return list(uids)
            case Either(first, second):
                found = set(await self.find(first, uids))
                rest = [uid for uid in uids if uid not in found]
                found.update(await self.find(second, rest))
                return [uid for uid in uids if uid in found]
            case Not(inner):
                found = set(await self.find(inner, uids))
                return [uid for uid in uids if uid not in found]
            case Among():
                return self._among(key, uids)
            case Flagged(flag):
                return await self._flagged(flag, uids)
            case Changed(modseq):
                changed = set(self.folder.changed_since(modseq - 1))
                return [uid for uid in uids if uid in changed]
            case _:
                return await self._by_content(key, uids)

    async def _by_content(
        self, key: Dated | Aged | Sized | InHeader | InText, uids: Sequence[int]
    ) -> list[int]:
        match key:
            case Dated():
                return await self._where(_DAYS[key.which], _day_test(key), uids)
            case Aged(younger, seconds):
                then = self._now - seconds
                test = then.__le__ if younger else then.__ge__
                return await self._where(Column.INTERNAL_DATE, test, uids)
            case Sized(larger, octets):
                return await self._where(Column.WIRE_SIZE, octets.__lt__ if larger else octets.__gt__, uids)
            case InHeader():
                return await self._in_header(key, uids)
            case InText():
                return await self._in_text(key, uids)

    # What the session knows

    def _among(self, key: Among, uids: Sequence[int]) -> list[int]:
        """Numbers that no message has mean nothing, as in Dovecot."""
        wanted = key.messages
        if wanted.is_saved:
            saved = set(self._view.saved)
            return [uid for uid in uids if uid in saved]
        known = self._view.uids
        if not known:
            return []
        found: list[int] = []
        for low, high in wanted.intervals(known[-1] if key.by_uid else len(known)):
            if not key.by_uid:
                if low > len(known):
                    continue
                low, high = known[low - 1], known[min(high, len(known)) - 1]
            found += uids[bisect_left(uids, low) : bisect_right(uids, high)]
        return found

    async def _flagged(self, flag: str, uids: Sequence[int]) -> list[int]:
        if flag == _RECENT:
            recent = set(self.folder.recent)
            return [uid for uid in uids if uid in recent]
        spelled = {known for known in self.folder.keywords if known.lower() == flag.lower()} | {flag}
        found: list[int] = []
        async for some in self._slices(uids, FLAGS_AT_ONCE):
            found += self._with_flag(spelled, some)
        return found

    def _with_flag(self, spelled: Collection[str], uids: Sequence[int]) -> Iterator[int]:
        for uid in uids:
            try:
                if not self.folder.flags(uid).isdisjoint(spelled):
                    yield uid
            except KeyError:
                pass  # it has gone

    async def _slices(self, uids: Sequence[int], at_once: int) -> Any:
        for start in range(0, len(uids), at_once):
            if start:
                await self._give_way()
            yield uids[start : start + at_once]

    # What the store knows

    async def column(self, column: Column, uids: Sequence[int]) -> list[Any]:
        """The values in the order of the UIDs; None for what has gone."""
        values: list[Any] = []
        async for some in self._slices(uids, COLUMNS_AT_ONCE):
            values += (await self.folder.columns(some, [column]))[0]
        return values

    async def _where(self, column: Column, test: Callable[[Any], Any], uids: Sequence[int]) -> list[int]:
        found: list[int] = []
        async for some in self._slices(uids, COLUMNS_AT_ONCE):
            [values] = await self.folder.columns(some, [column])
            rows = zip(some, values, strict=True)
            found += [uid for uid, value in rows if value is not None and test(value)]
        return found

    # What is in messages

    async def _in_header(self, key: InHeader, uids: Sequence[int]) -> list[int]:
        name, needle = key.name, key.needle
        if name == b"message-id" and needle:
            return await self._by_message_id(needle, uids)
        if name in _FIELDS and needle:
            return await self._in_field(_FIELDS[name], needle, uids)

        def look(octets: bytes, _content: Content) -> bool:
            headers = parse_headers(octets)
            return headers.count(name) > 0 and needle in field_text(headers, name)

        return await self._messages.where(await self._perhaps(needle, uids), look, header_only=True)

    async def _in_field(self, column: Column, needle: str, uids: Sequence[int]) -> list[int]:
        containing = await self.folder.containing(column, needle) if len(uids) > MANY else None
        if containing is None:
            return await self._where(column, lambda text: needle in text, uids)
        found = set(containing)
        return [uid for uid in uids if uid in found]

    async def _perhaps(self, needle: str, uids: Sequence[int]) -> list[int]:
        """Those that the index of words does not exclude."""
        holding = await self.folder.holding(needle, in_header=True, learn=False) if needle else None
        if holding is None:
            return list(uids)
        candidates = {*holding.certain, *holding.possible}
        return [uid for uid in uids if uid in candidates]

    async def _by_message_id(self, needle: str, uids: Sequence[int]) -> list[int]:
        """Clients look for their own messages in this way; those without a proper one are read."""
        ids = await self.column(Column.MESSAGE_ID, uids)
        found = [uid for uid, id_ in zip(uids, ids, strict=True) if id_ and needle in f"<{id_.upper()}>"]
        none = [uid for uid, id_ in zip(uids, ids, strict=True) if id_ == ""]

        def look(octets: bytes, _content: Content) -> bool:
            return needle in field_text(parse_headers(octets), b"message-id")

        return sorted(found + await self._messages.where(none, look, header_only=True))

    async def _in_text(self, key: InText, uids: Sequence[int]) -> list[int]:
        needle = key.needle
        if not needle:
            return list(uids)
        holding = await self.folder.holding(needle, in_header=key.with_header)
        certain, rest = set[int](), uids
        if holding is not None:
            certain, possible = set(holding.certain), set(holding.possible)
            rest = [uid for uid in uids if uid in possible and uid not in certain]
        in_text, in_body = ({needle}, ()) if key.with_header else ((), {needle})

        def look(_header: bytes, content: Content) -> bool:
            return any(find_texts(content, scan(content), in_text, in_body))

        certain.update(await self._messages.where(rest, look))
        return [uid for uid in uids if uid in certain]


def _cost(key: Key) -> int:
    match key:
        case Both(keys):
            return max(map(_cost, keys))
        case Either(first, second):
            return max(_cost(first), _cost(second))
        case Not(inner):
            return _cost(inner)
        case _:
            return _COST[type(key)]


def _day_test(key: Dated) -> Callable[[Any], bool]:
    """INTERNALDATE is told in UTC, so its days are those of UTC."""
    wanted, which = key.day, key.which

    def day(value: float) -> int:
        return int(value) if which is Day.SENT else int(value // _DAY_SECONDS) + _EPOCH

    match key.relation:
        case Relation.BEFORE:
            return lambda value: day(value) < wanted
        case Relation.ON:
            return lambda value: day(value) == wanted
        case Relation.SINCE:
            return lambda value: day(value) >= wanted
