"""Names that lead elsewhere, files that are none, folders that are swapped, quotas that are raced for."""

import os
import unicodedata
from contextlib import suppress
from dataclasses import replace

import pytest
from folders_house import TEXT, FoldersHouse
from maildir_house import ANN, NOON, NoIndexes, result_of
from twisted.internet.defer import Deferred, gatherResults

from mailsys.interfaces import Column, FlagChange, FolderFault, FolderRefused, NewMessage
from mailsys.message.content import MemoryContent
from mailsys.testing.folders_asked import Told

NAMES = [
    "../x", "..", ".", "/etc/passwd", "a/../b", "a/./b", "a\0b", "\0", "a//b", "a/", "/a", "~user", "x/~root",
    "x" * 10_000, "/".join("a" * 1000), "a\nb", "a\rb", "\x7f", "\ud800", "a ", " a", "a.b", ".a", "...",
    "tmp/../../x", "\u2028", unicodedata.normalize("NFD", "\xe9"),
]  # fmt: skip
SEEN, DELETED = frozenset({"\\Seen"}), frozenset({"\\Deleted"})


@pytest.fixture
def house(tmp_path):
    return FoldersHouse(tmp_path / "data", indexes=NoIndexes())


def everything(path):
    return sorted(os.path.join(at, name) for at, *names in os.walk(path) for some in names for name in some)


@pytest.mark.row(49)
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_name_never_leads_elsewhere(house, tmp_path, name):
    house.append(1)
    result_of(house.folders.create("Work"))
    folders = house.folders
    folder = house.select()
    result_of(folder.look())
    before = everything(tmp_path)
    for asked in (
        folders.create(name),
        folders.create(f"Work/{name}"),
        folders.delete(name),
        folders.rename(name, "Other"),
        folders.rename("Work", name),
        folders.rename("INBOX", name),
        folders.subscribe(name),
        folders.status(name),
        folders.open(name, Told(), read_only=False),
        folders.append(name, []),
        folder.copy([1], name),
        folder.move([1], name),
    ):
        with pytest.raises(FolderRefused) as refused:
            result_of(asked)
        assert refused.value.fault in (FolderFault.BAD_NAME, FolderFault.NONEXISTENT)
    result_of(folders.unsubscribe(name))
    after = [path for path in everything(tmp_path) if not path.endswith("/maildirsize")]
    assert after == [path for path in before if not path.endswith("/maildirsize")]


@pytest.mark.row(49)
def test_inbox_is_one_in_any_case(house):
    house.append(1)
    for name in ("inbox", "InBox", "INBOX"):
        assert list(house.texts(name)) == [1]
        with pytest.raises(FolderRefused):
            result_of(house.folders.create(name))
    result_of(house.folders.create("inbox/Sub"))
    assert house.names_of_folders() == ["INBOX", "INBOX/Sub"]
    with pytest.raises(FolderRefused):
        result_of(house.folders.create("INBOX/Sub"))


