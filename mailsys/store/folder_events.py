"""What happens to the messages of a folder, as an index remembers it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mailsys.interfaces import Flags


@dataclass(frozen=True, slots=True)
class Event:
    """Messages have these flags since ``modseq``; or, when ``flags`` is None, they have gone."""

    modseq: int
    flags: Flags | None
    uids: Sequence[int]


def events_of(modseq: int, messages: Iterable[tuple[int, Flags]]) -> list[Event]:
    """Messages that have had these flags since ``modseq``, by rising UID."""
    by_flags: dict[Flags, list[int]] = {}
    for uid, flags in messages:
        by_flags.setdefault(flags, []).append(uid)
    return [Event(modseq, flags, uids) for flags, uids in by_flags.items()]


@dataclass(slots=True)
class History:
    """What is known: flags and modseq by UID, and what has gone since ``expunges_since``.

    ``rows`` is how many the index has for it.
    """

    expunges_since: int
    messages: dict[int, tuple[int, Flags]] = field(default_factory=dict)
    expunged: list[tuple[int, Sequence[int]]] = field(default_factory=list)
    highest_modseq: int = 0
    rows: int = 0
