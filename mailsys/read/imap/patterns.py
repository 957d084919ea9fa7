"""Names of folders with wildcards: ``*`` for anything, ``%`` for anything within a level (RFC 9051 6.3.9).

Which beginnings of a name a pattern can match is one number, a bit for each, so that no pattern makes it
go back: the cost is their length, whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence


class Pattern:
    """Several patterns, any of which may match."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = list(dict.fromkeys(map(_folded, patterns)))

    def matches(self, name: str) -> bool:
        """Does one of them match the whole name?"""
        places = _places(name)
        return any(_matches(pattern, name, places) for pattern in self._patterns)


def _folded(pattern: str) -> str:
    """INBOX is meant in any case; of several wildcards in a row the widest counts."""
    first, slash, rest = pattern.partition("/")
    pattern = "INBOX" + slash + rest if first.upper() == "INBOX" else pattern
    short: list[str] = []
    for character in pattern:
        if character in "*%" and short and short[-1] in "*%":
            short[-1] = "*" if "*" in (character, short[-1]) else "%"
        else:
            short.append(character)
    return "".join(short)


def _places(name: str) -> dict[str, int]:
    """For each character where it stands, a bit a place."""
    places: dict[str, int] = {}
    for place, character in enumerate(name):
        places[character] = places.get(character, 0) | 1 << place
    return places


def _matches(pattern: str, name: str, places: dict[str, int]) -> bool:
    end = 1 << len(name)
    everywhere = 2 * end - 1
    level = (end - 1) & ~places.get("/", 0)  # from these one can go on within a level
    reached = 1
    for wanted in pattern:
        if wanted == "*":
            reached = everywhere & ~((reached & -reached) - 1)
        elif wanted == "%":
            # A sum carries each bit on to the end of its level.
            reached |= ((reached & level) + level) ^ level
        else:
            reached = (reached & places.get(wanted, 0)) << 1
        if not reached:
            return False
    return bool(reached & end)
