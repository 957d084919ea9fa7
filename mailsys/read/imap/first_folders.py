"""The folders that an account has from its first login on (RFC 6154)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from twisted.logger import Logger

from mailsys.interfaces import FolderRefused, IFolders
from mailsys.message.address import Address

FOLDERS: Mapping[str, str] = {
    "Drafts": "\\Drafts",
    "Sent": "\\Sent",
    "Junk": "\\Junk",
    "Trash": "\\Trash",
    "Archive": "\\Archive",
}
REMEMBERED = 10_000  # accounts of which it is known that they have folders

log = Logger(namespace="mailsys.read")


class FirstFolders:
    """Makes them for an account that has none but its INBOX, and subscribes to all."""

    def __init__(self) -> None:
        self._known: OrderedDict[Address, None] = OrderedDict()

    async def ensure(self, account: Address, folders: IFolders) -> None:
        """Look after an account that logs in; raises OSError."""
        if account in self._known:
            return
        if all(entry.name == "INBOX" and not entry.subscribed for entry in await folders.list()):
            await self._make(account, folders)
        self._known[account] = None
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    async def _make(self, account: Address, folders: IFolders) -> None:
        try:
            await folders.subscribe("INBOX")
            for name, use in FOLDERS.items():
                await folders.create(name, use)
                await folders.subscribe(name)
        except FolderRefused as refused:  # such as another session that makes them, too
            log.info("Not all folders were made for {account}: {why}", account=str(account), why=refused)
