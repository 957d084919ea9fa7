"""How the suites of folders ask a store, and a session that writes down what it is told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import pytest
from zope.interface import implementer

from mailsys.interfaces import (
    Account,
    Column,
    FolderFault,
    FolderRefused,
    IFolder,
    IFolders,
    IFolderStore,
    IFolderWatcher,
    NewMessage,
    Placed,
)
from mailsys.message.content import MemoryContent
from mailsys.testing.store_asked import ANN, StoreAsked

LONG_AGO = 1_000_000_000.0


@implementer(IFolderWatcher)
class Told:
    """What a session was told, in order."""

    def __init__(self) -> None:
        self.events: list[tuple[str, list[int]]] = []

    def arrived(self, uids: Sequence[int]) -> None:
        """Note it."""
        self.events.append(("arrived", list(uids)))

    def flags_changed(self, uids: Collection[int]) -> None:
        """Note it."""
        self.events.append(("flags", sorted(uids)))

    def expunged(self, uids: Sequence[int]) -> None:
        """Note it."""
        self.events.append(("expunged", list(uids)))

    def gone(self) -> None:
        """Note it."""
        self.events.append(("gone", []))

    def taken(self) -> list[tuple[str, list[int]]]:
        """What came since the last call."""
        events, self.events = self.events, []
        return events


class FoldersAsked(StoreAsked):
    """Give it a fixture ``store`` that is empty and provides IFolderStore, and ``again``."""

    def folders(self, store: Any, account: Account = ANN) -> IFolders:
        """The account's folders."""
        found: IFolders = IFolderStore(store).folders(account)
        return found

    def names(self, store: Any) -> list[str]:
        """The folders that exist, in the order of the list."""
        return [entry.name for entry in self.wait_for(self.folders(store).list()) if entry.exists]

    def create(self, store: Any, *names: str) -> None:
        """Make folders."""
        for name in names:
            self.wait_for(self.folders(store).create(name))

    def select(
        self, store: Any, name: str = "INBOX", told: Told | None = None, *, read_only: bool = False
    ) -> IFolder:
        """Open a folder as a session does."""
        opened = self.folders(store).open(name, told or Told(), read_only=read_only)
        return self.wait_for(opened)

    def append(self, store: Any, *texts: bytes, name: str = "INBOX", flags: Collection[str] = ()) -> Placed:
        """Append messages with the same flags."""
        messages = [NewMessage(MemoryContent([text]), frozenset(flags), LONG_AGO) for text in texts]
        return self.wait_for(self.folders(store).append(name, messages))

    def texts(self, folder: IFolder) -> list[bytes]:
        """All messages, by rising UID."""
        return [self.text(folder, uid) for uid in folder.uids]

    def text(self, folder: IFolder, uid: int) -> bytes:
        """One message; raises KeyError."""
        content = self.wait_for(folder.content(uid))
        return b"".join(content.pieces())

    def column(self, folder: IFolder, wanted: Column) -> list[Any]:
        """One column of all messages."""
        [values] = self.wait_for(folder.columns(folder.uids[:], [wanted]))
        return list(values)

    def is_refused(self, asked: Any, fault: FolderFault) -> None:
        """It cannot be done, for this reason and with some words."""
        with pytest.raises(FolderRefused) as refused:
            self.wait_for(asked)
        assert refused.value.fault is fault
        assert str(refused.value)
