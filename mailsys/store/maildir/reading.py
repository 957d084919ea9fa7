"""Messages of a folder that sessions share are read wherever other programs have renamed them to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from mailsys.interfaces import Column
from mailsys.store.maildir.file_names import FileNames
from mailsys.store.maildir.measure import measure_open
from mailsys.store.maildir.names import sizes_in
from mailsys.store.maildir.scan import find, open_regular
from mailsys.store.maildir.stored_content import StoredContent, read_small, read_without_waiting


class Reading:
    """Reads files of ``folder``.  For worker threads, several at a time."""

    def __init__(self, folder: str, names: FileNames) -> None:
        self._folder = folder
        self._names = names
        self._octets = 0
        self._counted = 0  # at which version of the names

    def open(self, uid: int) -> int:
        """Return a descriptor; raises KeyError when the message has gone, OSError."""
        path = self._names.path(uid)
        try:
            return open_regular(f"{self._folder}/{path}")
        except FileNotFoundError:
            pass
        try:
            found = find(self._folder, self._names.get(uid)[0])
            if found is None:
                raise KeyError(uid)
            return open_regular(f"{self._folder}/{found.subdirectory}/{found.name}")
        except FileNotFoundError:
            raise KeyError(uid) from None

    def content(self, uid: int) -> StoredContent:
        """The message as it lies there; raises KeyError, OSError."""
        descriptor = self.open(uid)
        try:
            return StoredContent(self.open, uid, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def read_cached(self, uid: int) -> bytes | None:
        """Return a small message if it is in memory.  From any thread; never waits for its octets."""
        try:
            descriptor = open_regular(f"{self._folder}/{self._names.path(uid)}")
        except (KeyError, OSError):
            return None
        try:
            return read_without_waiting(descriptor)
        finally:
            os.close(descriptor)

    def read_many(self, uids: Sequence[int]) -> list[bytes | KeyError | OSError | None]:
        """Return small messages, or what went wrong with each."""
        results: list[bytes | KeyError | OSError | None] = []
        for uid in uids:
            try:
                results.append(self._read(uid))
            except (KeyError, OSError) as error:
                results.append(error)
        return results

    def facts(self, uid: int, wanted: Sequence[Column]) -> tuple[Any, ...] | None:
        """Columns that tell of the file and not of what is in it; None when it has gone.  Raises OSError."""
        try:
            descriptor = self.open(uid)
        except KeyError:
            return None
        try:
            status = os.fstat(descriptor)
            sizes = measure_open(descriptor) if Column.WIRE_SIZE in wanted else (0, 0)
        finally:
            os.close(descriptor)
        known = {
            Column.INTERNAL_DATE: status.st_mtime,
            Column.SAVE_DATE: status.st_ctime,
            Column.WIRE_SIZE: sizes[1],
        }
        return tuple(known[column] for column in wanted)

    def octets(self) -> int:
        """Of all messages with CRLF line ends, for whoever may change the names; raises OSError."""
        if self._counted != self._names.version:
            sizes = [sizes_in(base)[1] for _uid, base, _ending in self._names.items()]
            unknown = [uid for uid, size in zip(self._names.uids, sizes, strict=True) if size is None]
            measured = [self.facts(uid, [Column.WIRE_SIZE]) or (0,) for uid in unknown]
            self._octets = sum(filter(None, sizes)) + sum(size for (size,) in measured)
            self._counted = self._names.version
        return self._octets

    def _read(self, uid: int) -> bytes | None:
        descriptor = self.open(uid)
        try:
            return read_small(descriptor)
        finally:
            os.close(descriptor)
