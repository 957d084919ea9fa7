"""SEARCH, SORT and THREAD: what is looked for, and what is told of it.

RFC 9051 6.4.4, RFC 4731 (ESEARCH), RFC 5182 (SEARCHRES), RFC 5256 (SORT, THREAD), RFC 5267 (ESORT, CONTEXT),
RFC 5957 (SORT=DISPLAY).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from mailsys.wire.imap.grammar import BadCommand, Reader
from mailsys.wire.imap.responses import bad
from mailsys.wire.imap.search_keys import Key, KeyReader

MOST_CRITERIA = 20
_PARTIAL = re.compile(rb"([1-9][0-9]{0,9}):([1-9][0-9]{0,9})")
_CHARSET = re.compile(rb'"?([A-Za-z0-9._:+-]{1,60})"?')


class Told(Enum):
    """What a search with RETURN tells, or does."""

    MIN = "MIN"
    MAX = "MAX"
    ALL = "ALL"
    COUNT = "COUNT"
    SAVE = "SAVE"
    UPDATE = "UPDATE"  # RFC 5267 4.3
    CONTEXT = "CONTEXT"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True, slots=True)
class Return:
    """RETURN; ``partial`` are the first and the last place of PARTIAL (RFC 5267 4.4), counted from 1."""

    told: frozenset[Told]
    partial: tuple[int, int] | None = None


class Criterion(Enum):
    """What is sorted by (RFC 5256 3, RFC 5957 3)."""

    ARRIVAL = "ARRIVAL"
    CC = "CC"
    DATE = "DATE"
    FROM = "FROM"
    SIZE = "SIZE"
    SUBJECT = "SUBJECT"
    TO = "TO"
    DISPLAY_FROM = "DISPLAYFROM"
    DISPLAY_TO = "DISPLAYTO"


class Algorithm(Enum):
    """How messages become threads (RFC 5256 3)."""

    ORDERED_SUBJECT = "ORDEREDSUBJECT"
    REFERENCES = "REFERENCES"


@dataclass(frozen=True, slots=True)
class Search:
    """SEARCH or UID SEARCH; ``returns`` is None for one without RETURN."""

    key: Key
    by_uid: bool
    returns: Return | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """SORT or UID SORT; each criterion with whether it is REVERSE."""

    criteria: tuple[tuple[Criterion, bool], ...]
    key: Key
    by_uid: bool
    returns: Return | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """THREAD or UID THREAD."""

    algorithm: Algorithm
    key: Key
    by_uid: bool


@dataclass(frozen=True, slots=True)
class CancelUpdate:
    """CANCELUPDATE (RFC 5267 4.5): tags of searches whose updates are no longer wanted."""

    tags: tuple[str, ...]


def parse_search(reader: Reader, *, by_uid: bool) -> Search:
    """``[RETURN (options)] [CHARSET name] keys``."""
    reader.space()
    returns = _returns(reader)
    charset = ""
    if _is_next(reader, b"CHARSET "):
        charset = reader.match(_CHARSET, "a charset").strip(b'"').decode()
        reader.space()
    return Search(KeyReader(reader, charset).all(), by_uid, returns)


def parse_sort(reader: Reader, *, by_uid: bool) -> Sort:
    """``[RETURN (options)] (criteria) charset keys``."""
    reader.space()
    returns = _returns(reader)
    criteria = reader.parenthesised(lambda: _criterion(reader), MOST_CRITERIA)
    if not criteria:
        raise reader.wrong("there is nothing to sort by")
    return Sort(tuple(criteria), _keys_in_charset(reader), by_uid, returns)


def parse_thread(reader: Reader, *, by_uid: bool) -> Thread:
    """``algorithm charset keys``."""
    reader.space()
    try:
        algorithm = Algorithm(reader.word().decode())
    except ValueError:
        raise reader.wrong("unknown way to make threads") from None
    return Thread(algorithm, _keys_in_charset(reader), by_uid)


def parse_cancel_update(reader: Reader) -> CancelUpdate:
    """Tags in quotes."""
    tags = []
    while not reader.is_at_end:
        reader.space()
        tags.append(reader.string().decode("ascii", "replace"))
    if not tags:
        raise reader.wrong("a tag is missing")
    return CancelUpdate(tuple(tags))


def _keys_in_charset(reader: Reader) -> Key:
    reader.space()
    charset = reader.match(_CHARSET, "a charset").strip(b'"').decode()
    reader.space()
    return KeyReader(reader, charset).all()


def _is_next(reader: Reader, words: bytes) -> bool:
    """Step over these words, in any case of letters."""
    start = reader.at
    try:
        if reader.word() + b" " == words and reader.accept(b" "):
            return True
    except BadCommand:
        pass  # what stands there is no word, and perhaps a key
    reader.at = start
    return False


def _criterion(reader: Reader) -> tuple[Criterion, bool]:
    reverse = _is_next(reader, b"REVERSE ")
    try:
        return Criterion(reader.word().decode()), reverse
    except ValueError:
        raise reader.wrong("unknown sort criterion") from None


def _returns(reader: Reader) -> Return | None:
    if not _is_next(reader, b"RETURN "):
        return None
    partial: list[tuple[int, int]] = []

    def option() -> Told:
        try:
            told = Told(reader.word().decode())
        except ValueError:
            raise reader.wrong("unknown option of RETURN") from None
        if told is Told.PARTIAL:
            reader.space()
            partial.append(_range(reader))
        return told

    told = frozenset(reader.parenthesised(option, most=len(Told)))
    reader.space()
    if len(partial) > 1 or {Told.PARTIAL, Told.ALL} <= told:
        raise BadCommand(bad("PARTIAL stands alone, and without ALL"))
    return Return(told or frozenset({Told.ALL}), partial[0] if partial else None)


def _range(reader: Reader) -> tuple[int, int]:
    first, _, second = reader.match(_PARTIAL, "a range").partition(b":")
    low, high = sorted((int(first), int(second)))
    return low, high
