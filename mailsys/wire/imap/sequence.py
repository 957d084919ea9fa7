"""Sets of messages, by number or by UID (RFC 9051 9: ``sequence-set``)."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LARGEST = 2**32 - 1
_RANGE = rb"(?:[1-9]\d{0,9}|\*)(?::(?:[1-9]\d{0,9}|\*))?"
_SET = re.compile(_RANGE + rb"(?:," + _RANGE + rb")*")


class BadSet(ValueError):  # noqa: N818 - the client is told, nothing is wrong here
    """This is no set of messages."""


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Ranges as the client wrote them; None is ``*``, the last one.

    ``is_saved`` is ``$``: what the last SEARCH has saved (RFC 5182).
    """

    ranges: tuple[tuple[int | None, int | None], ...]
    is_saved: bool = False

    def intervals(self, last: int) -> list[tuple[int, int]]:
        """Ranges in order that neither meet nor overlap, however often the client repeats itself."""
        ends = [(last if a is None else a, last if b is None else b) for a, b in self.ranges]
        merged: list[tuple[int, int]] = []
        for low, high in sorted([(min(pair), max(pair)) for pair in ends]):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = merged[-1][0], max(high, merged[-1][1])
            else:
                merged.append((low, high))
        return merged


SAVED = SequenceSet((), is_saved=True)


def parse_sequence_set(text: bytes) -> SequenceSet:
    """Read a set; raises BadSet."""
    if text == b"$":
        return SAVED
    if not _SET.fullmatch(text):
        raise BadSet
    return SequenceSet(tuple([_range(part) for part in text.split(b",")]))


def _range(part: bytes) -> tuple[int | None, int | None]:
    first, colon, second = part.partition(b":")
    start = _number(first)
    return start, _number(second) if colon else start


def _number(digits: bytes) -> int | None:
    if digits == b"*":
        return None
    number = int(digits)
    if number > LARGEST:
        raise BadSet
    return number


def by_number(wanted: SequenceSet, uids: Sequence[int]) -> list[int]:
    """The UIDs of messages by their numbers; raises BadSet for a number that no message has."""
    if not uids:
        raise BadSet
    found: list[int] = []
    for low, high in wanted.intervals(len(uids)):
        if high > len(uids):
            raise BadSet
        found.extend(uids[low - 1 : high])
    return found


def by_uid(wanted: SequenceSet, uids: Sequence[int]) -> list[int]:
    """The UIDs among these that are meant; others in the set mean nothing (RFC 9051 6.4.9)."""
    if not uids:
        return []
    found: list[int] = []
    for low, high in wanted.intervals(uids[-1]):
        found.extend(uids[bisect_left(uids, low) : bisect_right(uids, high)])
    return found


def render_set(numbers: Iterable[int]) -> bytes:
    """Numbers as a set, in their order; those that rise by one become a range."""
    parts: list[str] = []
    start = last = 0
    for number in numbers:
        if number == last + 1 and start:
            last = number
            continue
        if start:
            parts.append(f"{start}" if start == last else f"{start}:{last}")
        start = last = number
    if start:
        parts.append(f"{start}" if start == last else f"{start}:{last}")
    return ",".join(parts).encode()
