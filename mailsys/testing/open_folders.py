"""What every store with folders must do for sessions that have one open, several at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from zope.interface.verify import verifyObject

from mailsys.interfaces import Column, FlagChange, FolderFault, IFolder, NewMessage
from mailsys.message.content import READ_OCTETS, MemoryContent
from mailsys.testing.folders_asked import LONG_AGO, FoldersAsked, Told
from mailsys.testing.store_asked import ANN, BARE, BOB, HEAD, LARGE, ONE, TWO

SEEN, DELETED, FLAGGED = frozenset({"\\Seen"}), frozenset({"\\Deleted"}), frozenset({"\\Flagged"})
NONE: frozenset[str] = frozenset()


class OpenFolderContract(FoldersAsked):
    """Reading, and what one session does to the view of others."""

    def test_it_provides_the_interface(self, store: Any) -> None:
        """All of it, empty."""
        folder = self.select(store, "inbox")
        assert verifyObject(IFolder, folder)
        assert (folder.name, list(folder.uids), folder.uid_next, folder.read_only) == ("INBOX", [], 1, False)

    def test_appended_messages_are_as_they_were_given(self, store: Any) -> None:
        """Octets, flags in the spelling of RFC 9051 2.3.2, and date; also after a kill."""
        placed = self.append(store, ONE, BARE, LARGE, flags=["\\SEEN", "$Junk", "work"])
        assert list(placed.uids) == sorted(set(placed.uids))
        for life in (store, self.revived(store)):
            folder = self.select(life)
            assert (folder.uid_validity, list(folder.uids)) == (placed.uid_validity, list(placed.uids))
            assert self.texts(folder) == [ONE, BARE, LARGE]
            assert {folder.flags(uid) for uid in folder.uids} == {frozenset({"\\Seen", "$Junk", "work"})}
            assert self.column(folder, Column.INTERNAL_DATE) == [LONG_AGO] * 3
            assert self.column(folder, Column.WIRE_SIZE) == [len(ONE), len(BARE) + 3, len(LARGE)]
            assert {"$Junk", "work"} <= set(folder.keywords)

    def test_one_that_is_unreadable_leaves_none(self, store: Any) -> None:
        """All or none."""
        broken = NewMessage(BrokenContent(), NONE, LONG_AGO)
        good = NewMessage(MemoryContent([ONE]), NONE, LONG_AGO)
        with pytest.raises(OSError):  # noqa: PT011 - which one is the store's affair
            self.wait_for(self.folders(store).append("INBOX", [good, broken]))
        assert list(self.select(store).uids) == []
        assert self.wait_for(self.folders(store).usage()).messages == 0

    def test_over_quota_nothing_is_appended_or_copied(self, store: Any) -> None:
        """To the octet; a move needs no room."""
        account = replace(ANN, quota_bytes=2 * len(ONE))
        folders = self.folders(store, account)
        one = NewMessage(MemoryContent([ONE]), NONE, LONG_AGO)
        self.is_refused(folders.append("INBOX", [one, one, one]), FolderFault.OVER_QUOTA)
        self.wait_for(folders.append("INBOX", [one, one]))
        self.is_refused(folders.append("INBOX", [one]), FolderFault.OVER_QUOTA)
        self.wait_for(folders.create("Work"))
        inbox = self.wait_for(folders.open("INBOX", Told(), read_only=False))
        self.is_refused(inbox.copy(inbox.uids[:1], "Work"), FolderFault.OVER_QUOTA)
        self.wait_for(inbox.move(inbox.uids[:1], "Work"))
        usage = self.wait_for(folders.usage())
        assert (usage.octets, usage.messages, usage.limit) == (2 * len(ONE), 2, 2 * len(ONE))

    def test_room_that_was_made_can_be_used(self, store: Any) -> None:
        """At once, by an append and by a delivery's question."""
        account = replace(ANN, quota_bytes=len(ONE))
        folders = self.folders(store, account)
        one = NewMessage(MemoryContent([ONE]), DELETED, LONG_AGO)
        placed = self.wait_for(folders.append("INBOX", [one]))
        assert not self.wait_for(store.quota.has_room(account, 1))
        inbox = self.wait_for(folders.open("INBOX", Told(), read_only=False))
        self.wait_for(inbox.expunge(placed.uids))
        assert self.wait_for(store.quota.has_room(account, len(ONE)))
        self.wait_for(folders.append("INBOX", [one]))

    def test_small_messages_are_read_at_once(self, store: Any) -> None:
        """One that is large is None, one that never was a KeyError."""
        one, large, two = self.append(store, ONE, LARGE, TWO).uids
        folder = self.select(store)
        results = self.wait_for(folder.read_many([two, large, one, two + 7]))
        assert results[:3] == [TWO, None, ONE]
        assert isinstance(results[3], KeyError)
        assert folder.read_cached(one) in (None, ONE)
        assert folder.read_cached(large) is None
        assert folder.read_cached(two + 7) is None
        with pytest.raises(KeyError):
            self.wait_for(folder.content(two + 7))
        content = self.wait_for(folder.content(large))
        assert content.size == len(LARGE)
        assert content.read(READ_OCTETS, 7) == LARGE[READ_OCTETS : READ_OCTETS + 7]

    def test_what_is_delivered_arrives(self, store: Any) -> None:
        """Every session of the account is told, after the folder shows it."""
        first, second = Told(), Told()
        folder = self.select(store, told=first)
        examined = self.select(store, told=second, read_only=True)
        self.deliver(store, ONE)
        self.deliver(store, TWO, BOB)
        self.wait_for(folder.look())
        [uid] = folder.uids
        assert first.taken() == second.taken() == [("arrived", [uid])]
        assert self.text(examined, uid) == HEAD + ONE
        assert (folder.flags(uid), folder.uid_next) == (NONE, uid + 1)

    def test_a_message_is_recent_for_one_session(self, store: Any) -> None:
        """The first that may change the folder; one that only looks leaves it so."""
        self.deliver(store, ONE)
        looking = self.select(store, read_only=True)
        [uid] = looking.uids
        first, second = self.select(store), self.select(store)
        assert (set(looking.recent), set(first.recent), set(second.recent)) == ({uid}, {uid}, set())
        self.deliver(store, TWO)
        self.wait_for(second.look())
        assert set(first.recent) == set(first.uids)
        assert set(second.recent) == set()
        for folder in (looking, first, second):
            folder.close()
        assert set(self.select(store).recent) == set()

    def test_a_session_that_closed_hears_no_more(self, store: Any) -> None:
        """Again does no harm."""
        told = Told()
        folder = self.select(store, told=told)
        folder.close()
        folder.close()
        self.append(store, ONE)
        assert told.taken() == []

    def test_appends_are_told_to_who_has_the_folder_open(self, store: Any) -> None:
        """By the time that it returns."""
        told = Told()
        folder = self.select(store, told=told)
        placed = self.append(store, ONE, TWO)
        assert told.taken() == [("arrived", list(placed.uids))]
        assert list(folder.uids) == list(placed.uids)

    def test_other_protocols_on_the_same_folder_are_seen(self, store: Any) -> None:
        """POP3 deletes: who watches is told at the latest when it looks."""
        told = Told()
        one, two = self.append(store, ONE, TWO).uids
        folder = self.select(store, told=told)
        mailbox = self.open(store)
        self.wait_for(mailbox.expunge([one]))
        mailbox.close()
        self.wait_for(folder.look())
        assert told.taken() == [("expunged", [one])]
        assert list(folder.uids) == [two]
        assert [message.uid for message in self.open(store, exclusive=False).messages] == [two]

    def test_columns_come_in_the_order_of_the_uids(self, store: Any) -> None:
        """None for a message that has gone."""
        one, two = self.append(store, ONE, BARE).uids
        folder = self.select(store)
        sizes, dates = self.wait_for(
            folder.columns([two, 999, one], [Column.WIRE_SIZE, Column.INTERNAL_DATE])
        )
        assert list(sizes) == [len(BARE) + 3, None, len(ONE)]
        assert list(dates) == [LONG_AGO, None, LONG_AGO]

    def test_an_index_of_words_says_the_truth(self, store: Any) -> None:
        """Who holds a text for certain does, and who is not named does not; or there is none."""
        texts = [
            b"Subject: of tea\r\n\r\nGreen tea\r\nand more\r\n",
            b"Subject: x\r\n\r\nteapot, TEA cup\r\n",
            ONE,
        ]
        one, two, _other = self.append(store, *texts).uids
        folder = self.select(store)
        for needle, in_header, holding in [
            ("TEA", True, {one, two}),
            ("TEA", False, {one, two}),
            ("OF T", True, {one}),
            ("OF", False, set()),
            ("TEA AND", False, {one}),
            (", TEA", True, {two}),
        ]:
            found = self.wait_for(folder.holding(needle, in_header=in_header))
            if found is None:
                continue
            certain = set(found.certain)
            assert certain <= holding <= certain | set(found.possible), needle

    def test_an_open_folder_that_is_deleted_or_renamed_is_gone(self, store: Any) -> None:
        """A session hears it once, and may still close it; a new folder of the name is not the old one."""
        for change in ("delete", "rename"):
            self.create(store, "Work")
            told = Told()
            folder = self.select(store, "Work", told)
            if change == "delete":
                self.wait_for(self.folders(store).delete("Work"))
            else:
                self.wait_for(self.folders(store).rename("Work", "Old"))
            self.create(store, "Work")
            self.append(store, ONE, name="Work")
            assert told.taken() == [("gone", [])]
            folder.close()
            self.wait_for(self.folders(store).delete("Work"))

    def test_a_folder_opened_for_reading_is_not_changed(self, store: Any) -> None:
        """By whatever method; it may be copied from."""
        self.create(store, "Work")
        uids = self.append(store, ONE, flags=DELETED).uids
        folder = self.select(store, read_only=True)
        assert folder.read_only
        for asked in (
            folder.store(uids, FlagChange.ADD, SEEN),
            folder.expunge(uids),
            folder.move(uids, "Work"),
        ):
            self.is_refused(asked, FolderFault.NOT_ALLOWED)
        assert self.wait_for(folder.copy(uids, "Work")).sources == uids
        assert folder.flags(uids[0]) == DELETED


class BrokenContent:
    """A message whose disk is broken."""

    size = len(ONE)

    def read(self, offset: int, octets: int) -> bytes:
        """Raise OSError."""
        raise OSError("input/output error")

    def pieces(self):  # type: ignore[no-untyped-def]
        """Raise OSError after the first piece."""
        yield ONE[:5]
        raise OSError("input/output error")
