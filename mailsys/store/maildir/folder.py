"""One folder on the disk, as the sessions that have it open share it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailsys.interfaces import (
    Column,
    FlagChange,
    Flags,
    FolderFault,
    FolderRefused,
    Holding,
    HostStops,
    IWorkers,
    Placed,
    Stored,
)
from mailsys.message.content import Content
from mailsys.store.flags import plan_store
from mailsys.store.folder_events import Event, History
from mailsys.store.index.database import AccountIndex
from mailsys.store.maildir.expunge_job import expunge
from mailsys.store.maildir.flag_job import set_flags
from mailsys.store.maildir.folder_files import FolderFiles, Seen
from mailsys.store.maildir.keywords_file import NoKeywordLeft
from mailsys.store.maildir.knowledge import Knowledge
from mailsys.store.maildir.reading import Reading
from mailsys.store.maildir.records import Records
from mailsys.store.maildir.words import FolderWords
from mailsys.store.messages import DELETED
from mailsys.store.opening import Opening, compare
from mailsys.store.shared_folder import SharedFolder

ATTEMPTS = 5
# Messages whose flags are changed in one go, with one modseq; between two other work has its turn.
AT_ONCE = 2000
# Of indexing words, for one search: what is left then is read by the search itself.
MOST_JOBS = 100
ALL_LETTERS = "this folder has 26 keywords already, and the names of its files hold no more"

log = Logger(namespace="mailsys.store")

T = TypeVar("T")


class Surroundings(Protocol):
    """What a folder asks of the account around it."""

    def freed(self, octets: int, messages: int) -> None:
        """So much has gone."""

    def changed(self, folder: MaildirFolder) -> None:
        """Something in the folder is another."""

    async def copy(self, folder: MaildirFolder, uids: Sequence[int], target: str) -> Placed:
        """Copy to another folder."""

    async def move(self, folder: MaildirFolder, uids: Sequence[int], target: str) -> Placed:
        """Move to another folder."""


class MaildirFolder(SharedFolder):
    """What the sessions see of the folder.  Look once before anybody joins.

    ``lock`` is held by whoever looks or changes anything, so that one job at a time works with ``files``.
    When ``is_lost`` it shows nothing that may be used any more.
    """

    def __init__(
        self,
        name: str,
        files: FolderFiles,
        around: Surroundings,
        workers: IWorkers,
        now: Callable[[], float],
        index: Callable[[], AccountIndex],
        clock: IReactorTime | None,
    ) -> None:
        super().__init__(name, 0, now)
        self.files = files
        self.lock = DeferredLock()
        self.is_lost = False
        self._around = around
        self._workers = workers
        self._reading = Reading(files.path, files.names)
        self._knowledge = Knowledge(files.names, self._reading, index)
        self._records = Records(self, workers, index, clock)
        self._words = FolderWords(files.names, self._reading, index)
        self._learning = DeferredLock()
        self._learns_rest = False

    @property
    def claims(self) -> bool:
        """Is there a session that makes what is new known?"""
        return any(not session.read_only for session in self.sessions)

    def account_changed(self) -> None:
        """Tell the account that something in the folder is another."""
        self._around.changed(self)

    async def look(self) -> None:
        """See what is there; raises OSError."""
        async with self.lock:
            await self.look_now()

    async def look_now(self) -> None:
        """The same for who holds the lock."""
        if self.is_lost:
            return
        if self.uid_validity:
            self._reading.forget()
            self.apply(await self._run(partial(self.files.look, claim=self.claims)))
        else:
            self._show_first(*await self._run(self._first_look))

    def _first_look(self) -> tuple[Seen, History | None, Opening]:
        seen = self.files.look(claim=False)
        known = None if seen.is_lost else self._records.read(self.files.book.uid_validity)
        opening = compare(seen.arrived, known, self._now)
        gone = {uid for event in opening.events if event.flags is None for uid in event.uids}
        lines = self.files.book.spare.items()
        self.files.removed += [base for base, entry in lines if entry.uid in gone]
        return seen, known, opening

    def _show_first(self, seen: Seen, known: History | None, opening: Opening) -> None:
        """Show what is there, with what was known; nobody has the folder open yet."""
        if not seen.is_lost:
            self.uid_validity = self.files.book.uid_validity
            self._records.take_over(known)
            self.begin(opening, seen.recent)
            seen = Seen()
        self.apply(seen)

    def apply(self, seen: Seen) -> None:
        """Show what a job has seen."""
        if seen.is_lost:
            self.lose()
            return
        self.keywords.add(filter(None, self.files.keywords.known))
        gone = self.remove(seen.gone)
        changed = self.change(seen.changed)
        self.arrive(seen.arrived, seen.recent)
        self.uid_next = max(self.uid_next, self.files.book.next_uid)
        if gone or changed or seen.arrived:
            self._around.changed(self)
        self._forget_removed()

    def _forget_removed(self) -> None:
        removed, self.files.removed = self.files.removed, []
        self._records.forget(removed)

    def _note(self, events: Sequence[Event]) -> None:
        self._records.add(events)

    def lose(self) -> None:
        """The folder is no more, or begins anew; whoever has it open is told once."""
        if not self.is_lost:
            self.is_lost = True
            self.vanish()
            self._around.changed(self)

    async def store(
        self, uids: Sequence[int], change: FlagChange, flags: Flags, unchanged_since: int | None
    ) -> Stored:
        """Change flags.  After an OSError some may be changed, and all are told of those."""
        async with self.lock:
            await self.look_now()
            spelled = self.keywords.spelled(flags)
            changed: list[int] = []
            modified: list[int] = []
            for start in range(0, 0 if self.is_lost else len(uids), AT_ONCE):
                some: Sequence[int] = uids[start : start + AT_ONCE]
                for _attempt in range(ATTEMPTS):
                    plan = plan_store(self.messages, some, change, spelled, unchanged_since)
                    modified += plan.modified
                    done, some = await self._set(plan.changes)
                    changed += done
                    if not some:
                        break
                    await self._look_for_missing()
            return Stored(sorted(changed), sorted(modified))

    async def _set(self, changes: Sequence[tuple[int, Flags]]) -> tuple[list[int], list[int]]:
        """Return those that have changed, and those that are not where they were seen."""
        if not changes:
            return [], []
        try:
            result = await self._run(set_flags, self.files, changes)
        except NoKeywordLeft:
            raise FolderRefused(FolderFault.LIMIT, ALL_LETTERS) from None
        done = self.change(result.done)
        if done:
            self._around.changed(self)
        if result.error is not None:
            raise result.error
        return done, result.missing

    async def expunge(self, uids: Sequence[int]) -> Sequence[int]:
        """Remove those that are marked as deleted.  After an OSError some may have gone."""
        async with self.lock:
            await self.look_now()
            marked = [uid for uid in self.messages.present(uids) if DELETED in self.messages.flags(uid)]
            return await self.remove_now(marked)

    async def remove_now(self, uids: Sequence[int]) -> list[int]:
        """Remove these, whatever their flags, for who holds the lock; return those that have gone."""
        gone: list[int] = []
        for _attempt in range(ATTEMPTS):
            if not uids or self.is_lost:
                break
            result = await self._run(expunge, self.files, uids)
            self.remove(result.gone)
            self._forget_removed()
            gone += result.gone
            if result.gone:
                self._around.freed(result.octets, len(result.gone))
                self._around.changed(self)
            if result.error is not None:
                raise result.error
            if result.missing:
                await self._look_for_missing()
            uids = self.messages.present(result.missing)
        return sorted(gone)

    async def _look_for_missing(self) -> None:
        """Another program has renamed or removed what we were about to change."""
        self.files.suspect()
        await self.look_now()

    async def copy(self, uids: Sequence[int], target: str) -> Placed:
        """Copy to another folder, or this."""
        return await self._around.copy(self, uids, target)

    async def move(self, uids: Sequence[int], target: str) -> Placed:
        """Move to another folder, or to the end of this."""
        return await self._around.move(self, uids, target)

    async def columns(self, uids: Sequence[int], wanted: Sequence[Column]) -> Sequence[Sequence[Any]]:
        """What is known of messages."""
        found: list[list[Any]] = [[] for _column in wanted]
        for start in range(0, len(uids), AT_ONCE // 4):
            some = uids[start : start + AT_ONCE // 4]
            for column, values in zip(
                found, await self._run(self._knowledge.columns, some, wanted), strict=True
            ):
                column += values
        return found

    async def containing(self, column: Column, needle: str) -> Collection[int] | None:
        """Which messages have a text in a column, if all are in the index."""
        return await self._run(self._knowledge.containing, column, needle)

    async def holding(self, needle: str, *, in_header: bool, learn: bool = True) -> Holding | None:
        """Which messages hold a text, by the index of words."""
        if learn:
            await self._learn()
        return await self._run(partial(self._words.holding, needle, in_header=in_header))

    async def _learn(self) -> None:
        """Index words, for so long; what is left then is done while nobody waits."""
        async with self._learning:
            for _job in range(MOST_JOBS):
                if not await self._run(self._words.learn):
                    return
        if not self._learns_rest:
            self._learns_rest = True
            Deferred.fromCoroutine(self._learn_rest()).addErrback(self._log_learning)

    async def _learn_rest(self) -> None:
        try:
            while not self.is_lost and await self._run(self._words.learn):
                pass
        finally:
            self._learns_rest = False

    def _log_learning(self, failure: Failure) -> None:
        if not failure.check(HostStops):
            log.failure("The words of {name} cannot be indexed", failure, name=self.name)

    async def expunged_since(self, modseq: int) -> Sequence[int] | None:
        """Which have gone."""
        return self.gone_since(modseq)

    async def octets(self) -> int:
        """Of all messages, with CRLF line ends."""
        async with self.lock:
            return await self._run(self._knowledge.octets)

    async def content(self, uid: int) -> Content:
        """One message; raises KeyError, OSError."""
        return await self._run(self._reading.content, uid)

    def read_cached(self, uid: int) -> bytes | None:
        """One small message, if it is in memory."""
        return self._reading.read_cached(uid)

    async def read_many(self, uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Small messages."""
        return await self._run(self._reading.read_many, uids)

    async def _run(self, job: Callable[..., T], *arguments: Any) -> T:
        return await self._workers.run(job, *arguments)
