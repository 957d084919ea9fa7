"""What the letters of a folder's file names mean, while it stays open."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mailsys.disk import Disk
from mailsys.interfaces import Flags
from mailsys.store.maildir.info import by_letter, flags_in, suffix_with
from mailsys.store.maildir.keywords_file import KeywordsFile

# What is remembered of each kind.
MOST_SUFFIXES = 10_000


class FolderKeywords:
    """Flags of a file's suffix, and the other way round.  For worker threads, one at a time."""

    def __init__(self, disk: Disk, folder: str) -> None:
        self.known: list[str] = []
        self._file = KeywordsFile(disk, folder)
        self._stamp = (0, 0, 0)
        self._by_letter: dict[str, str] = {}
        self._letter_of: dict[str, str] = {}
        self._flags: dict[str, Flags] = {}  # by suffix, those met so far
        self._suffixes: dict[tuple[str, Flags], str] = {}

    def refresh(self) -> bool:
        """Read the file if another program wrote it: do letters mean something else?  Raises OSError."""
        stamp = self._file.stamp()
        if stamp == self._stamp:
            return False
        before = self._by_letter
        self._learn(self._file.read())
        self._stamp = stamp
        return self._by_letter != before

    def flags(self, suffix: str) -> Flags:
        """What a suffix says."""
        found = self._flags.get(suffix)
        if found is None:
            if len(self._flags) >= MOST_SUFFIXES:
                self._flags.clear()
            found = self._flags[suffix] = flags_in(suffix, self._by_letter)
        return found

    def suffix(self, suffix: str, flags: Flags) -> str:
        """The suffix with other flags; their keywords have letters."""
        key = suffix, flags
        found = self._suffixes.get(key)
        if found is None:
            if len(self._suffixes) >= MOST_SUFFIXES:
                self._suffixes.clear()
            found = self._suffixes[key] = suffix_with(suffix, flags, self._letter_of)
        return found

    def lacks(self, flags: Iterable[str]) -> list[str]:
        """The keywords among the flags that have no letter yet, in whatever case."""
        found = {flag.lower(): flag for flag in flags if not flag.startswith("\\")}
        return sorted(flag for low, flag in found.items() if low not in self._letter_of)

    def add(self, keywords: Iterable[str], used: Callable[[], set[str]]) -> None:
        """Give them letters; whoever calls holds the folder's lock.  Raises NoKeywordLeft, OSError.

        ``used`` tells which letters messages have, should all be taken.
        """
        self.refresh()
        new = self.lacks(keywords)
        if new:
            self._learn(self._file.add(self.known, new, used))
            self._stamp = self._file.stamp()

    def _learn(self, keywords: list[str]) -> None:
        self.known = keywords
        self._by_letter = by_letter(keywords)
        self._letter_of = {keyword.lower(): letter for letter, keyword in self._by_letter.items()}
        self._suffixes.clear()
        self._flags.clear()
