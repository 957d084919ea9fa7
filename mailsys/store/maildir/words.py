"""Which messages of a folder hold a text, by the index of words of the account."""

from __future__ import annotations

import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import partial
from threading import Lock

from mailsys.interfaces import Holding
from mailsys.message.content import Content, MemoryContent
from mailsys.message.structure.scan import scan
from mailsys.message.structure.search_text import body_text, header_text
from mailsys.store.index import words
from mailsys.store.index.database import AccountIndex, NoIndex
from mailsys.store.index.words import Version, Worded
from mailsys.store.maildir.file_names import FileNames
from mailsys.store.maildir.reading import Reading

# Messages that are indexed in one job of a thread, and in one transaction.
BATCH = 100
# Of one message; of one that has more the rest is read when it may matter.
MOST_CHARACTERS = 2_000_000
# What was added to the vocabulary in memory, before all of it is read anew.
MOST_ADDED = 200


class Vocabularies:
    """The words of some accounts in memory, those that were used last.  For worker threads."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._lock = Lock()
        self._known: dict[str, tuple[Version, list[str]]] = {}

    def get(self, path: str, version: Version) -> list[str] | None:
        """What is known of this version."""
        with self._lock:
            known = self._known.pop(path, None)
            if known is None or known[0] != version:
                return None
            self._known[path] = known
            return known[1]

    def put(self, path: str, version: Version, texts: list[str]) -> None:
        """All words of a version."""
        with self._lock:
            self._known.pop(path, None)
            self._known[path] = version, texts
            while len(self._known) > self._most:
                del self._known[next(iter(self._known))]


VOCABULARIES = Vocabularies()


class FolderWords:
    """Of one folder.  For worker threads, which take turns."""

    def __init__(
        self,
        names: FileNames,
        reading: Reading,
        index: Callable[[], AccountIndex],
        vocabularies: Vocabularies = VOCABULARIES,
    ) -> None:
        self._names = names
        self._reading = reading
        self._index = index
        self._vocabularies = vocabularies
        self._lock = Lock()
        self._known: tuple[int, Version] | None = None  # versions of names and words for which the rest holds
        self._uids = array("I")
        self._numbers = array("q")  # of each UID; 0 for one that is not indexed
        self._parts: list[int] = []  # UIDs of which not all is indexed

    def holding(self, needle: str, *, in_header: bool) -> Holding | None:
        """As in IFolder."""
        if words.HEADER_MARK in needle:
            return None
        with self._lock:
            try:
                return self._index().run(partial(self._holding, needle=needle, in_header=in_header))
            except NoIndex:
                return None

    def learn(self) -> bool:
        """Index some messages that are not yet; False when there are no more to read.  Raises OSError."""
        with self._lock:
            try:
                unknown = self._index().run(self._unknown)[:BATCH]
                worded = {uid: one for uid in unknown if (one := self._words_of(uid))}
                if worded:
                    self._index().run(partial(self._insert, worded=worded))
            except NoIndex:
                return False
        return bool(worded) and len(unknown) == BATCH

    def _unknown(self, connection: sqlite3.Connection) -> list[int]:
        if not words.is_possible(connection):
            return []
        self._compare(connection)
        return [uid for uid, number in zip(self._uids, self._numbers, strict=True) if not number]

    def _holding(self, connection: sqlite3.Connection, needle: str, in_header: bool) -> Holding | None:
        if not words.is_possible(connection):
            return None
        self._compare(connection)
        texts = self._vocabulary(connection)
        numbers: set[int] | None = None
        for run in words.runs(needle):
            terms = words.terms_with(run, texts, in_header=in_header)
            if terms is not None:
                having = words.having(connection, terms)
                numbers = having if numbers is None else numbers & having
        unknown = [uid for uid, number in zip(self._uids, self._numbers, strict=True) if not number]
        if numbers is None:
            return Holding((), self._uids)
        found = [uid for uid, number in zip(self._uids, self._numbers, strict=True) if number in numbers]
        if words.tells_all(needle):
            return Holding(found, [*unknown, *self._parts])
        return Holding((), [*found, *unknown, *self._parts])

    def _compare(self, connection: sqlite3.Connection) -> None:
        """See which messages are indexed, unless that is known."""
        words.prepare(connection)
        versions = self._names.version, words.version(connection)
        if self._known == versions:
            return
        bases: list[tuple[int, str]] = []
        for uid in self._names.uids[:]:
            try:
                bases.append((uid, self._names.get(uid)[0]))
            except KeyError:
                continue
        found = words.documents(connection, [base for _uid, base in bases])
        self._uids = array("I", [uid for uid, _base in bases])
        self._numbers = array("q", [found.get(base, (0, True))[0] for _uid, base in bases])
        self._parts = [uid for uid, base in bases if not found.get(base, (0, True))[1]]
        self._known = versions

    def _vocabulary(self, connection: sqlite3.Connection) -> list[str]:
        path, version = self._index().path, words.version(connection)
        texts = self._vocabularies.get(path, version)
        if texts is None:
            texts = [words.vocabulary(connection)]
            self._vocabularies.put(path, version, texts)
        return texts

    def _insert(self, connection: sqlite3.Connection, worded: Mapping[int, Worded]) -> None:
        before = words.version(connection)
        texts = words.insert(connection, list(worded.values()))
        self._note(worded, before, words.version(connection))
        path, after = self._index().path, words.version(connection)
        known = self._vocabularies.get(path, before)
        if known is not None and len(known) < MOST_ADDED:
            self._vocabularies.put(path, after, [*known, words.words_of(texts)])

    def _note(self, worded: Mapping[int, Worded], before: Version, after: Version) -> None:
        """What was compared with the index holds on, with these besides."""
        if self._known is None or self._known[1] != before:
            return
        self._known = self._known[0], after
        for number, (uid, one) in enumerate(worded.items(), start=before[1] + 1):
            self._numbers[bisect_left(self._uids, uid)] = number
            if not one.is_whole:
                self._parts.append(uid)

    def _content(self, uid: int) -> Content:
        octets = self._reading.read_many([uid])[0]
        if isinstance(octets, Exception):
            raise octets
        return self._reading.content(uid) if octets is None else MemoryContent([octets])

    def _words_of(self, uid: int) -> Worded | None:
        try:
            base = self._names.get(uid)[0]
            content = self._content(uid)
            message = scan(content)
            pieces: list[str] = []
            room = MOST_CHARACTERS
            for piece in body_text(content, message):
                pieces.append(piece[:room])
                room -= len(piece)
                if room < 0:
                    break
        except (KeyError, FileNotFoundError):
            return None  # it has gone
        return Worded(base, header_text(message.headers), "".join(pieces), room >= 0)
