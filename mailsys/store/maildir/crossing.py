"""COPY and MOVE between two folders of one account, or within one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from twisted.logger import Logger

from mailsys.interfaces import Account, FolderFault, FolderRefused, IWorkers, Placed
from mailsys.store.index import descriptions, words
from mailsys.store.index.database import AccountIndex, NoIndex, Work
from mailsys.store.maildir.arrivals import put_now
from mailsys.store.maildir.file_names import CUR, NEW
from mailsys.store.maildir.folder import MaildirFolder
from mailsys.store.maildir.folder_files import FolderFiles
from mailsys.store.maildir.names import sizes_in
from mailsys.store.maildir.placing import Incoming, SourceGone
from mailsys.store.maildir.quota import MaildirQuota
from mailsys.store.maildir.transfer import Transfer

ATTEMPTS = 5

log = Logger(namespace="mailsys.store")


class Crossing:
    """Between folders of one account; ``now`` gives seconds since 1970."""

    def __init__(
        self,
        workers: IWorkers,
        quota: MaildirQuota,
        transfer: Transfer,
        index: Callable[[], AccountIndex],
        now: Callable[[], float],
    ) -> None:
        self._workers = workers
        self._quota = quota
        self._transfer = transfer
        self._index = index
        self._now = now

    async def copy(
        self, account: Account, source: MaildirFolder, uids: Sequence[int], target: MaildirFolder
    ) -> Placed:
        """Copy all that are there, or none; raises FolderRefused, NoKeywordLeft, FolderGone, OSError."""
        async with _both(source, target):
            return await self._copy(account, source, uids, target, moves=False)

    async def move(
        self, account: Account, source: MaildirFolder, uids: Sequence[int], target: MaildirFolder
    ) -> Placed:
        """Move likewise.  After a kill a message may be in both, never in none."""
        async with _both(source, target):
            if source is target:
                placed = await self._copy(account, source, uids, target, moves=True)
                await source.remove_now(placed.sources)
                return placed
            return await _again(source, uids, partial(self._move, source, target))

    async def _copy(
        self,
        account: Account,
        source: MaildirFolder,
        uids: Sequence[int],
        target: MaildirFolder,
        *,
        moves: bool,
    ) -> Placed:
        held = 0
        if account.quota_bytes is not None and not moves:
            held = await self._workers.run(_octets, source.files, source.messages.present(uids))
        if held and not await self._quota.hold(account, held):
            raise FolderRefused(FolderFault.OVER_QUOTA)
        used = 0
        try:
            placed = await _again(source, uids, partial(self._link, source, target))
            used = len(placed.uids)
            return placed
        finally:
            if held:
                self._quota.release(account, held, used=0)
            if used:
                self._quota.add(account, held, used)

    async def _link(self, source: MaildirFolder, target: MaildirFolder, uids: Sequence[int]) -> list[int]:
        linked = await self._workers.run(self._transfer.link, source.files, uids)
        try:
            placed = await put_now(self._workers, target, lambda: linked)
        except BaseException:
            await self._workers.run(self._transfer.discard, linked)
            raise
        await self._workers.run(self._note_copies, linked)
        return placed

    async def _move(self, source: MaildirFolder, target: MaildirFolder, uids: Sequence[int]) -> list[int]:
        """The files go from folder to folder, under their own names where these are free."""
        shown = await self._workers.run(target.files.shown)
        incoming = [self._incoming(source.files, uid, shown) for uid in uids]
        placed = await put_now(self._workers, target, lambda: incoming)
        await self._workers.run(_forget, source.files, uids)
        source.remove(uids)
        source.account_changed()
        await self._workers.run(self._note_moves, incoming)
        return placed

    def _note_copies(self, linked: Sequence[Incoming]) -> None:
        pairs = [(one.base, one.origin) for one in linked]
        self._note(partial(descriptions.copy, copies=pairs, saved=self._now()))
        self._note(partial(words.copy, copies=pairs))

    def _note_moves(self, incoming: Sequence[Incoming]) -> None:
        self._note(partial(descriptions.moved, bases=[one.base for one in incoming], saved=self._now()))

    def _note(self, work: Work[None]) -> None:
        """In the index, which goes without if it must: then the messages are read again.

        The messages are where they belong by now, so nothing that happens here may make a failure of it.
        """
        try:
            self._index().run(work)
        except NoIndex:
            pass  # the log says why
        except Exception:
            log.failure("What was copied or moved could not be noted in the index")

    def _incoming(self, files: FolderFiles, uid: int, shown: object) -> Incoming:
        base, ending = files.names.get(uid)
        path = f"{files.path}/{ending.subdirectory}/{base}{ending.suffix}"
        if base in shown:  # type: ignore[operator]
            base = self._transfer.new_name(base)
        return Incoming(path, base, files.keywords.flags(ending.suffix))


async def _again(
    source: MaildirFolder, uids: Sequence[int], work: Callable[[Sequence[int]], Awaitable[list[int]]]
) -> Placed:
    """Do it with all that are there, from the start when another program has just moved one of them."""
    for _attempt in range(ATTEMPTS):
        await source.look_now()
        sources = [] if source.is_lost else source.messages.present(uids)
        try:
            placed = await work(sources) if sources else []
        except SourceGone:
            source.files.suspect()
            continue
        return Placed(0, placed, sources)
    raise OSError(f"Other programs change {source.name} all the time")


def _octets(files: FolderFiles, uids: Sequence[int]) -> int:
    octets = 0
    for uid in uids:
        try:
            path = f"{files.path}/{files.names.path(uid)}"
            size, _wire_size = sizes_in(os.path.basename(path))
            octets += os.lstat(path).st_size if size is None else size
        except (KeyError, FileNotFoundError):
            continue
    return octets


def _forget(files: FolderFiles, uids: Sequence[int]) -> None:
    """They have moved away, and are safe where they are now."""
    files.forget(uids)
    files.suspect()
    try:
        files.sync((CUR, NEW))
    except OSError as error:
        # A loss of power may show them here again, and that is all.
        log.error("{path!r} cannot be synced: {error}", path=files.path, error=error)


@asynccontextmanager
async def _both(one: MaildirFolder, other: MaildirFolder) -> AsyncIterator[None]:
    """Hold the locks of both, always in the order of their names."""
    first, second = sorted((one, other), key=lambda folder: folder.name)
    async with first.lock:
        if first is second:
            yield
            return
        async with second.lock:
            yield
