"""One folder in memory, as the sessions share it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, Protocol

from mailsys.interfaces import Column, FlagChange, Flags, Holding, Placed, Stored
from mailsys.message.content import READ_OCTETS, Content, MemoryContent
from mailsys.store.flags import plan_store
from mailsys.store.memory.mail import Copy, Folder
from mailsys.store.messages import DELETED
from mailsys.store.opening import compare
from mailsys.store.shared_folder import SharedFolder


class Place(Protocol):
    """Puts copies into another folder of the account; with ``moves`` they take no further room."""

    def __call__(self, name: str, copies: Sequence[Copy], *, moves: bool = False) -> Placed:
        """Return their UIDs; raises FolderRefused."""


class MemoryFolder(SharedFolder):
    """What the sessions see of ``folder``.

    ``changed`` is called with the name after anything has.
    """

    def __init__(
        self,
        name: str,
        folder: Folder,
        lock: Lock,
        now: Callable[[], float],
        place: Place,
        changed: Callable[[str], None],
    ) -> None:
        super().__init__(name, folder.uid_validity, now)
        self._folder = folder
        self._lock = lock
        self._place = place
        self._changed: Callable[[str], None] = lambda name: None
        self.begin(compare([], None, now), ())
        self.notice()  # what was there before is no change
        self._changed = changed

    def notice(self) -> None:
        """Show what was delivered, and what was deleted elsewhere."""
        with self._lock:
            copies, uid_next = self._folder.copies, self._folder.uid_next
            new = [(uid, copies[uid].flags) for uid in sorted(copies) if uid >= self.uid_next]
            gone = [uid for uid in self.messages.uids if uid not in copies]
        self.uid_next = max(self.uid_next, uid_next)
        self.remove(gone)
        self.arrive(new, recent=[uid for uid, _flags in new])
        if new or gone:
            self._changed(self.name)

    async def look(self) -> None:
        """See what deliveries and other protocols did."""
        self.notice()

    async def store(
        self, uids: Sequence[int], change: FlagChange, flags: Flags, unchanged_since: int | None
    ) -> Stored:
        """Change flags."""
        self.notice()
        plan = plan_store(self.messages, uids, change, self.keywords.spelled(flags), unchanged_since)
        for uid, after in plan.changes:
            self._copy(uid).flags = after
        changed = self.change(plan.changes)
        if changed:
            self._changed(self.name)
        return Stored(changed, plan.modified)

    async def expunge(self, uids: Sequence[int]) -> Sequence[int]:
        """Remove those that are marked as deleted."""
        self.notice()
        return self._take_out(uid for uid in self.messages.present(uids) if DELETED in self._flags(uid))

    async def copy(self, uids: Sequence[int], target: str) -> Placed:
        """Copy to another folder, or this."""
        return self._copy_to(uids, target, moves=False)

    async def move(self, uids: Sequence[int], target: str) -> Placed:
        """Move to another folder, or to the end of this."""
        placed = self._copy_to(uids, target, moves=True)
        self._take_out(placed.sources)
        return placed

    def _copy_to(self, uids: Sequence[int], target: str, *, moves: bool) -> Placed:
        self.notice()
        sources = self.messages.present(uids)
        now = self._now()
        copies = [replace(self._copy(uid), save_date=now) for uid in sources]
        return replace(self._place(target, copies, moves=moves), sources=sources)

    async def columns(self, uids: Sequence[int], wanted: Sequence[Column]) -> Sequence[Sequence[Any]]:
        """What is known of messages."""
        with self._lock:
            copies = [self._folder.copies.get(uid) for uid in uids]
        return [[None if copy is None else _value(copy, column) for copy in copies] for column in wanted]

    async def containing(self, column: Column, needle: str) -> Collection[int] | None:
        """There is nothing faster than to look."""
        return None

    async def holding(self, needle: str, *, in_header: bool, learn: bool = True) -> Holding | None:
        """There is no index of words."""
        return None

    async def expunged_since(self, modseq: int) -> Sequence[int] | None:
        """Which have gone."""
        return self.gone_since(modseq)

    async def content(self, uid: int) -> Content:
        """One message; raises KeyError."""
        return MemoryContent([self._copy(uid).octets])

    def read_cached(self, uid: int) -> bytes | None:
        """One small message."""
        try:
            octets = self._copy(uid).octets
        except KeyError:
            return None
        return octets if len(octets) <= READ_OCTETS else None

    async def read_many(self, uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Small messages; None for one that is large."""
        return [self.read_cached(uid) if uid in self.messages else KeyError(uid) for uid in uids]

    def _copy(self, uid: int) -> Copy:
        with self._lock:
            return self._folder.copies[uid]

    def _flags(self, uid: int) -> Flags:
        return self.messages.flags(uid)

    def _take_out(self, uids: Iterable[int]) -> list[int]:
        with self._lock:
            gone = [uid for uid in uids if self._folder.copies.pop(uid, None)]
        self.remove(gone)
        if gone:
            self._changed(self.name)
        return gone


def _value(copy: Copy, column: Column) -> Any:
    match column:
        case Column.INTERNAL_DATE:
            return copy.internal_date
        case Column.SAVE_DATE:
            return copy.save_date
        case Column.FROM:
            return copy.description().from_
    return getattr(copy.description(), column.value)
