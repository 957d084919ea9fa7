"""Flags as stores keep them, and what a STORE makes of them.

Flags are compared without regard to case (RFC 9051 2.3.2): system flags have one spelling, and a
keyword keeps the one in which it was first set.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mailsys.interfaces import FlagChange, Flags, FolderFault, FolderRefused
from mailsys.store.messages import Messages

SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")
# RFC 9051 9: a keyword is an atom.
_KEYWORD = re.compile(r"[^\s\\(){%*\"\]\x00-\x1f\x7f-\U0010ffff]{1,255}")
_SYSTEM = {flag.lower(): flag for flag in SYSTEM_FLAGS}


class Keywords:
    """The keywords of a folder, each in its first spelling, in the order in which they came."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known = {keyword.lower(): keyword for keyword in known}

    def __iter__(self) -> Iterator[str]:
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, keyword: object) -> bool:
        return isinstance(keyword, str) and keyword.lower() in self._known

    def spelled(self, flags: Iterable[str]) -> Flags:
        """The flags as they are kept: without \\Recent and unknown system flags.

        Raises FolderRefused for what cannot be a keyword.
        """
        found = set()
        for flag in flags:
            low = flag.lower()
            if not low.startswith("\\"):
                found.add(self._known.get(low) or _checked(flag))
            elif low in _SYSTEM:
                found.add(_SYSTEM[low])
        return frozenset(found)

    def add(self, flags: Iterable[str]) -> None:
        """Learn the keywords among the flags."""
        for flag in flags:
            if not flag.startswith("\\"):
                self._known.setdefault(flag.lower(), flag)


def _checked(keyword: str) -> str:
    if not _KEYWORD.fullmatch(keyword):
        raise FolderRefused(FolderFault.NOT_ALLOWED, "this cannot be a keyword")
    return keyword


@dataclass(frozen=True, slots=True)
class StorePlan:
    """What a STORE has to do: new flags for messages that differ, and those it must leave alone."""

    changes: Sequence[tuple[int, Flags]]
    modified: Sequence[int]


def plan_store(
    messages: Messages, uids: Sequence[int], change: FlagChange, flags: Flags, unchanged_since: int | None
) -> StorePlan:
    """Decide for each message; ``flags`` are spelled as they are kept."""
    changes: list[tuple[int, Flags]] = []
    modified: list[int] = []
    results: dict[Flags, Flags] = {}  # few combinations occur, however many messages there are
    for uid, modseq, before in messages.states(uids):
        if unchanged_since is not None and modseq > unchanged_since:
            modified.append(uid)
            continue
        after = results.get(before)
        if after is None:
            after = results[before] = changed(before, change, flags)
        if after != before:
            changes.append((uid, after))
    return StorePlan(changes, modified)


def changed(before: Flags, change: FlagChange, flags: Flags) -> Flags:
    """The flags of a message after a STORE."""
    match change:
        case FlagChange.REPLACE:
            return flags
        case FlagChange.ADD:
            return before | flags
        case FlagChange.REMOVE:
            return before - flags
