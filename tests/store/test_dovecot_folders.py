"""Dovecot and our IMAP store over the same tree, in turn and at once: flags, UIDs, subscriptions."""

import re
import time

import pytest
from dovecot import Dovecot, program, unprivileged_folder
from folders_house import FoldersHouse
from maildir_house import ANN, result_of

from mailsys.interfaces import FlagChange
from mailsys.message.modified_utf7 import encode_utf7

"".encode("utf-16-be")  # while Python can be read: the tests become another user
SEEN, DELETED = frozenset({"\\Seen"}), frozenset({"\\Deleted"})


class House(FoldersHouse):
    """The time of its clock is the machine's, for what lies on the disk is compared with it."""

    monotonic = property(lambda self: time.monotonic(), lambda self, value: None)


@pytest.fixture
def house():
    program("imap")
    with unprivileged_folder() as folder:
        house = House(folder)
        house.clock = time.time() - 3600
        yield house


@pytest.fixture
def dovecot(house):
    house.tree.ready(ANN.address, "INBOX", "new")
    dovecot = Dovecot(house.data, house.root())
    yield dovecot
    dovecot.stop()
    assert dovecot.complaints() == []


def their_name(name):
    """As Dovecot shows it here: a dot between levels."""
    return '"' + ".".join(map(encode_utf7, name.split("/"))) + '"'


def theirs(imap, name="INBOX"):
    """UIDVALIDITY, and UID → flags."""
    assert imap.select(their_name(name))[0] == "OK"
    found = {}
    for item in imap.uid("FETCH", "1:*", "(FLAGS)")[1]:
        if item is not None:
            uid, flags = re.search(rb"UID (\d+)", item)[1], re.search(rb"FLAGS \(([^)]*)\)", item)[1]
            found[int(uid)] = frozenset(flags.decode().split()) - {"\\Recent"}
    return imap.uid_validity(), found


def ours(house, name="INBOX"):
    folder = house.select(name=name)
    result_of(folder.look())
    found = folder.uid_validity, {uid: folder.flags(uid) for uid in folder.uids}
    folder.close()
    return found


def test_flags_and_keywords_are_the_same_for_both(house, dovecot):
    uids = house.append(4, {"\\Seen", "$Junk", "Work"})
    folder = house.select()
    result_of(folder.store(uids[:2], FlagChange.REPLACE, frozenset({"\\Flagged", "\\Draft", "blue"})))
    imap = dovecot.imap()
    assert theirs(imap) == ours(house)
    imap.uid("STORE", "2:3", "+FLAGS", r"(red work \Answered)")
    imap.uid("STORE", "4", "-FLAGS", r"($Junk)")
    assert theirs(imap) == ours(house)
    result_of(folder.store(uids, FlagChange.ADD, frozenset({"green", "RED"})))
    result_of(folder.store(uids[3:], FlagChange.REPLACE, frozenset()))
    assert theirs(imap) == ours(house) == ours(house.again())


def test_a_session_hears_what_dovecot_does(house, dovecot):
    """Appended, marked, expunged beside it; its UIDs are those that Dovecot gave."""
    house.append(2)
    folder = house.select()
    imap = dovecot.imap()
    imap.append("INBOX", r"(\Seen theirs)", None, b"Subject: theirs\r\n\r\ntext\r\n")
    imap.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
    imap.expunge()
    result_of(folder.look())
    assert list(folder.uids) == [2, 3]
    assert folder.flags(3) == {"\\Seen", "theirs"}
    assert theirs(imap) == ours(house)


def test_copies_and_moves_keep_their_uids(house, dovecot):
    house.append(3, {"blue"})
    result_of(house.folders.create("Work"))
    folder = house.select()
    result_of(folder.copy([1, 2], "Work"))
    result_of(folder.move([3], "Work"))
    imap = dovecot.imap()
    assert theirs(imap) == ours(house)
    assert theirs(imap, "Work") == ours(house, "Work")
    imap.uid("COPY", "3", "INBOX")
    imap.uid("STORE", "1,3", "+FLAGS", r"(\Deleted)")
    imap.expunge()
    assert theirs(imap) == ours(house)
    assert theirs(imap, "Work") == ours(house, "Work")
    result_of(house.select(name="INBOX").move([4], "Work"))
    assert theirs(imap, "Work") == ours(house, "Work") == ours(house.again(), "Work")


def test_folders_and_subscriptions_are_the_same(house, dovecot):
    for name in ("Work", "Work/Plans", "Älteres & Neues"):
        result_of(house.folders.create(name))
        result_of(house.folders.subscribe(name))
    imap = dovecot.imap()
    imap.create("Theirs.Deep")
    imap.subscribe("Theirs.Deep")
    imap.unsubscribe("Work")
    listed = result_of(house.folders.list())
    assert {entry.name for entry in listed if entry.subscribed} == {
        "Work/Plans", "Älteres & Neues", "Theirs/Deep",
    }  # fmt: skip
    assert "Theirs/Deep" in house.names_of_folders()
    their_list = {re.search(rb'"\." "?([^"]+)"?$', item)[1].decode() for item in imap.lsub()[1]}
    assert their_list == {their_name(entry.name).strip('"') for entry in listed if entry.subscribed}


def test_renamed_and_deleted_folders(house, dovecot):
    """UIDs and UIDVALIDITY go with the name; a deleted one's never returns, whoever makes it anew."""
    result_of(house.folders.create("Work/Plans"))
    house.append(2, SEEN, "Work/Plans")
    imap = dovecot.imap()
    before = theirs(imap, "Work/Plans")
    imap.select()
    result_of(house.folders.rename("Work", "Old/Work"))
    assert theirs(imap, "Old/Work/Plans") == before == ours(house, "Old/Work/Plans")
    imap.select()
    imap.rename("Old.Work", "New")
    assert ours(house, "New/Plans") == before
    validities = [before[0]]
    for delete, make in (
        (lambda: result_of(house.folders.delete("New/Plans")), lambda: imap.create("New.Plans")),
        (lambda: imap.delete("New.Plans"), lambda: result_of(house.folders.create("New/Plans"))),
    ):
        delete()
        make()
        validities.append(theirs(imap, "New/Plans")[0])
        assert ours(house, "New/Plans")[0] == validities[-1]
        imap.select()
    assert validities == sorted(set(validities))


def test_to_and_fro(house, dovecot):
    """Both change everything in turn, one of them with a session that stays open."""
    imap = dovecot.imap()
    folder = house.select()
    texts = {}
    for turn in range(8):
        house.append(2, {f"ours{turn % 3}"}, first=10 * turn)
        imap.append("INBOX", rf"(\Seen theirs{turn % 3})", None, b"Subject: turn %d\r\n\r\n" % turn)
        result_of(folder.look())
        assert theirs(imap) == ours(house)
        for uid, text in house.texts().items():
            assert texts.setdefault(uid, text) == text
        first, last = folder.uids[0], folder.uids[-1]
        result_of(folder.store([last], FlagChange.ADD, DELETED))
        imap.uid("STORE", str(first), "+FLAGS", r"(\Deleted)")
        if turn % 2:
            imap.expunge()
        else:
            result_of(folder.look())
            result_of(folder.expunge(folder.uids[:]))
        assert theirs(imap) == ours(house)
        result_of(folder.look())
        assert list(folder.uids) == list(ours(house)[1])
