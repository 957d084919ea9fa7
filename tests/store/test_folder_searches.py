"""What a folder on the disk says when it is asked for texts, also when its index has gone meanwhile."""

import pytest
from folders_house import FoldersHouse
from maildir_house import result_of

from mailsys.interfaces import Column, FlagChange


@pytest.fixture
def house(tmp_path):
    return FoldersHouse(tmp_path)


def containing(folder, needle, column=Column.SUBJECT):
    return result_of(folder.containing(column, needle))


def subjects(folder):
    return result_of(folder.columns(folder.uids[:], [Column.SUBJECT]))


def remove_index(house):
    for path in house.root().glob("mailsys-index*"):
        path.unlink()


def test_subjects_are_searched_where_they_lie(house):
    house.append(12)
    folder = house.select()
    assert containing(folder, "NUMBER 1") in (None, [2, 11, 12])
    subjects(folder)
    assert containing(folder, "NUMBER 1") == [2, 11, 12]
    assert containing(folder, "Number 1") == []
    assert containing(folder, "BOB@", Column.FROM) == list(range(1, 13))


def test_what_comes_and_goes_is_seen(house):
    house.append(2)
    folder = house.select()
    subjects(folder)
    house.append(1, first=2)
    assert containing(folder, "NUMBER") in (None, [1, 2, 3])
    subjects(folder)
    assert containing(folder, "NUMBER") == [1, 2, 3]
    result_of(folder.store([2], FlagChange.ADD, frozenset({"\\Deleted"})))
    result_of(folder.expunge([2]))
    assert containing(folder, "NUMBER") == [1, 3]


def test_an_index_that_has_gone_is_noticed(house):
    house.append(3)
    folder = house.select()
    subjects(folder)
    assert containing(folder, "NUMBER 2") == [3]
    remove_index(house)
    assert containing(folder, "NUMBER 2") is None
    subjects(folder)
    assert containing(folder, "NUMBER 2") == [3]


def holding(folder, needle, **how):
    found = result_of(folder.holding(needle, in_header=True, **how))
    return sorted(found.certain), sorted(found.possible)


def test_texts_are_learned_when_somebody_asks(house):
    house.append(3)
    folder = house.select()
    assert holding(folder, "TEXT", learn=False) == ([], [1, 2, 3])
    assert holding(folder, "TEXT") == ([1, 2, 3], [])
    assert holding(folder, "TEXT 2") == ([], [3])
    house.append(1, first=5)
    assert holding(folder, "TEXT", learn=False) == ([1, 2, 3], [4])
    assert holding(folder, "TEXT") == ([1, 2, 3, 4], [])
    remove_index(house)
    assert holding(folder, "TEXT", learn=False) == ([], [1, 2, 3, 4])
    assert holding(folder, "NET") == ([1, 2, 3, 4], [])


def test_what_a_search_does_not_wait_for_is_learned_all_the_same(house, monkeypatch):
    monkeypatch.setattr("mailsys.store.maildir.folder.MOST_JOBS", 1)
    monkeypatch.setattr("mailsys.store.maildir.words.BATCH", 2)
    house.append(7)
    folder = house.select()
    holding(folder, "TEXT")
    assert holding(folder, "TEXT", learn=False) == ([1, 2, 3, 4, 5, 6, 7], [])
    assert house.rows("SELECT last FROM word_count") == [(7,)]


def test_words_stay_with_a_message_that_moves_and_with_its_copy(house):
    result_of(house.folders.create("Work"))
    house.append(3)
    folder = house.select()
    holding(folder, "TEXT")
    result_of(folder.copy([1], "Work"))
    result_of(folder.move([3], "Work"))
    work = house.select(name="Work")
    assert holding(work, "TEXT", learn=False) == ([1, 2], [])
    assert holding(folder, "TEXT", learn=False) == ([1, 2], [])


def test_words_of_what_is_expunged_are_forgotten(house):
    house.append(3)
    folder = house.select()
    holding(folder, "TEXT")
    result_of(folder.store([1, 2], FlagChange.ADD, frozenset({"\\Deleted"})))
    result_of(folder.expunge([1, 2]))
    assert holding(folder, "TEXT") == ([3], [])
    assert house.rows("SELECT count(*) FROM word_message") == [(1,)]
