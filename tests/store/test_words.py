"""The index of words: what it says of each text is true, and it costs nothing to lose it."""

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsys.message.content import MemoryContent
from mailsys.message.structure.casemap import search_form
from mailsys.message.structure.scan import scan_octets
from mailsys.message.structure.search_text import find_texts
from mailsys.store.index import words
from mailsys.store.index.database import AccountIndex
from mailsys.store.maildir.file_names import Ending, FileNames
from mailsys.store.maildir.reading import Reading
from mailsys.store.maildir.words import FolderWords, Vocabularies

TEXTS = [
    "needle in the hay",
    "two needles, one Hay",
    "ne edle",
    "Schöne Grüße aus Übersee; “quoted” e\u0301t\u00e9",
    "x" * 350 + "y" * 50,
    "漢字かな交じり文",
    "a_b-c.d@e.example 12:30",
]


class Folder:
    """Messages in a Maildir, with names and an index of its own."""

    def __init__(self, path, texts=TEXTS):
        self.path = path
        self.names = FileNames()
        (path / "cur").mkdir(parents=True)
        self.octets = {}
        for text in texts:
            self.put(text)
        self.index = AccountIndex(str(path))
        self.vocabularies = Vocabularies()
        self.words = self.opened()

    def opened(self):
        return FolderWords(
            self.names, Reading(str(self.path), self.names), lambda: self.index, self.vocabularies
        )

    def put(self, text, subject="a subject"):
        uid = len(self.octets) + 1
        self.octets[uid] = (
            f"Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode()
        )
        (self.path / "cur" / f"m{uid}:2,").write_bytes(self.octets[uid])
        self.names.add(uid, f"m{uid}", Ending("cur", ":2,"))
        return uid

    def learn(self):
        while self.words.learn():
            pass

    def ask(self, text, in_header=True):
        """Certain and possible."""
        found = self.words.holding(search_form(text), in_header=in_header)
        return sorted(found.certain), sorted(found.possible)

    def really(self, text, in_header):
        needle = {search_form(text)}
        wanted = (needle, ()) if in_header else ((), needle)
        return {
            uid
            for uid, octets in self.octets.items()
            if any(find_texts(MemoryContent([octets]), scan_octets(octets), *wanted))
        }

    def check(self, text):
        for in_header in (True, False):
            certain, possible = map(set, self.ask(text, in_header))
            really = self.really(text, in_header)
            assert certain <= really <= certain | possible, (text, in_header)


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path / "mail")
    folder.learn()
    yield folder
    folder.index.close()


def test_one_word_is_certain(folder):
    assert folder.ask("needle") == ([1, 2], [])
    assert folder.ask("EEDL") == ([1, 2], [])
    assert folder.ask("grüße") == ([4], [])
    assert folder.ask("字か") == ([6], [])
    assert folder.ask("nowhere") == ([], [])


def test_several_words_must_be_looked_at(folder):
    assert folder.ask("needle in") == ([], [1])
    assert folder.ask("two needle") == ([], [2])
    assert folder.ask("needle hay") == ([], [1])  # both are in it, but not together
    assert folder.ask("edl hay") == ([], [])
    assert folder.ask("le in the h") == ([], [1])
    assert folder.ask("s, o") == ([], [2])
    assert folder.ask(" hay") == ([], [1, 2])


def test_words_of_headers_are_kept_apart(folder):
    assert folder.ask("subject") == ([1, 2, 3, 4, 5, 6, 7], [])
    assert folder.ask("subject", in_header=False) == ([], [])
    assert folder.ask("a subject") == ([], [1, 2, 3, 4, 5, 6, 7])


def test_without_a_word_all_is_possible(folder):
    assert folder.ask("@") == ([], [1, 2, 3, 4, 5, 6, 7])
    assert folder.words.holding("a\ue000", in_header=True) is None


def test_long_words(folder):
    assert folder.ask("x" * 90 + "y" * 10) == ([5], [])
    assert folder.ask("x" * 100) == ([5], [])
    assert folder.ask("x" * 101) == ([], [5])
    assert folder.ask("y" * 101) == ([], [])
    folder.check("y" * 50)


needle_bits = st.sampled_from(
    ["needle", "n", "e", "hay", "x" * 60, "y" * 60, "ö", "É", "漢", "“", "_", "@", ".", " ", ", "]
)


@settings(max_examples=60)
@given(st.lists(needle_bits, min_size=1, max_size=4).map("".join).filter(str.strip))
def test_what_it_says_is_true(shared_folder, needle):
    shared_folder.check(needle)


