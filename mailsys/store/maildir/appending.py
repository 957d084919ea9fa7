"""APPEND: messages are written and synced by themselves, then put into their folder with what else waits."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from mailsys.interfaces import Account, Flags, FolderFault, FolderRefused, IWorkers, NewMessage
from mailsys.store.maildir.arrivals import Arrivals
from mailsys.store.maildir.folder import MaildirFolder
from mailsys.store.maildir.indexer import Arrived, Tell
from mailsys.store.maildir.placing import Incoming
from mailsys.store.maildir.quota import MaildirQuota
from mailsys.store.maildir.transfer import Transfer


class Appending:
    """Into the folders of the account whose Maildir is ``root``; ``tell`` hears of each message."""

    def __init__(
        self, workers: IWorkers, quota: MaildirQuota, transfer: Transfer, root: str, tell: Tell
    ) -> None:
        self._workers = workers
        self._quota = quota
        self._transfer = transfer
        self._root = root
        self._tell = tell
        self._arrivals: WeakKeyDictionary[MaildirFolder, Arrivals] = WeakKeyDictionary()

    async def append(
        self, account: Account, folder: MaildirFolder, messages: Sequence[NewMessage]
    ) -> Sequence[int]:
        """Return UIDs when all is synced; raises FolderRefused, FolderGone, NoKeywordLeft, OSError."""
        spelled = [(message, folder.keywords.spelled(message.flags)) for message in messages]
        octets = sum(message.content.size for message in messages)
        if not await self._quota.hold(account, octets):
            raise FolderRefused(FolderFault.OVER_QUOTA)
        used = 0
        try:
            uids = await self._put(folder, spelled)
            used = len(uids)
            self._tell_of(folder, uids)
            return uids
        finally:
            self._quota.release(account, octets, used=0)
            if used:
                self._quota.add(account, octets, used)

    async def _put(self, folder: MaildirFolder, messages: Sequence[tuple[NewMessage, Flags]]) -> list[int]:
        written: list[Incoming] = []

        def write() -> Sequence[Incoming]:
            written.extend(self._transfer.write(messages))
            return written

        arrivals = self._arrivals.get(folder)
        if arrivals is None:
            arrivals = self._arrivals[folder] = Arrivals(self._workers, folder)
        try:
            return await arrivals.put_written(write)
        except BaseException:
            await self._workers.run(self._transfer.discard, written)
            raise

    def _tell_of(self, folder: MaildirFolder, uids: Sequence[int]) -> None:
        for uid in uids:
            try:
                base, ending = folder.files.names.get(uid)
            except KeyError:
                continue  # it has gone already
            self._tell(Arrived(self._root, folder.files.path, ending.subdirectory, base, ending.suffix))
