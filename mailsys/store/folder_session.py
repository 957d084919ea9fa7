"""A folder as one session has it open: the shared folder, and what is the session's own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from zope.interface import implementer

from mailsys.interfaces import (
    Column,
    FlagChange,
    Flags,
    FolderFault,
    FolderRefused,
    Holding,
    IFolder,
    IFolderWatcher,
    Placed,
    Stored,
)
from mailsys.message.content import Content
from mailsys.store.shared_folder import SharedFolder


class Work(Protocol):
    """What a store can do with one of its folders; as in IFolder, where it is said more fully."""

    async def look(self) -> None:
        """See what happened to the files."""

    async def store(
        self, uids: Sequence[int], change: FlagChange, flags: Flags, unchanged_since: int | None
    ) -> Stored:
        """Change flags."""

    async def expunge(self, uids: Sequence[int]) -> Sequence[int]:
        """Remove what is marked as deleted."""

    async def copy(self, uids: Sequence[int], target: str) -> Placed:
        """Copy to another folder."""

    async def move(self, uids: Sequence[int], target: str) -> Placed:
        """Move to another folder."""

    async def columns(self, uids: Sequence[int], wanted: Sequence[Column]) -> Sequence[Sequence[Any]]:
        """What is known of messages."""

    async def containing(self, column: Column, needle: str) -> Collection[int] | None:
        """Which messages have a text in a column."""

    async def holding(self, needle: str, *, in_header: bool, learn: bool = True) -> Holding | None:
        """Which may hold the text."""

    async def expunged_since(self, modseq: int) -> Sequence[int] | None:
        """Which have gone."""

    async def content(self, uid: int) -> Content:
        """One message."""

    def read_cached(self, uid: int) -> bytes | None:
        """One small message, at once."""

    async def read_many(self, uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Small messages."""


@implementer(IFolder)
class FolderSession:
    """A session's hold on a folder; ``left`` is called once, after it has let go.

    UIDs are copied before anything waits, for what a session gives may be the folder's own ``uids``.
    """

    def __init__(
        self,
        shared: SharedFolder,
        work: Work,
        watcher: IFolderWatcher,
        *,
        read_only: bool,
        left: Callable[[], None],
    ) -> None:
        self.watcher = watcher
        self.read_only = read_only
        self.recent: set[int] = set()
        self._shared = shared
        self._work = work
        self._left: Callable[[], None] | None = left
        shared.join(self)

    @property
    def name(self) -> str:
        """As in the list."""
        return self._shared.name

    @property
    def uid_validity(self) -> int:
        """RFC 9051 2.3.1.1."""
        return self._shared.uid_validity

    @property
    def uid_next(self) -> int:
        """Higher than every UID so far."""
        return self._shared.uid_next

    @property
    def highest_modseq(self) -> int:
        """Of the last change."""
        return self._shared.highest_modseq

    @property
    def uids(self) -> Sequence[int]:
        """Of all messages, rising."""
        return self._shared.messages.uids

    @property
    def keywords(self) -> Collection[str]:
        """All that any message has or had."""
        return tuple(self._shared.keywords)

    def flags(self, uid: int) -> Flags:
        """Of one message; raises KeyError."""
        return self._shared.messages.flags(uid)

    def modseq(self, uid: int) -> int:
        """Of one message; raises KeyError."""
        return self._shared.messages.modseq(uid)

    def changed_since(self, modseq: int) -> Sequence[int]:
        """UIDs that changed after it."""
        return self._shared.messages.changed_since(modseq)

    async def expunged_since(self, modseq: int) -> Sequence[int] | None:
        """UIDs that have gone after it."""
        return await self._work.expunged_since(modseq)

    async def look(self) -> None:
        """See what other programs did."""
        await self._work.look()

    async def store(
        self, uids: Sequence[int], change: FlagChange, flags: Flags, *, unchanged_since: int | None = None
    ) -> Stored:
        """Change flags."""
        self._require_writable()
        return await self._work.store(list(uids), change, flags, unchanged_since)

    async def expunge(self, uids: Sequence[int]) -> Sequence[int]:
        """Remove those that are marked as deleted."""
        self._require_writable()
        return await self._work.expunge(list(uids))

    async def copy(self, uids: Sequence[int], target: str) -> Placed:
        """Copy, all or none."""
        return await self._work.copy(list(uids), target)

    async def move(self, uids: Sequence[int], target: str) -> Placed:
        """Move."""
        self._require_writable()
        return await self._work.move(list(uids), target)

    async def columns(self, uids: Sequence[int], wanted: Sequence[Column]) -> Sequence[Sequence[Any]]:
        """For each wanted column the values in the order of the UIDs."""
        return await self._work.columns(list(uids), wanted)

    async def containing(self, column: Column, needle: str) -> Collection[int] | None:
        """UIDs of messages where a column has this text."""
        return await self._work.containing(column, needle)

    async def holding(self, needle: str, *, in_header: bool, learn: bool = True) -> Holding | None:
        """UIDs that may hold this text."""
        return await self._work.holding(needle, in_header=in_header, learn=learn)

    async def content(self, uid: int) -> Content:
        """The message; raises KeyError."""
        return await self._work.content(uid)

    def read_cached(self, uid: int) -> bytes | None:
        """Return the whole of a small message if that needs no wait."""
        return self._work.read_cached(uid)

    async def read_many(self, uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Return the whole of several small messages."""
        return await self._work.read_many(list(uids))

    def close(self) -> None:
        """Look away."""
        if self._left is not None:
            left, self._left = self._left, None
            self._shared.leave(self)
            left()

    def _require_writable(self) -> None:
        if self.read_only:
            raise FolderRefused(FolderFault.NOT_ALLOWED, "the folder was opened for reading only")