@settings(max_examples=60)
@given(st.data())
def test_parts_of_texts_are_found(shared_folder, data):
    text = data.draw(st.sampled_from(TEXTS))
    start = data.draw(st.integers(0, len(text) - 1))
    needle = text[start : start + data.draw(st.integers(1, 120))]
    if needle.strip():
        shared_folder.check(needle)


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("words") / "mail")
    folder.learn()
    yield folder
    folder.index.close()


def test_what_is_not_indexed_is_possible(folder):
    uid = folder.put("a needle more")
    assert folder.ask("needle") == ([1, 2], [uid])
    folder.learn()
    assert folder.ask("needle") == ([1, 2, uid], [])
    assert folder.ask("more") == ([uid], [])


def test_words_of_another_process_are_read(folder):
    other = folder.opened()
    other._vocabularies = Vocabularies()
    uid = folder.put("novelty")
    while other.learn():
        pass
    assert folder.ask("novelty") == ([uid], [])


def test_a_message_that_has_gone_is_not_found(folder):
    folder.names.remove([1])
    assert folder.ask("needle") == ([2], [])
    (folder.path / "cur" / "m2:2,").unlink()
    folder.put("x")
    (folder.path / "cur" / "m8:2,").unlink()
    folder.learn()
    assert folder.ask("needle") == ([2], [8])  # its reader finds out


def test_files_that_have_gone_are_not_sought_for_ever(folder, monkeypatch):
    monkeypatch.setattr("mailsys.store.maildir.words.BATCH", 2)
    for text in ("a", "b"):
        (folder.path / "cur" / f"m{folder.put(text)}:2,").unlink()
    folder.learn()
    assert folder.ask("needle") == ([1, 2], [8, 9])


def test_of_a_large_message_not_all_is_certain(tmp_path, monkeypatch):
    monkeypatch.setattr("mailsys.store.maildir.words.MOST_CHARACTERS", 20)
    folder = Folder(tmp_path / "mail", ["short", "first " + "hay " * 10 + "last"])
    folder.learn()
    assert folder.ask("first") == ([2], [2])
    assert folder.ask("last") == ([], [2])
    assert folder.ask("short") == ([1], [2])
    folder.index.close()


def test_a_word_that_is_everywhere_excludes_nobody(folder, monkeypatch):
    monkeypatch.setattr(words, "MOST_TERMS", 2)
    assert folder.ask("e") == ([], [1, 2, 3, 4, 5, 6, 7])


def test_copies_have_the_words_of_their_message(folder):
    folder.names.add(8, "copy", Ending("cur", ":2,"))
    folder.index.run(lambda connection: words.copy(connection, [("copy", "m1")]))
    assert folder.ask("needle") == ([1, 2, 8], [])


def test_messages_that_go_leave_no_words_for_ever(folder, monkeypatch):
    monkeypatch.setattr(words, "SPARE", 0)
    folder.index.run(lambda connection: words.delete(connection, ["m1", "m2", "m3"]))
    assert folder.index.run(words.exists)
    folder.index.run(lambda connection: words.delete(connection, ["m4"]))
    assert not folder.index.run(words.exists)
    folder.names.remove([1, 2, 3, 4])
    assert folder.ask("12") == ([], [5, 6, 7])
    folder.learn()
    assert folder.ask("12") == ([7], [])
    assert folder.ask("needle") == ([], [])


def test_a_lost_index_is_made_anew(folder):
    for name in folder.path.glob("mailsys-index*"):
        name.unlink()
    assert folder.ask("needle") == ([], [1, 2, 3, 4, 5, 6, 7])
    folder.learn()
    assert folder.ask("needle") == ([1, 2], [])


def test_without_fts5_there_is_no_index_of_words(folder, monkeypatch):
    monkeypatch.setattr(words, "is_possible", lambda connection: False)
    assert folder.words.holding("NEEDLE", in_header=True) is None
    assert folder.words.learn() is False


def test_an_index_that_cannot_be_opened(tmp_path):
    folder = Folder(tmp_path / "mail", ["needle"])
    folder.index = AccountIndex(str(tmp_path / "nowhere"))
    assert folder.words.learn() is False
    assert folder.words.holding("NEEDLE", in_header=True) is None


def test_the_vocabularies_of_some_accounts_are_kept():
    known = Vocabularies(most=2)
    for name in "abc":
        known.put(name, (1, 1), [name])
    assert known.get("a", (1, 1)) is None
    assert known.get("c", (1, 1)) == ["c"]
    assert known.get("c", (1, 2)) is None


def test_this_sqlite_has_what_it_needs():
    with sqlite3.connect(":memory:") as connection:
        assert words.is_possible(connection)
