"""What every store with folders must do when sessions change flags, delete, copy and move."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from mailsys.interfaces import Column, FlagChange, FolderFault, FolderRefused, IFolder
from mailsys.testing.folders_asked import LONG_AGO, FoldersAsked, Told
from mailsys.testing.store_asked import BARE, ONE, TWO

SEEN, DELETED, FLAGGED = frozenset({"\\Seen"}), frozenset({"\\Deleted"}), frozenset({"\\Flagged"})
NONE: frozenset[str] = frozenset()


class FlagContract(FoldersAsked):
    """STORE, and what it does to modseqs (RFC 7162)."""

    def put(self, folder: IFolder, uids: Collection[int], change: FlagChange, *flags: str) -> list[int]:
        """Store; return those that changed."""
        return list(self.wait_for(folder.store(list(uids), change, frozenset(flags))).changed)

    def test_flags_are_added_removed_and_replaced(self, store: Any) -> None:
        """And are so after a kill."""
        one, two = self.append(store, ONE, TWO).uids
        folder = self.select(store)
        assert self.put(folder, [one, two, 999], FlagChange.ADD, "\\Seen", "work") == [one, two]
        assert self.put(folder, [two], FlagChange.REMOVE, "\\Seen", "\\Draft") == [two]
        assert self.put(folder, [one], FlagChange.REPLACE, "\\Answered", "\\Flagged") == [one]
        for opened in (folder, self.select(self.revived(store))):
            assert opened.flags(one) == {"\\Answered", "\\Flagged"}
            assert opened.flags(two) == {"work"}
        with pytest.raises(KeyError):
            folder.flags(999)

    def test_what_is_so_already_does_not_change(self, store: Any) -> None:
        """Nobody is told, and the modseq stays."""
        [uid] = self.append(store, ONE, flags=SEEN).uids
        told = Told()
        folder = self.select(store, told=told)
        before = folder.highest_modseq
        assert self.put(folder, [uid], FlagChange.ADD, "\\seen") == []
        assert self.put(folder, [uid], FlagChange.REMOVE, "other") == []
        assert (told.taken(), folder.highest_modseq) == ([], before)

    def test_a_keyword_keeps_its_first_spelling(self, store: Any) -> None:
        """Keywords are compared without regard to case (RFC 9051 2.3.2); \\Recent is not kept."""
        one, two = self.append(store, ONE, TWO).uids
        folder = self.select(store)
        self.put(folder, [one], FlagChange.ADD, "Work", "\\DELETED", "\\Recent")
        self.put(folder, [two], FlagChange.ADD, "wORK")
        assert folder.flags(one) == {"Work", "\\Deleted"}
        assert folder.flags(two) == {"Work"}
        self.put(folder, [two], FlagChange.REMOVE, "WORK")
        assert folder.flags(two) == NONE

    @pytest.mark.parametrize("keyword", ["", "a b", "a\nb", "(", "x" * 256, "\xe4", "a\x00"])
    def test_what_cannot_be_a_keyword_is_refused(self, store: Any, keyword: str) -> None:
        """By STORE and by APPEND, and nothing is changed."""
        uids = self.append(store, ONE).uids
        folder = self.select(store)
        asked = folder.store(uids, FlagChange.ADD, frozenset({"\\Seen", keyword}))
        self.is_refused(asked, FolderFault.NOT_ALLOWED)
        with pytest.raises(FolderRefused):
            self.append(store, TWO, flags=[keyword])
        assert [folder.flags(uid) for uid in folder.uids] == [NONE]

    def test_every_session_is_told(self, store: Any) -> None:
        """Also the one that did it."""
        [uid] = self.append(store, ONE).uids
        told = [Told(), Told()]
        folder, other = (self.select(store, told=one) for one in told)
        self.put(folder, [uid], FlagChange.ADD, "\\Seen")
        assert [one.taken() for one in told] == [[("flags", [uid])]] * 2
        assert other.flags(uid) == SEEN

    def test_modseqs_rise_with_each_change(self, store: Any) -> None:
        """A message's is that of its last; the folder's is never below one of them, nor after a kill."""
        one, two = self.append(store, ONE, TWO).uids
        folder = self.select(store)
        start = folder.highest_modseq
        assert 0 < folder.modseq(one) <= start
        assert 0 < folder.modseq(two) <= start
        self.put(folder, [two], FlagChange.ADD, "\\Seen")
        assert start < folder.modseq(two) <= folder.highest_modseq
        assert folder.modseq(one) <= start
        assert list(folder.changed_since(start)) == [two]
        assert list(folder.changed_since(folder.highest_modseq)) == []
        highest = folder.highest_modseq
        again = self.select(self.revived(store))
        assert again.highest_modseq >= highest
        self.put(again, [one], FlagChange.ADD, "\\Seen")
        assert again.modseq(one) > highest

    def test_what_has_changed_meanwhile_is_left_alone(self, store: Any) -> None:
        """UNCHANGEDSINCE."""
        one, two = self.append(store, ONE, TWO).uids
        folder = self.select(store)
        known = folder.highest_modseq
        self.put(folder, [two], FlagChange.ADD, "\\Answered")
        stored = self.wait_for(folder.store([one, two], FlagChange.ADD, SEEN, unchanged_since=known))
        assert (list(stored.changed), list(stored.modified)) == ([one], [two])
        assert folder.flags(one) == SEEN
        assert folder.flags(two) == {"\\Answered"}

    def test_many_messages_are_changed_at_once(self, store: Any) -> None:
        """With one modseq."""
        uids = self.append(store, *[ONE] * 50).uids
        folder = self.select(store)
        assert self.put(folder, uids, FlagChange.ADD, "\\Seen") == list(uids)
        assert {folder.modseq(uid) for uid in uids} == {folder.highest_modseq}


class ExpungeContract(FoldersAsked):
    """Messages go, and their UIDs with them."""

    def test_only_what_is_marked_goes(self, store: Any) -> None:
        """And stays away after a kill; no UID is used again."""
        one, two, three = self.append(store, ONE, TWO, BARE, flags=DELETED).uids
        told = Told()
        folder = self.select(store, told=told)
        self.wait_for(folder.store([two], FlagChange.REMOVE, DELETED))
        told.taken()
        assert list(self.wait_for(folder.expunge([two, three, 999]))) == [three]
        assert told.taken() == [("expunged", [three])]
        with pytest.raises(KeyError):
            self.text(folder, three)
        for life in (store, self.revived(store)):
            assert list(self.select(life).uids) == [one, two]
        assert self.append(self.revived(store), ONE).uids[0] > three

    def test_what_has_gone_is_remembered(self, store: Any) -> None:
        """QRESYNC; None means that nobody knows."""
        one, two = self.append(store, ONE, TWO, flags=DELETED).uids
        folder = self.select(store)
        before = folder.highest_modseq
        self.wait_for(folder.expunge([one]))
        between = folder.highest_modseq
        assert between > before
        self.wait_for(folder.expunge([two]))
        assert self.wait_for(folder.expunged_since(before)) == [one, two]
        assert self.wait_for(folder.expunged_since(between)) == [two]
        assert self.wait_for(folder.expunged_since(folder.highest_modseq)) == []
        assert self.wait_for(folder.expunged_since(1)) is None

    def test_another_session_sees_it_gone(self, store: Any) -> None:
        """What it asks of such a message is passed over."""
        [uid] = self.append(store, ONE, flags=DELETED).uids
        told = Told()
        folder, other = self.select(store), self.select(store, told=told)
        self.wait_for(folder.expunge([uid]))
        assert told.taken() == [("expunged", [uid])]
        assert self.wait_for(other.store([uid], FlagChange.ADD, SEEN)).changed == []
        assert list(self.wait_for(other.expunge([uid]))) == []
        assert self.wait_for(other.columns([uid], [Column.WIRE_SIZE])) == [[None]]
        self.create(store, "Work")
        assert list(self.wait_for(other.copy([uid], "Work")).uids) == []


class CopyContract(FoldersAsked):
    """COPY and MOVE."""

    def test_copies_have_flags_and_date(self, store: Any) -> None:
        """And are messages of their own."""
        self.create(store, "Work")
        one, two = self.append(store, ONE, TWO, flags=["\\Seen", "blue"]).uids
        folder = self.select(store)
        placed = self.wait_for(folder.copy([one, 999, two], "work".capitalize()))
        assert list(placed.sources) == [one, two]
        work = self.select(store, "Work")
        assert (placed.uid_validity, list(placed.uids)) == (work.uid_validity, list(work.uids))
        assert self.texts(work) == [ONE, TWO]
        assert [work.flags(uid) for uid in work.uids] == [{"\\Seen", "blue"}] * 2
        assert self.column(work, Column.INTERNAL_DATE) == [LONG_AGO] * 2
        self.wait_for(work.store(placed.uids, FlagChange.REPLACE, DELETED))
        self.wait_for(work.expunge(placed.uids))
        assert self.texts(folder) == [ONE, TWO]
        assert folder.flags(one) == {"\\Seen", "blue"}

    def test_a_copy_into_the_same_folder_is_one_more(self, store: Any) -> None:
        """With a new UID."""
        [uid] = self.append(store, ONE).uids
        told = Told()
        folder = self.select(store, told=told)
        placed = self.wait_for(folder.copy([uid], "INBOX"))
        assert list(folder.uids) == [uid, *placed.uids]
        assert told.taken() == [("arrived", list(placed.uids))]
        assert self.texts(self.select(self.revived(store))) == [ONE, ONE]

    def test_moved_messages_are_in_the_other_folder_only(self, store: Any) -> None:
        """Sessions of both are told."""
        self.create(store, "Work")
        one, two = self.append(store, ONE, TWO, flags=["blue"]).uids
        here, there = Told(), Told()
        folder, _ = self.select(store, told=here), self.select(store, "Work", there)
        placed = self.wait_for(folder.move([two], "Work"))
        assert list(placed.sources) == [two]
        assert here.taken() == [("expunged", [two])]
        assert there.taken() == [("arrived", list(placed.uids))]
        for life in (store, self.revived(store)):
            assert self.texts(self.select(life)) == [ONE]
            moved = self.select(life, "Work")
            assert self.texts(moved) == [TWO]
            assert moved.flags(moved.uids[0]) == {"blue"}
        assert list(self.wait_for(folder.move([two], "Work")).uids) == []
        assert [message.uid for message in self.open(store, exclusive=False).messages] == [one]

    def test_a_move_into_the_same_folder_gives_new_uids(self, store: Any) -> None:
        """The message is there once."""
        one, two = self.append(store, ONE, TWO).uids
        folder = self.select(store)
        placed = self.wait_for(folder.move([one], "INBOX"))
        assert list(folder.uids) == [two, *placed.uids]
        assert self.texts(self.select(self.revived(store))) == [TWO, ONE]

    def test_keywords_are_spelled_as_the_target_has_them(self, store: Any) -> None:
        """A copy shows what another life will find."""
        self.create(store, "Work")
        self.append(store, ONE, name="Work", flags=["blue"])
        uids = self.append(store, TWO, flags=["BLUE"]).uids
        work = self.select(store, "Work")
        self.wait_for(self.select(store).copy(uids, "Work"))
        for opened in (work, self.select(self.revived(store), "Work")):
            assert [opened.flags(uid) for uid in opened.uids] == [{"blue"}, {"blue"}]
            assert list(opened.keywords) == ["blue"]

    def test_a_target_that_is_not_there_changes_nothing(self, store: Any) -> None:
        """TRYCREATE is the session's to say."""
        uids = self.append(store, ONE).uids
        folder = self.select(store)
        self.is_refused(folder.copy(uids, "No"), FolderFault.NONEXISTENT)
        self.is_refused(folder.move(uids, "No"), FolderFault.NONEXISTENT)
        assert self.texts(folder) == [ONE]
        assert self.names(store) == ["INBOX"]
