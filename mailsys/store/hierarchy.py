"""Folder names as a tree: ``Work/Plans`` lies below ``Work``.  INBOX is the same in any case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mailsys.interfaces import FolderEntry, FolderFault, FolderRefused

INBOX = "INBOX"
SEPARATOR = "/"


def plain(name: str) -> str:
    """The name with INBOX, also as the first level, in capitals, as RFC 9051 5.1 treats it."""
    first, separator, rest = name.partition(SEPARATOR)
    return INBOX + separator + rest if first.upper() == INBOX else name


def above(name: str) -> list[str]:
    """The names of the folders above, the highest first."""
    levels = name.split(SEPARATOR)
    return [SEPARATOR.join(levels[:count]) for count in range(1, len(levels))]


def is_below(name: str, other: str) -> bool:
    """Does the name lie below the other?"""
    return name.startswith(other + SEPARATOR)


def renames(names: Iterable[str], old: str, new: str) -> dict[str, str]:
    """What each existing folder is called after ``old`` was renamed, with all below it.

    Raises FolderRefused when that cannot be.
    """
    there = set(names)
    moving = {name: new + name[len(old) :] for name in sorted(there) if name == old or is_below(name, old)}
    if not moving:
        raise FolderRefused(FolderFault.NONEXISTENT)
    if is_below(new, old):
        raise FolderRefused(FolderFault.NOT_ALLOWED, "a folder cannot be moved below itself")
    if new in there or there.intersection(moving.values()):
        raise FolderRefused(FolderFault.EXISTS)
    return moving


def entries(
    existing: Iterable[str], subscribed: Iterable[str], special_uses: Mapping[str, str]
) -> list[FolderEntry]:
    """The list of an account's folders: INBOX first, then by name.

    What is only subscribed, or only above another, stands in it as one that does not exist.
    """
    there, wanted = {INBOX, *existing}, set(subscribed)
    names = there | wanted
    names |= {parent for name in names for parent in above(name)}
    return [
        FolderEntry(name, name in there, name in wanted, special_uses.get(name, "") if name in there else "")
        for name in sorted(names, key=lambda name: (name != INBOX, name))
    ]
