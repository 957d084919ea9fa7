"""``dovecot-keywords``: which keyword each letter a-z of a folder's file names stands for.

    0 $Junk
    1 work

A letter that any message has keeps its keyword.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from mailsys.disk import Disk
from mailsys.store.maildir.file_names import TMP
from mailsys.store.maildir.info import KEYWORD_LETTERS
from mailsys.store.maildir.scan import open_regular
from mailsys.store.maildir.text_file import replace_file

NAME = "dovecot-keywords"
FILE_OCTETS = 64 * 1024
# RFC 9051 9, flag-keyword: an atom.  Dovecot takes any that are no longer than this.
KEYWORD_OCTETS = 255

_LINE = re.compile(r"(\d{1,2}) ([^\s\\(){%*\"\]\x00-\x1f\x7f]+)")


class NoKeywordLeft(Exception):  # noqa: N818 - nothing is broken
    """All 26 letters of the folder have keywords."""


class KeywordsFile:
    """The file in a folder.  For worker threads; whoever writes holds the lock of the uidlist."""

    def __init__(self, disk: Disk, folder: str) -> None:
        self._disk = disk
        self._folder = folder
        self.path = f"{folder}/{NAME}"

    def stamp(self) -> tuple[int, int, int]:
        """Another whenever the file is; zeros while there is none."""
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            return 0, 0, 0
        return status.st_ino, status.st_size, status.st_mtime_ns

    def read(self) -> list[str]:
        """The keywords by their number, empty texts between them; raises OSError."""
        try:
            descriptor = open_regular(self.path)
        except FileNotFoundError:
            return []
        try:
            return _parse(os.fsdecode(os.read(descriptor, FILE_OCTETS)))
        finally:
            os.close(descriptor)

    def add(self, known: Sequence[str], new: Sequence[str], used: Callable[[], set[str]]) -> list[str]:
        """Give letters to new keywords, synced, and return all; raises NoKeywordLeft, OSError.

        When no letters are left, those are taken that no message has; ``used`` finds which have.
        """
        keywords = [*known, *[""] * (len(KEYWORD_LETTERS) - len(known))]
        if keywords.count("") < len(new):
            letters = used()
            pairs = zip(KEYWORD_LETTERS, keywords, strict=True)
            keywords = [keyword if letter in letters else "" for letter, keyword in pairs]
        if keywords.count("") < len(new):
            raise NoKeywordLeft(new[0])
        for keyword in new:
            keywords[keywords.index("")] = keyword
        lines = [f"{number} {keyword}\n" for number, keyword in enumerate(keywords) if keyword]
        replace_file(self._disk, self.path, f"{self._folder}/{TMP}", "".join(lines).encode())
        return keywords


def _parse(text: str) -> list[str]:
    """Lines that cannot be read, numbers beyond z and keywords that are there already do not count."""
    keywords = [""] * len(KEYWORD_LETTERS)
    seen: set[str] = set()
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match is None or int(match[1]) >= len(keywords) or match[2].lower() in seen:
            continue
        keywords[int(match[1])] = match[2]
        seen.add(match[2].lower())
    while keywords and not keywords[-1]:
        keywords.pop()
    return keywords
