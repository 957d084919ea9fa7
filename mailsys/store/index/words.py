"""An index of the words of messages, to find those that may hold a text without reading all of them.

A word is a run of letters and digits, or of anything beyond ASCII, in the form of ``search_form``; FTS5 keeps
which messages have which.  A text without anything between words lies within one word wherever it occurs, so
the words that contain it tell for certain.  They are sought in the vocabulary, which is kept in memory
as one long text.

A message's words are known by a number that is never used twice; messages that have gone leave theirs
behind, until there are too many of these.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailsys.store.index.descriptions import BATCH, key

# What is longer is cut into pieces that overlap, so that whatever is not longer lies within one.
LONGEST_RUN = 100
MOST_TERMS = 3_000  # of one run; beyond that it is in about every message
HEADER_MARK = "\ue000"  # before each word of a header; U+E000 has no meaning
SPARE = 1_000

_SCHEMA = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS word USING"
    " fts5(text, content='', detail=none, columnsize=0, tokenize='ascii')",
    "CREATE TABLE IF NOT EXISTS word_message ("
    "base TEXT PRIMARY KEY, document INTEGER NOT NULL, is_whole INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS word_count (last INTEGER NOT NULL, made INTEGER NOT NULL)",
    "INSERT INTO word_count SELECT 0, random() WHERE NOT EXISTS (SELECT * FROM word_count)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_term USING fts5vocab(main, word, row)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_place USING fts5vocab(main, word, instance)",
)
_TABLES = ("temp.word_term", "temp.word_place", "word", "word_message", "word_count")
_RUN = re.compile("[0-9A-Za-z\x80-\U0010ffff]+")
_LONG_RUN = re.compile(rf"[0-9A-Za-z\x80-\U0010ffff]{{{LONGEST_RUN + 1},}}")
# FTS5 writes the letters of ASCII small, and no others.
_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Worded:
    """A message with what is in it; ``is_whole`` says that it is all."""

    base: str
    header: str
    body: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a needle that lies within one word; which ends of it are ends of the word."""

    text: str
    begins: bool
    ends: bool


