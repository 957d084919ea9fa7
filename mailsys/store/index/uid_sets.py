"""Sets of UIDs as text, in the form of IMAP: ``1:100,205``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


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
    """The UIDs of such a text; raises ValueError."""
    for piece in text.split(",") if text else ():
        first, colon, last = piece.partition(":")
        if colon:
            yield from range(int(first), int(last) + 1)
        else:
            yield int(first)


def _piece(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}:{last}"
