"""What is known of a folder's messages: from the index, from their files, and then in the index."""

from __future__ import annotations

import os
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from twisted.logger import Logger

from mailsys.interfaces import Column
from mailsys.message.structure.describe import describe, describe_octets
from mailsys.store.index import descriptions
from mailsys.store.index.database import AccountIndex, NoIndex
from mailsys.store.index.descriptions import Described
from mailsys.store.maildir.file_names import FileNames
from mailsys.store.maildir.names import sizes_in
from mailsys.store.maildir.reading import Reading
from mailsys.store.maildir.stored_content import StoredContent, read_small

# Messages that are read before what was learned is written.
BATCH = 200
DATES = frozenset({Column.INTERNAL_DATE, Column.SAVE_DATE})

log = Logger(namespace="mailsys.store")

Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _All:
    """All messages of the folder, with the hashes of their keys in the index.

    It is so for a version of the names and an opening of the index.
    """

    versions: tuple[int, object]
    uids: array[int]
    hashes: array[int]


class Knowledge:
    """Columns of a folder's messages.  For worker threads, several at a time."""

    def __init__(self, names: FileNames, reading: Reading, index: Callable[[], AccountIndex]) -> None:
        self._names = names
        self._reading = reading
        self._index = index
        self._lock = Lock()
        self._all: _All | None = None
        self._octets = 0
        self._counted = 0  # at which version of the names

    def containing(self, column: Column, needle: str) -> list[int] | None:
        """UIDs of all messages where a column has this text; None while not all are in the index."""
        index = self._index()

        def work(connection: sqlite3.Connection) -> list[int] | None:
            return self._containing(connection, index.opening, column, needle)

        try:
            with self._lock:
                return index.run(work)
        except NoIndex:
            return None

    def _containing(
        self, connection: sqlite3.Connection, opening: object, column: Column, needle: str
    ) -> list[int] | None:
        versions = self._names.version, opening
        if self._all is None or self._all.versions != versions:
            self._all = self._compare(connection, versions)
        if self._all is None:
            return None
        found = {hash(key) for key in descriptions.containing(connection, column, needle)}
        return [uid for uid, hashed in zip(self._all.uids, self._all.hashes, strict=True) if hashed in found]

    def _compare(self, connection: sqlite3.Connection, versions: tuple[int, object]) -> _All | None:
        """Are all messages in the index?  Rows go only when their messages do, or with the whole file."""
        bases = self._bases(self._names.uids[:])
        keys = list(map(descriptions.key, bases.values()))
        if not descriptions.keys(connection).issuperset(keys):
            return None
        return _All(versions, array("I", bases), array("q", map(hash, keys)))

    def columns(self, uids: Sequence[int], wanted: Sequence[Column]) -> list[list[Any]]:
        """For each wanted column the values in the order of the UIDs; None for a message that has gone.

        What is not in the index is read, and written there.  Raises OSError.
        """
        bases = self._bases(uids)
        known = self._sizes(bases.values()) if list(wanted) == [Column.WIRE_SIZE] else {}
        unknown = {uid: base for uid, base in bases.items() if base not in known}
        if unknown:
            known.update(self._known(unknown.values(), wanted))
            unknown = {uid: base for uid, base in unknown.items() if base not in known}
            known.update(self._read(unknown, wanted))
        nothing = (None,) * len(wanted)
        rows = [known.get(bases[uid], nothing) if uid in bases else nothing for uid in uids]
        return [[row[place] for row in rows] for place in range(len(wanted))]

    def octets(self) -> int:
        """Of all messages with CRLF line ends; raises OSError.  For whoever may change the names."""
        if self._counted != self._names.version:
            [sizes] = self.columns(self._names.uids, [Column.WIRE_SIZE])
            self._octets = sum(filter(None, sizes))
            self._counted = self._names.version
        return self._octets

    def _sizes(self, bases: Iterable[str]) -> dict[str, Values]:
        """What the names tell."""
        sizes = ((base, sizes_in(base)[1]) for base in bases)
        return {base: (size,) for base, size in sizes if size is not None}

    def _bases(self, uids: Sequence[int]) -> dict[int, str]:
        bases: dict[int, str] = {}
        for uid in uids:
            try:
                bases[uid] = self._names.get(uid)[0]
            except KeyError:
                continue
        return bases

    def _known(self, bases: Iterable[str], wanted: Sequence[Column]) -> dict[str, Values]:
        try:
            return self._index().run(partial(descriptions.columns_of, bases=list(bases), wanted=wanted))
        except NoIndex:
            return {}

    def _read(self, unknown: dict[int, str], wanted: Sequence[Column]) -> dict[str, Values]:
        """Look at the messages; dates their files tell."""
        if DATES.issuperset(wanted):
            return self._dates(unknown, wanted)
        found: dict[str, Values] = {}
        looked = (self._describe(uid, base) for uid, base in unknown.items())
        for described in descriptions.batches((one for one in looked if one is not None), BATCH):
            for one in described:
                found[one.base] = tuple(descriptions.value(one, column) for column in wanted)
            self._write(described)
        return found

    def _dates(self, unknown: dict[int, str], wanted: Sequence[Column]) -> dict[str, Values]:
        found: dict[str, Values] = {}
        for uid, base in unknown.items():
            dates = self._reading.dates(uid)
            if dates is not None:
                found[base] = tuple(dates[column is Column.SAVE_DATE] for column in wanted)
        return found

    def _describe(self, uid: int, base: str) -> Described | None:
        try:
            descriptor = self._reading.open(uid)
        except KeyError:
            return None
        try:
            status = os.fstat(descriptor)
            octets = read_small(descriptor)
        finally:
            os.close(descriptor)
        try:
            if octets is None:
                description = describe(StoredContent(self._reading.open, uid, status.st_size))
            else:
                description = describe_octets(octets)
        except FileNotFoundError:
            return None  # it has gone since
        return Described(base, status.st_mtime, status.st_ctime, description)

    def _write(self, described: Sequence[Described]) -> None:
        try:
            self._index().run(partial(descriptions.insert, described=described))
        except NoIndex:
            pass  # the log has it; what was learned is used this once
