"""Sets of UIDs as text, in the form of IMAP: ``1:100,205``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

HIGHEST = 2**32 - 1
MOST = 10_000_000

_PIECE = re.compile(r"([0-9]{1,10})(?::([0-9]{1,10}))?")


def render(uids: Iterable[int]) -> str:
    """The UIDs, which rise, in as few words as can be."""
    pieces: list[str] = []
    first = last = -1
    for uid in uids:
        if uid == last + 1:
            last = uid
            continue
        if first >= 0:
            pieces.append(_piece(first, last))
        first = last = uid
    if first >= 0:
        pieces.append(_piece(first, last))
    return ",".join(pieces)


def parse(text: str) -> Iterator[int]:
    """The UIDs of such a text; raises ValueError, also for more of them than a folder can have."""
    left = MOST
    for piece in text.split(",") if text else ():
        match = _PIECE.fullmatch(piece)
        if match is None:
            raise ValueError("this is no set of UIDs")
        first, last = int(match[1]), int(match[2] or match[1])
        left -= last - first + 1
        if left < 0 or last > HIGHEST:
            raise ValueError("so many UIDs cannot be")
        yield from range(first, last + 1)


def _piece(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}:{last}"
