"""What every store with folders must do with the list of them: make, delete, rename, subscribe, count."""

from __future__ import annotations

from typing import Any

import pytest
from zope.interface.verify import verifyObject

from mailsys.interfaces import (
    FlagChange,
    FolderEntry,
    FolderFault,
    IFolders,
    IFolderStore,
)
from mailsys.testing.folders_asked import FoldersAsked, Told
from mailsys.testing.store_asked import BOB, ONE, TWO

SEEN, DELETED = frozenset({"\\Seen"}), frozenset({"\\Deleted"})
BAD_NAMES = ("", "a//b", "/a", "a/", "a\nb", "a\x00", "x" * 1000)


class FolderListContract(FoldersAsked):
    """The list."""

    def test_it_provides_the_interfaces(self, store: Any) -> None:
        """Both."""
        assert verifyObject(IFolderStore, store)
        assert verifyObject(IFolders, self.folders(store))

    def test_an_account_has_an_inbox_and_nothing_else(self, store: Any) -> None:
        """Though nobody made it."""
        assert self.wait_for(self.folders(store).list()) == [FolderEntry("INBOX")]
        status = self.wait_for(self.folders(store).status("inbox"))
        assert (status.messages, status.recent, status.unseen, status.deleted, status.octets) == (
            0,
            0,
            0,
            0,
            0,
        )
        assert status.uid_next == 1
        assert 0 < status.uid_validity < 2**32
        assert 0 < status.highest_modseq < 2**63

    def test_folders_are_made_with_those_above_them(self, store: Any) -> None:
        """And are there after a kill."""
        self.create(store, "Work/Plans/2027", "Älteres & Neues", "inbox/Sub")
        expected = ["INBOX", "INBOX/Sub", "Work", "Work/Plans", "Work/Plans/2027", "Älteres & Neues"]
        assert self.names(store) == expected
        assert self.names(self.revived(store)) == expected

    def test_a_folder_is_made_once(self, store: Any) -> None:
        """Those above count as made."""
        self.create(store, "Work/Plans")
        for name in ("Work", "Work/Plans", "inbox"):
            self.is_refused(self.folders(store).create(name), FolderFault.EXISTS)

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_what_cannot_be_a_name_is_refused(self, store: Any, name: str) -> None:
        """To make, to subscribe, and as a new name."""
        self.create(store, "Work")
        folders = self.folders(store)
        self.is_refused(folders.create(name), FolderFault.BAD_NAME)
        self.is_refused(folders.subscribe(name), FolderFault.BAD_NAME)
        self.is_refused(folders.rename("Work", name), FolderFault.BAD_NAME)

    def test_what_is_not_there_is_refused(self, store: Any) -> None:
        """With the same fault everywhere."""
        folders = self.folders(store)
        for asked in (
            folders.status("No"),
            folders.delete("No"),
            folders.rename("No", "Other"),
            folders.append("No", []),
            folders.open("No", Told(), read_only=True),
            folders.open("../bob", Told(), read_only=True),
        ):
            self.is_refused(asked, FolderFault.NONEXISTENT)
        assert self.names(store) == ["INBOX"]

    def test_special_use_stays(self, store: Any) -> None:
        """RFC 6154: over a kill and a new name, not over a deletion."""
        self.wait_for(self.folders(store).create("Gesendet", "\\Sent"))
        store = self.revived(store)
        self.wait_for(self.folders(store).rename("Gesendet", "Alt/Gesendet"))
        listed = {entry.name: entry.special_use for entry in self.wait_for(self.folders(store).list())}
        assert listed == {"INBOX": "", "Alt": "", "Alt/Gesendet": "\\Sent"}
        self.wait_for(self.folders(store).delete("Alt/Gesendet"))
        self.create(store, "Alt/Gesendet")
        assert {entry.special_use for entry in self.wait_for(self.folders(store).list())} == {""}

    def test_a_deleted_folder_has_gone_with_its_messages(self, store: Any) -> None:
        """Those below it stay, and a new one of its name is another."""
        self.create(store, "Work/Plans")
        self.append(store, ONE, name="Work")
        self.append(store, TWO, name="Work/Plans")
        before = self.wait_for(self.folders(store).status("Work")).uid_validity
        self.wait_for(self.folders(store).delete("Work"))
        listed = [(entry.name, entry.exists) for entry in self.wait_for(self.folders(store).list())]
        assert listed == [("INBOX", True), ("Work", False), ("Work/Plans", True)]
        assert self.texts(self.select(store, "Work/Plans")) == [TWO]
        store = self.revived(store)
        self.create(store, "Work")
        status = self.wait_for(self.folders(store).status("Work"))
        assert status.uid_validity > before
        assert status.messages == 0

    def test_the_inbox_stays(self, store: Any) -> None:
        """RFC 9051 6.3.5."""
        self.is_refused(self.folders(store).delete("inbox"), FolderFault.NOT_ALLOWED)

    def test_a_folder_is_renamed_with_all_below_it(self, store: Any) -> None:
        """With its messages, their UIDs and UIDVALIDITY; what is above the new name is made."""
        self.create(store, "Work/Plans", "Workshop")
        placed = self.append(store, ONE, TWO, name="Work/Plans", flags=["\\Seen", "$Junk"])
        self.wait_for(self.folders(store).rename("Work", "Old/Work"))
        store = self.revived(store)
        assert self.names(store) == ["INBOX", "Old", "Old/Work", "Old/Work/Plans", "Workshop"]
        folder = self.select(store, "Old/Work/Plans")
        assert folder.uid_validity == placed.uid_validity
        assert list(folder.uids) == list(placed.uids)
        assert self.texts(folder) == [ONE, TWO]
        assert folder.flags(placed.uids[0]) == {"\\Seen", "$Junk"}

    def test_a_rename_never_covers_a_folder(self, store: Any) -> None:
        """Nor does a folder go below itself."""
        self.create(store, "A/C", "B/C")
        folders = self.folders(store)
        self.is_refused(folders.rename("A", "B"), FolderFault.EXISTS)
        self.is_refused(folders.rename("A", "inbox"), FolderFault.EXISTS)
        self.is_refused(folders.rename("A", "A/B"), FolderFault.NOT_ALLOWED)
        assert self.names(store) == ["INBOX", "A", "A/C", "B", "B/C"]

    def test_the_inbox_gives_its_messages_and_stays(self, store: Any) -> None:
        """RFC 9051 6.3.6: what is below it is not touched."""
        self.create(store, "INBOX/Sub")
        self.append(store, ONE, flags=SEEN)
        self.deliver(store, TWO)
        self.wait_for(self.folders(store).rename("INBOX", "Old"))
        assert self.names(store) == ["INBOX", "INBOX/Sub", "Old"]
        old = self.select(store, "Old")
        assert len(old.uids) == 2
        assert old.flags(old.uids[0]) == SEEN
        assert len(self.select(store).uids) == 0

    def test_subscriptions_are_of_names(self, store: Any) -> None:
        """Whether there is such a folder or not; they outlive the folder."""
        folders = self.folders(store)
        self.create(store, "Work", "Other")
        for name in ("Work", "Not/Yet", "inbox", "Work"):
            self.wait_for(folders.subscribe(name))
        self.wait_for(folders.delete("Work"))
        store = self.revived(store)
        assert self.wait_for(self.folders(store).list()) == [
            FolderEntry("INBOX", subscribed=True),
            FolderEntry("Not", exists=False),
            FolderEntry("Not/Yet", exists=False, subscribed=True),
            FolderEntry("Other"),
            FolderEntry("Work", exists=False, subscribed=True),
        ]
        self.wait_for(self.folders(store).unsubscribe("Work"))
        self.wait_for(self.folders(store).unsubscribe("Not/Yet"))
        self.wait_for(self.folders(store).unsubscribe("never was"))
        listed = self.wait_for(self.folders(self.revived(store)).list())
        assert [(entry.name, entry.subscribed) for entry in listed] == [("INBOX", True), ("Other", False)]

    def test_status_counts(self, store: Any) -> None:
        """Without opening, and after a kill."""
        self.append(store, ONE, flags=SEEN)
        self.append(store, TWO, flags=DELETED)
        self.append(store, b"bare\nends\n")
        store = self.revived(store)
        status = self.wait_for(self.folders(store).status("INBOX"))
        assert (status.messages, status.unseen, status.deleted) == (3, 2, 1)
        assert status.octets == len(ONE) + len(TWO) + len(b"bare\nends\n") + 2
        folder = self.select(store)
        assert (folder.uid_next, folder.uid_validity) == (status.uid_next, status.uid_validity)
        assert folder.highest_modseq == status.highest_modseq

    def test_usage_is_of_all_folders(self, store: Any) -> None:
        """Against the limit."""
        self.create(store, "Work")
        self.append(store, ONE)
        self.append(store, TWO, name="Work")
        usage = self.wait_for(self.folders(store).usage())
        assert (usage.octets, usage.messages, usage.limit) == (len(ONE) + len(TWO), 2, None)

    def test_who_watches_hears_of_each_folder(self, store: Any) -> None:
        """Until it stops; sessions of one account share its folders, whoever asks for them."""
        heard: list[str] = []
        stop = self.folders(store).watch(heard.append)
        other = self.folders(store, BOB)
        self.wait_for(other.create("Bob's"))
        assert heard == []
        self.wait_for(self.folders(store).create("Work"))
        self.wait_for(self.folders(store).subscribe("Work"))
        self.wait_for(self.select(store, "Work").look())
        assert set(heard) == {"Work"}
        heard.clear()
        uid = self.append(store, ONE, name="Work").uids[0]
        assert heard.pop() == "Work"
        self.wait_for(self.select(store, "Work").store([uid], FlagChange.ADD, SEEN))
        assert heard.pop() == "Work"
        self.deliver(store, TWO)
        assert heard.pop() == "INBOX"
        self.wait_for(self.folders(store).rename("Work", "Old"))
        assert {"Work", "Old"} <= set(heard)
        stop()
        stop()
        heard.clear()
        self.wait_for(self.folders(store).delete("Old"))
        assert heard == []
