"""Files of folders that others may have spoilt: what cannot be read is passed over, and that is all."""

import sqlite3

import pytest
from cutting import tried
from hypothesis import given
from hypothesis import strategies as st

from mailsys.sqlite import migrate
from mailsys.store.index import history
from mailsys.store.index.schema import STEPS
from mailsys.store.index.uid_sets import parse, render
from mailsys.store.maildir import keywords_file, special_use, subscriptions
from mailsys.store.maildir.folders import FolderNameError, folder_directory, folder_name, found_directory
from mailsys.store.maildir.info import KEYWORD_LETTERS, by_letter, flags_in, suffix_with

bits = st.sampled_from(
    ["V\t2", "\n", "\t", "INBOX", "&AMQ-", "&", "-", ".", "/", "0 a", "25 z", "26 b", " ", "9" * 30,
     "\udcff", "\0", ":2,", "S", "a", "z", "P", ",", "\\Sent ", ".Sent"]
)  # fmt: skip
texts = st.lists(bits | st.text(max_size=4), max_size=15).map("".join)


@given(texts)
def test_subscriptions(text):
    names = subscriptions._parse(text)
    assert len(names) == len(set(names))
    rendered = subscriptions._render(names).decode()
    assert subscriptions._parse(rendered) == names


@given(texts)
def test_keywords(text):
    keywords = keywords_file._parse(text)
    assert len(keywords) <= len(KEYWORD_LETTERS)
    present = [keyword.lower() for keyword in keywords if keyword]
    assert len(present) == len(set(present))
    assert all(keyword.isprintable() and " " not in keyword for keyword in keywords if keyword.isascii())


@given(texts, st.sets(st.sampled_from(["\\Seen", "\\Draft", "blue", "red"])))
def test_flags_in_names(suffix, flags):
    letters = by_letter(["blue", "", "red"])
    assert flags_in(suffix, letters) <= {
        "\\Seen",
        "\\Draft",
        "\\Flagged",
        "\\Answered",
        "\\Deleted",
        "blue",
        "red",
    }
    made = suffix_with(suffix, frozenset(flags), {"blue": "a", "red": "c"})
    assert flags_in(made, letters) == flags
    assert suffix_with(made, frozenset(flags), {"blue": "a", "red": "c"}) == made


@given(texts)
def test_special_uses(text):
    for line in text.split("\n"):
        match = special_use._LINE.fullmatch(line)
        assert match is None or (match[1].startswith("\\") and match[2].startswith("."))


@given(texts)
def test_directories_and_names(text):
    name = folder_name(text)
    if name is not None:
        assert found_directory(name) == text or not found_directory(name)
    for made in (folder_directory, found_directory):
        directory, _refused = tried(FolderNameError, made, text)
        assert not directory or (directory.startswith(".") and "/" not in directory and "\0" not in directory)
        assert directory not in (".", "..")


@given(st.sets(st.integers(1, 2**32 - 1) | st.integers(1, 40), max_size=30))
def test_sets_of_uids(uids):
    assert list(parse(render(sorted(uids)))) == sorted(uids)


set_bits = st.sampled_from(["1", ":", ",", "2:3", "1:4294967295", "9" * 5000, "-1", " ", "x", ""])


@pytest.mark.row(66)
@given(st.lists(set_bits, max_size=8).map("".join), st.text(max_size=5))
def test_a_spoilt_history_is_damage(uids, flags):
    """Row 66: neither long numbers nor wide ranges are a surprise."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, STEPS)
    connection.execute("INSERT INTO folder VALUES (7, 1)")
    connection.execute("INSERT INTO change VALUES (7, 1, ?, ?)", (flags, uids))
    connection.execute("INSERT INTO expunge VALUES (7, 2, ?)", (uids,))
    found, _damage = tried(sqlite3.DatabaseError, history.read, connection, 7)
    assert found is None or found.highest_modseq in (0, 1, 2)
