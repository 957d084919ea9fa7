"""Messages of a folder that sessions share are read wherever other programs have renamed them to."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mailsys.store.maildir.file_names import FileNames
from mailsys.store.maildir.scan import MessageFile, open_regular, scan
from mailsys.store.maildir.stored_content import StoredContent, content_of, read_small, read_without_waiting


class Reading:
    """Reads files of ``folder``.  For worker threads, several at a time."""

    def __init__(self, folder: str, names: FileNames) -> None:
        self._folder = folder
        self._names = names
        self._listing: dict[str, MessageFile] | None = None

    def open(self, uid: int) -> int:
        """Return a descriptor; raises KeyError when the message has gone, OSError."""
        try:
            return open_regular(f"{self._folder}/{self._names.path(uid)}")
        except FileNotFoundError:
            return self._open_elsewhere(uid)

    def _open_elsewhere(self, uid: int) -> int:
        """Another program has renamed it: one look at the folder finds all that were renamed."""
        base = self._names.get(uid)[0]
        for listing in (self._listing, None):
            if listing is None:
                listing = self._listing = self._scan()
            found = listing.get(base)
            if found is None:
                continue
            try:
                return open_regular(f"{self._folder}/{found.subdirectory}/{found.name}")
            except FileNotFoundError:
                continue
        raise KeyError(uid)

    def _scan(self) -> dict[str, MessageFile]:
        try:
            return scan(self._folder)
        except FileNotFoundError:
            return {}  # the folder has gone, and all messages with it

    def forget(self) -> None:
        """The names are as they should be again."""
        self._listing = None

    def content(self, uid: int) -> StoredContent:
        """The message as it lies there, held open; raises KeyError, OSError."""
        return content_of(self.open, uid)

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

    def dates(self, uid: int) -> tuple[float, float] | None:
        """When it came, and when into this folder, as its file tells; None when it has gone."""
        try:
            descriptor = self.open(uid)
        except KeyError:
            return None
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return status.st_mtime, status.st_ctime

    def _read(self, uid: int) -> bytes | None:
        descriptor = self.open(uid)
        try:
            return read_small(descriptor)
        finally:
            os.close(descriptor)