@pytest.mark.row(50)
def test_what_is_no_message_is_left_alone(house, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    house.append(1)
    cur = house.root() / "cur"
    (cur / "1.link.host:2,").symlink_to(secret)
    os.mkfifo(cur / "2.fifo.host:2,")
    (cur / "3.directory.host").mkdir()
    (cur / "x\ny").write_text("line break")
    (cur / ".hidden").write_text("hidden")
    folder = house.select()
    assert list(folder.uids) == [1]
    result_of(folder.store(folder.uids[:], FlagChange.ADD, DELETED))
    result_of(folder.expunge(folder.uids[:]))
    assert len(os.listdir(cur)) == 5
    assert secret.read_text() == "secret"


@pytest.mark.row(50)
def test_a_message_that_becomes_a_link_is_not_followed(house, tmp_path):
    """After it was seen."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    uids = house.append(2, SEEN)
    result_of(house.folders.create("Work"))
    folder = house.select()
    path = next((house.root() / "cur").iterdir())
    path.unlink()
    path.symlink_to(secret)
    texts = [text for text in result_of(folder.read_many(uids)) if isinstance(text, bytes)]
    assert len(texts) == 1
    assert folder.read_cached(uids[0]) in (None, texts[0])
    copied = result_of(folder.copy(uids, "Work"))
    assert b"secret" not in b"".join(house.texts("Work").values())
    assert len(copied.uids) == 1


@pytest.mark.row(50)
def test_flags_that_are_there_twice_or_unknown_stay_harmless(house):
    house.put("1.a.host:2,SSTTzq", b"a\n", "cur")
    house.put("2.b.host:1,x", b"b\n", "cur")
    house.put("3.c.host:2,S,more", b"c\n", "cur")
    folder = house.select()
    assert [folder.flags(uid) for uid in folder.uids] == [{"\\Seen", "\\Deleted"}, set(), {"\\Seen"}]
    result_of(folder.store(folder.uids[:], FlagChange.ADD, frozenset({"\\Flagged"})))
    assert house.names_in("cur") == ["1.a.host:2,FSTzq", "2.b.host:2,F", "3.c.host:2,FS,more"]
    assert house.again().flags() == {uid: folder.flags(uid) for uid in folder.uids}


def test_keywords_are_26_and_those_that_no_message_has_make_room(house):
    [one, two] = house.append(2)
    folder = house.select()
    first = frozenset(f"first{number}" for number in range(26))
    result_of(folder.store([one], FlagChange.ADD, first))
    with pytest.raises(FolderRefused) as refused:
        result_of(folder.store([two], FlagChange.ADD, frozenset({"more"})))
    assert refused.value.fault is FolderFault.LIMIT
    result_of(folder.store([one], FlagChange.REMOVE, frozenset({"first7", "first20"})))
    result_of(folder.store([two], FlagChange.ADD, frozenset({"more", "still"})))
    expected = {one: first - {"first7", "first20"}, two: {"more", "still"}}
    assert house.flags() == house.again().flags() == expected
    with pytest.raises(FolderRefused):
        house.append(1, {"first7"})


@pytest.mark.row(50)
def test_many_files_in_new(house):
    for number in range(3000):
        house.put(f"{1700000000 + number}.x.host", b"a\n")
    folder = house.select()
    assert len(folder.uids) == len(folder.recent) == 3000
    result_of(folder.look())
    assert house.names_in("new") == []
    assert len(house.names_in("cur")) == 3000


@pytest.mark.row(51)
@pytest.mark.parametrize("element", ["", "/cur", "/new"])
def test_a_folder_that_is_swapped_for_a_link_is_not_followed(house, tmp_path, element):
    """Nothing of another's is read or changed through it."""
    other = FoldersHouse(tmp_path / "other", indexes=NoIndexes())
    result_of(other.folders.create("Work"))
    other.append(2, SEEN, "Work", first=50)
    result_of(house.folders.create("Work"))
    house.append(1, SEEN, "Work")
    told = Told()
    folder = house.select(told, "Work")
    result_of(folder.look())
    here, there = house.root() / f".Work{element}", other.root() / f".Work{element}"
    here.rename(tmp_path / "away")
    here.symlink_to(there)
    before = everything(tmp_path / "other")
    result_of(folder.look())
    assert told.taken() == [("gone", [])]
    for asked in (
        house.folders.open("Work", Told(), read_only=False),
        house.folders.append("Work", [NewMessage(MemoryContent([TEXT % (1, 1)]), SEEN, NOON)]),
    ):
        with pytest.raises((OSError, FolderRefused)):
            result_of(asked)
    with suppress(FolderRefused):
        result_of(house.folders.delete("Work"))
    assert everything(tmp_path / "other") == before
    assert list(other.texts("Work")) == [1, 2]


@pytest.mark.row(51)
def test_a_quota_is_not_exceeded_by_a_race(house):
    """100 appends at once, of which ten fit."""
    account = replace(ANN, quota_bytes=10 * 1000)
    folders = house.store.folders(account)
    message = NewMessage(MemoryContent([b"x" * 1000]), SEEN, NOON)
    appends = [Deferred.fromCoroutine(folders.append("INBOX", [message])) for _ in range(100)]
    outcomes = []
    gatherResults([append.addBoth(outcomes.append) for append in appends])
    assert len(outcomes) == 100
    usage = result_of(folders.usage())
    assert usage.octets <= account.quota_bytes
    assert usage.messages == 10


def test_names_that_other_programs_made_are_seen(house):
    """What we would not make ourselves can be read, and renamed."""
    names = ["~user", "end ", unicodedata.normalize("NFD", "\xe9"), "a/~b"]
    house.select().close()
    for name in names:
        directory = house.root() / ("." + name.replace("/", ".") if name.isascii() else ".e&AwE-")
        for subdirectory in ("cur", "new"):
            (directory / subdirectory).mkdir(parents=True)
        (directory / "cur" / "1.x.host:2,S").write_bytes(b"Subject: there\n\n")
    assert sorted(house.names_of_folders()) == sorted(["INBOX", *names])
    for number, name in enumerate(names):
        assert house.flags(name) == {1: SEEN}
        house.append(1, SEEN, name)
        result_of(house.folders.rename(name, f"Better {number}"))
        assert len(house.texts(f"Better {number}")) == 2


def test_sizes_that_no_name_tells_are_measured(house):
    house.put("1.a.host", b"Subject: a\n\nb\n")
    folder = house.select()
    assert result_of(folder.columns([1], [Column.WIRE_SIZE])) == [[len(b"Subject: a\r\n\r\nb\r\n")]]
    assert result_of(house.folders.status("INBOX")).octets == len(b"Subject: a\r\n\r\nb\r\n")
