"""SORT: the order of messages (RFC 5256 3, RFC 5957 3).

Sorting is done in a thread, in chunks that are then merged.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mailsys.interfaces import Column
from mailsys.read.imap.search.finder import Finder
from mailsys.wire.imap.search import Criterion

T = TypeVar("T")

CHUNK = 4_000

_COLUMNS = {
    Criterion.ARRIVAL: Column.INTERNAL_DATE,
    Criterion.CC: Column.SORT_CC,
    Criterion.FROM: Column.SORT_FROM,
    Criterion.SIZE: Column.WIRE_SIZE,
    Criterion.SUBJECT: Column.BASE_SUBJECT,
    Criterion.TO: Column.SORT_TO,
    Criterion.DISPLAY_FROM: Column.DISPLAY_FROM,
    Criterion.DISPLAY_TO: Column.DISPLAY_TO,
}
_NUMBERS = (Criterion.ARRIVAL, Criterion.SIZE)


async def sort(finder: Finder, uids: Sequence[int], criteria: Sequence[tuple[Criterion, bool]]) -> list[int]:
    """The UIDs, given rising, in the order of the criteria; what is equal stays in the folder's."""
    keys = [(await _values(finder, uids, criterion), reverse) for criterion, reverse in criteria]
    return await finder.workers.run(_order, uids, keys)


def _order(uids: Sequence[int], keys: Sequence[tuple[Sequence[Any], bool]]) -> list[int]:
    places = list(range(len(uids)))
    for values, reverse in reversed(keys):
        places = sort_in_chunks(places, values.__getitem__, reverse=reverse)
    return [uids[place] for place in places]


def sort_in_chunks(items: Sequence[T], key: Callable[[T], Any], *, reverse: bool = False) -> list[T]:
    """As ``sorted`` does; that one, with much to sort, lets no other thread run for too long."""
    starts = range(0, len(items), CHUNK)
    chunks = [sorted(items[start : start + CHUNK], key=key, reverse=reverse) for start in starts]
    return chunks[0] if len(chunks) == 1 else list(heapq.merge(*chunks, key=key, reverse=reverse))


async def sent_dates(finder: Finder, uids: Sequence[int]) -> list[float]:
    """When each was sent, or else when it came (RFC 5256 2.2)."""
    sent = await finder.column(Column.SENT, uids)
    without = [uid for uid, value in zip(uids, sent, strict=True) if value is None]
    came = dict(zip(without, await finder.column(Column.INTERNAL_DATE, without), strict=True))
    return [came.get(uid) or 0.0 if value is None else value for uid, value in zip(uids, sent, strict=True)]


async def _values(finder: Finder, uids: Sequence[int], criterion: Criterion) -> Sequence[Any]:
    if criterion is Criterion.DATE:
        return await sent_dates(finder, uids)
    nothing: Any = 0 if criterion in _NUMBERS else ""
    values = await finder.column(_COLUMNS[criterion], uids)
    return [nothing if value is None else value for value in values]
