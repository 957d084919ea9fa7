"""Which messages have gone since a client was here last (RFC 7162 3.2.5 and 3.2.6)."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from mailsys.read.imap.selected import Selected
from mailsys.wire.imap.folder_commands import Known
from mailsys.wire.imap.sequence import SequenceSet, render_set

MOST_GAPS = 100_000  # UIDs named one by one; beyond, only ranges of known ones help


async def vanished_since(selected: Selected, known: Known) -> bytes:
    """VANISHED (EARLIER), for a client that opens a folder again."""
    wanted = known.uids
    if wanted is None:
        wanted = SequenceSet(((1, selected.folder.uid_next - 1),)) if selected.folder.uid_next > 1 else None
    if wanted is None:
        return b""
    start = _agreed(selected, known)
    return await vanished(selected, known.modseq, wanted, above=start)


async def vanished(selected: Selected, modseq: int, wanted: SequenceSet, *, above: int = 0) -> bytes:
    """VANISHED (EARLIER) with those of the wanted UIDs that have gone after ``modseq``.

    When that is not remembered so far back, with all of them that are not there: more than needed, and right.
    """
    intervals = wanted.intervals(max(selected.folder.uid_next - 1, 1))
    gone = await selected.folder.expunged_since(modseq)
    if gone is None:
        text = _gaps(selected.folder.uids, intervals, above, selected.folder.uid_next)
    else:
        text = render_set(uid for uid in gone if uid > above and _is_within(uid, intervals))
    return b"* VANISHED (EARLIER) %b\r\n" % text if text else b""


def _is_within(uid: int, intervals: Sequence[tuple[int, int]]) -> bool:
    place = bisect_left(intervals, (uid + 1, 0)) - 1
    return place >= 0 and intervals[place][0] <= uid <= intervals[place][1]


def _gaps(present: Sequence[int], intervals: Iterable[tuple[int, int]], above: int, uid_next: int) -> bytes:
    """The UIDs of these intervals that are not present, as a set."""
    ranges: list[str] = []
    for low, high in intervals:
        low, high = max(low, above + 1), min(high, uid_next - 1)
        place = bisect_left(present, low)
        while low <= high:
            there = present[place] if place < len(present) else high + 1
            if there > low:
                last = min(there - 1, high)
                ranges.append(f"{low}" if low == last else f"{low}:{last}")
            low, place = there + 1, place + 1
    return ",".join(ranges).encode()


def _agreed(selected: Selected, known: Known) -> int:
    """The UID up to which the client's sample shows that it knows all: numbers and UIDs still agree."""
    if known.numbers is None or known.number_uids is None:
        return 0
    numbers, uids = _expanded(known.numbers), _expanded(known.number_uids)
    agreed = 0
    for number, uid in zip(numbers, uids, strict=False):
        if selected.view.number(uid) != number:
            break
        agreed = uid
    return agreed


def _expanded(numbers: SequenceSet) -> Sequence[int]:
    """One by one, up to a bound: what is beyond it is a sample that we do not need."""
    found = array("Q")
    for low, high in numbers.intervals(0):
        found.extend(range(low, min(high, low + MOST_GAPS - len(found)) + 1))
        if len(found) >= MOST_GAPS:
            break
    return found