def is_possible(connection: sqlite3.Connection) -> bool:
    """Has this SQLite FTS5?"""
    return connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is not None


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables that are missing."""
    for statement in _SCHEMA:
        connection.execute(statement)


def insert(connection: sqlite3.Connection, messages: Sequence[Worded]) -> list[str]:
    """Add messages; return the texts whose words are now in the vocabulary."""
    (last,) = connection.execute("SELECT last FROM word_count").fetchone()
    texts = [_text(message) for message in messages]
    numbers = range(last + 1, last + 1 + len(messages))
    connection.executemany("INSERT INTO word (rowid, text) VALUES (?, ?)", zip(numbers, texts, strict=True))
    connection.executemany(
        "INSERT OR REPLACE INTO word_message VALUES (?, ?, ?)",
        [(key(one.base), number, one.is_whole) for one, number in zip(messages, numbers, strict=True)],
    )
    connection.execute("UPDATE word_count SET last = ?", (last + len(messages),))
    return texts


def words_of(texts: Iterable[str]) -> str:
    """What is to be added to a vocabulary in memory."""
    found = {run for text in texts for run in _RUN.findall(text)}
    return "\n".join(found).translate(_SMALL)


def copy(connection: sqlite3.Connection, copies: Iterable[tuple[str, str]]) -> None:
    """A copy has the words of its message: each is the copy's base name and the message's."""
    if exists(connection):
        connection.executemany(
            "INSERT OR REPLACE INTO word_message"
            " SELECT ?, document, is_whole FROM word_message WHERE base = ?",
            [(key(new), key(old)) for new, old in copies],
        )


def delete(connection: sqlite3.Connection, bases: Iterable[str]) -> None:
    """Forget messages; when more have gone than are left, all begins anew."""
    if not exists(connection):
        return
    connection.executemany("DELETE FROM word_message WHERE base = ?", [(key(base),) for base in bases])
    left, last = connection.execute(
        "SELECT count(*), (SELECT last FROM word_count) FROM word_message"
    ).fetchone()
    if last > 2 * left + SPARE:
        for table in _TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {table}")


def exists(connection: sqlite3.Connection) -> bool:
    """Is there an index of words?"""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'word_message'").fetchone()
    return found is not None


def version(connection: sqlite3.Connection) -> Version:
    """Another one when there are other words, or the index was made anew."""
    last, made = connection.execute("SELECT last, made FROM word_count").fetchone()
    return int(made), int(last)


def documents(connection: sqlite3.Connection, bases: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """The numbers of those messages that are indexed, and whether they are whole."""
    found: dict[str, tuple[int, bool]] = {}
    for start in range(0, len(bases), BATCH):
        some = {key(base): base for base in bases[start : start + BATCH]}
        marks = ",".join("?" * len(some))
        statement = f"SELECT base, document, is_whole FROM word_message WHERE base IN ({marks})"  # noqa: S608
        for base, number, is_whole in connection.execute(statement, tuple(some)):
            found[some[base]] = number, bool(is_whole)
    return found


def vocabulary(connection: sqlite3.Connection) -> str:
    """All words, a line each."""
    return "\n".join([term for (term,) in connection.execute("SELECT term FROM temp.word_term")])


def runs(needle: str) -> list[Run]:
    """What of a needle lies within words, in their form."""
    found: list[Run] = []
    for match in _RUN.finditer(needle.translate(_SMALL)):
        text = match[0]
        is_cut = len(text) > LONGEST_RUN
        begins = match.start() > 0
        ends = match.end() < len(needle) and not is_cut
        found.append(Run(text[:LONGEST_RUN], begins, ends))
    return found


def tells_all(needle: str) -> bool:
    """Is it certain that a message holds the needle when a word of it does?"""
    return len(needle) <= LONGEST_RUN and _RUN.fullmatch(needle) is not None


def terms_with(run: Run, vocabularies: Iterable[str], *, in_header: bool) -> set[str] | None:
    """The words that a run may lie in; None for too many."""
    found: set[str] = set()
    for words in vocabularies:
        at = words.find(run.text)
        while at >= 0:
            start = words.rfind("\n", 0, at) + 1
            end = words.find("\n", at)
            term = words[start : end if end >= 0 else len(words)]
            if (in_header or not term.startswith(HEADER_MARK)) and _fits(run, term.lstrip(HEADER_MARK)):
                found.add(term)
            at = words.find(run.text, end) if end >= 0 else -1
        if len(found) > MOST_TERMS:
            return None
    return found


def _fits(run: Run, term: str) -> bool:
    if len(term) > LONGEST_RUN:
        return True  # a piece of a longer word
    return (term.startswith(run.text) or not run.begins) and (term.endswith(run.text) or not run.ends)


def having(connection: sqlite3.Connection, terms: Iterable[str]) -> set[int]:
    """Numbers of the messages that have one of these words."""
    found: set[int] = set()
    for term in terms:
        rows = connection.execute("SELECT doc FROM temp.word_place WHERE term = ?", (term,))
        found.update([number for (number,) in rows])
    return found


def _text(message: Worded) -> str:
    header = _RUN.sub(rf"{HEADER_MARK}\g<0>", _cut(message.header.replace(HEADER_MARK, " ")))
    return f"{header}\n{_cut(message.body.replace(HEADER_MARK, ' '))}"


def _cut(text: str) -> str:
    longest = max(map(len, text.split()), default=0)  # quicker than to look for runs
    return _LONG_RUN.sub(_pieces, text) if longest > LONGEST_RUN else text


def _pieces(match: re.Match[str]) -> str:
    run = match[0]
    starts = range(0, len(run) - LONGEST_RUN, LONGEST_RUN)
    return " ".join([run[start : start + 2 * LONGEST_RUN] for start in starts])
