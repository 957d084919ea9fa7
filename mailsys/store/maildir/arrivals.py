"""Files that come into a folder: what waits at the same moment is put in place, and synced, together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import Deferred

from mailsys.interfaces import Flags, IWorkers
from mailsys.store.maildir.folder import MaildirFolder
from mailsys.store.maildir.folder_files import Seen
from mailsys.store.maildir.placing import FolderGone, Incoming, place

Make = Callable[[], Sequence[Incoming]]


async def put_now(workers: IWorkers, folder: MaildirFolder, make: Make) -> list[int]:
    """Put files in place and show them, for who holds the folder's lock; return their UIDs.

    ``make`` says which, in a worker thread.  Raises FolderGone, SourceGone, NoKeywordLeft, OSError, and what
    it raises; then none is there.
    """
    if folder.is_lost:
        raise FolderGone
    seen = Seen()

    def work(claim: bool) -> list[tuple[int, Flags]]:
        files = folder.files
        uids = place(files, make(), seen, claim=claim)
        return [(uid, files.keywords.flags(files.names.get(uid)[1].suffix)) for uid in uids]

    try:
        messages = await workers.run(work, folder.claims)
    finally:
        folder.apply(seen)  # also when nothing could be put there
    uids = [uid for uid, _flags in messages]
    folder.apply(Seen(arrived=messages, recent=uids))
    return uids


class Arrivals:
    """Appends to one folder, in batches."""

    def __init__(self, workers: IWorkers, folder: MaildirFolder) -> None:
        self._workers = workers
        self._folder = folder
        self._waiting: list[tuple[Sequence[Incoming], Deferred[list[int]]]] = []

    async def put_written(self, make: Make) -> list[int]:
        """As ``put_now``, with one job instead of two where nobody else is at the folder.

        Where others are, they do not wait while this is written.
        """
        if self._folder.lock.locked:
            return await self.put(await self._workers.run(make))
        async with self._folder.lock:
            return await put_now(self._workers, self._folder, make)

    async def put(self, incoming: Sequence[Incoming]) -> list[int]:
        """As ``put_now``, together with what others put at the same time."""
        done: Deferred[list[int]] = Deferred()
        self._waiting.append((incoming, done))
        async with self._folder.lock:
            if not done.called:
                await self._put_waiting()
        return await done

    async def _put_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        everything = [one for incoming, _done in batch for one in incoming]
        try:
            uids = await put_now(self._workers, self._folder, lambda: everything)
        except Exception as error:
            if len(batch) == 1:
                batch[0][1].errback(error)
                return
            for incoming, done in batch:  # one of them may be the only one that cannot be
                await self._put_alone(incoming, done)
            return
        for incoming, done in batch:
            done.callback(uids[: len(incoming)])
            uids = uids[len(incoming) :]

    async def _put_alone(self, incoming: Sequence[Incoming], done: Deferred[list[int]]) -> None:
        try:
            uids = await put_now(self._workers, self._folder, lambda: incoming)
        except Exception as error:
            done.errback(error)
        else:
            done.callback(uids)
