"""One open folder: messages by UID, wherever other programs have renamed them to meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from zope.interface import implementer

from mailsys.interfaces import IMailbox, IWorkers, NotRemoved, StoredMessage
from mailsys.message.content import Content
from mailsys.store.maildir.look import Look
from mailsys.store.maildir.names import base_name
from mailsys.store.maildir.scan import MessageFile, open_regular, scan
from mailsys.store.maildir.stored_content import content_of, read_small, read_without_waiting


class MessageFiles:
    """Where the messages of a folder lie.  For worker threads."""

    def __init__(self, folder: str, files: dict[int, MessageFile]) -> None:
        self._folder = folder
        self._files = files
        self._lock = threading.Lock()

    def base(self, uid: int) -> str:
        """The base name that the message has for ever; empty when it has gone."""
        file = self._files.get(uid)
        return base_name(file.name) if file else ""

    def open(self, uid: int) -> int:
        """Return a descriptor for reading; raises KeyError when it has gone, OSError."""
        try:
            return open_regular(self._path(uid))
        except FileNotFoundError:
            self._look_again()
        try:
            return open_regular(self._path(uid))
        except FileNotFoundError:
            raise KeyError(uid) from None

    def read_cached(self, uid: int) -> bytes | None:
        """Return the whole message if it is in memory.  From any thread; never waits for its octets."""
        try:
            descriptor = open_regular(self._path(uid))
        except (KeyError, OSError):
            return None
        try:
            return read_without_waiting(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, uids: Sequence[int], removed: list[int]) -> None:
        """Delete, and note in ``removed`` what was still there.  Raises OSError after all were tried."""
        errors: list[OSError] = []
        renamed = self._remove_known(uids, removed, errors)
        if renamed:
            self._look_again()
            self._remove_known(renamed, removed, errors)
        if errors:
            raise errors[0]

    def _remove_known(self, uids: Sequence[int], removed: list[int], errors: list[OSError]) -> list[int]:
        """Unlink what is where it was seen; return what is not."""
        missing: list[int] = []
        for uid in uids:
            if uid not in self._files:
                continue
            try:
                os.unlink(self._path(uid))
                del self._files[uid]
                removed.append(uid)
            except FileNotFoundError:
                missing.append(uid)
            except OSError as error:
                errors.append(error)
        return missing

    def _path(self, uid: int) -> str:
        """Where it was seen last; raises KeyError."""
        subdirectory, name = self._files[uid]
        return f"{self._folder}/{subdirectory}/{name}"

    def _look_again(self) -> None:
        """Find where the messages are now, and forget those that have gone."""
        with self._lock:
            now = scan(self._folder)
            for uid, (_subdirectory, name) in list(self._files.items()):
                found = now.get(base_name(name))
                if found is None:
                    self._files.pop(uid, None)
                else:
                    self._files[uid] = found


@implementer(IMailbox)
class MaildirMailbox:
    """A folder as it was when it was opened.

    Opening changes no flags and moves nothing from ``new`` to ``cur``.  ``closed`` is called once;
    ``removed`` is told how many octets and messages an expunge has freed.
    """

    def __init__(
        self,
        folder: str,
        look: Look,
        workers: IWorkers,
        closed: Callable[[], None],
        removed: Callable[[int, int], None],
    ) -> None:
        self.uid_validity = look.uid_validity
        self.messages: Sequence[StoredMessage] = look.messages
        self._files = MessageFiles(folder, look.files)
        self._workers = workers
        self._closed: Callable[[], None] | None = closed
        self._removed = removed

    def name(self, uid: int) -> str:
        """What it is called for ever; empty when it has gone."""
        return self._files.base(uid)

    async def content(self, uid: int) -> Content:
        """The message as stored; raises KeyError, OSError."""
        return await self._workers.run(content_of, self._files.open, uid)

    def read_cached(self, uid: int) -> bytes | None:
        """Return the whole of a small message if it is in memory."""
        return self._files.read_cached(uid)

    async def read_many(self, uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Return whole messages, or what went wrong with each; None for one that is not small."""
        return await self._workers.run(self._read_many, uids)

    async def expunge(self, uids: Sequence[int]) -> int:
        """Delete; a loss of power may bring them back.  Raises NotRemoved if any stays."""
        gone: list[int] = []
        try:
            await self._workers.run(self._files.remove, uids, gone)
        except OSError as error:
            raise NotRemoved(len(gone), str(error)) from error
        finally:
            if gone:
                self._report(gone)
        return len(gone)

    def close(self) -> None:
        """Give up the hold; again does no harm."""
        if self._closed is not None:
            closed, self._closed = self._closed, None
            closed()

    def _report(self, gone: Sequence[int]) -> None:
        removed = set(gone)
        sizes = [message.size for message in self.messages if message.uid in removed]
        self._removed(sum(sizes), len(sizes))

    def _read(self, uid: int) -> bytes | None:
        descriptor = self._files.open(uid)
        try:
            return read_small(descriptor)
        finally:
            os.close(descriptor)

    def _read_many(self, uids: Sequence[int]) -> list[bytes | KeyError | OSError | None]:
        results: list[bytes | KeyError | OSError | None] = []
        for uid in uids:
            try:
                results.append(self._read(uid))
            except (KeyError, OSError) as error:
                results.append(error)
        return results
