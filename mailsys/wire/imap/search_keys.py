"""What SEARCH, SORT and THREAD look for (RFC 9051 6.4.4, RFC 3501 6.4.4), as a bounded tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from mailsys.message.charsets import codec_for
from mailsys.message.structure.casemap import search_form
from mailsys.wire.imap.dates import parse_date
from mailsys.wire.imap.grammar import BadCommand, Reader
from mailsys.wire.imap.responses import no
from mailsys.wire.imap.sequence import SequenceSet

MOST_KEYS = 1000  # of one command
MOST_LEVELS = 50  # of OR, NOT and parentheses
LARGEST_SIZE = 2**63 - 1

TOO_MUCH = no("There are too many search keys, or too deep in one another", "LIMIT")
BAD_CHARSET = no("This charset is not known here", "BADCHARSET (UTF-8 US-ASCII)")

_FIELD_NAME = re.compile(rb"[!-9;-~]{1,1000}")
_SET_AHEAD = re.compile(rb"[0-9*$]")
_DATE = re.compile(rb'"?([0-9]{1,2}-[A-Za-z]{3}-[0-9]{4})"?')
_ENTRY = re.compile(rb'"(?:[^"\\]|\\.){1,200}" (?:priv|shared|all) ', re.IGNORECASE)


class Day(Enum):
    """Which date of a message."""

    INTERNAL = auto()
    SENT = auto()
    SAVED = auto()  # RFC 8514


class Relation(Enum):
    """How the message's day stands to the one that is named."""

    BEFORE = "BEFORE"
    ON = "ON"
    SINCE = "SINCE"


@dataclass(frozen=True, slots=True)
class Everything:
    """ALL; and SAVEDATESUPPORTED (RFC 8514), as every message has that date."""


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flag or keyword as :class:`Flags` has it; \\Recent too."""

    flag: str


@dataclass(frozen=True, slots=True)
class Among:
    """Message numbers, or UIDs."""

    messages: SequenceSet
    by_uid: bool


@dataclass(frozen=True, slots=True)
class Dated:
    """``day`` is as ``date.toordinal`` has it."""

    which: Day
    relation: Relation
    day: int


@dataclass(frozen=True, slots=True)
class Aged:
    """YOUNGER and OLDER (RFC 5032): how many seconds ago it came."""

    younger: bool
    seconds: int


@dataclass(frozen=True, slots=True)
class Sized:
    """LARGER and SMALLER."""

    larger: bool
    octets: int


@dataclass(frozen=True, slots=True)
class Changed:
    """MODSEQ: changed at this one or later (RFC 7162 3.1.5)."""

    modseq: int


@dataclass(frozen=True, slots=True)
class InHeader:
    """A field's text; its name is in lower case, the needle in the form of ``search_form``."""

    name: bytes
    needle: str


@dataclass(frozen=True, slots=True)
class InText:
    """BODY, or with the header TEXT."""

    needle: str
    with_header: bool


@dataclass(frozen=True, slots=True)
class Both:
    """All of these."""

    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """OR."""

    first: Key
    second: Key


@dataclass(frozen=True, slots=True)
class Not:
    """NOT, and the keys that begin with UN."""

    key: Key


Key = Everything | Flagged | Among | Dated | Aged | Sized | Changed | InHeader | InText | Both | Either | Not


class KeyReader:
    """Reads search keys; text is in ``charset``, or UTF-8 when none is named."""

    def __init__(self, reader: Reader, charset: str = "") -> None:
        codec = codec_for(charset) if charset else "utf-8"
        if codec is None:
            raise BadCommand(BAD_CHARSET)
        self.reader = reader
        self._codec = codec
        self._keys = 0

    def all(self) -> Key:
        """Keys up to the end."""
        keys = [self._key(0)]
        while not self.reader.is_at_end:
            self.reader.space()
            if self.reader.is_at_end:
                break  # some clients end with a space
            keys.append(self._key(0))
        return keys[0] if len(keys) == 1 else Both(tuple(keys))

    def _key(self, level: int) -> Key:
        self._keys += 1
        if self._keys > MOST_KEYS or level > MOST_LEVELS:
            raise BadCommand(TOO_MUCH)
        reader = self.reader
        if reader.peek() == b"(":
            keys = reader.parenthesised(lambda: self._key(level + 1))
            if not keys:
                raise reader.wrong("there is nothing in parentheses")
            return Both(tuple(keys))
        if _SET_AHEAD.match(reader.peek()):
            return Among(reader.sequence_set(), by_uid=False)
        word = reader.word()
        if word in _PLAIN:
            return _PLAIN[word]
        if word not in _TAKE_ARGUMENTS:
            raise reader.wrong("unknown search key")
        reader.space()
        if word == b"NOT":
            return Not(self._key(level + 1))
        if word == b"OR":
            first = self._key(level + 1)
            reader.space()
            return Either(first, self._key(level + 1))
        return self._with_argument(word)

    def _with_argument(self, word: bytes) -> Key:
        if word in _DATED:
            which, relation = _DATED[word]
            return Dated(which, relation, self._day())
        if word in _IN_HEADER:
            return InHeader(word.lower(), self._needle())
        return _WITH_ARGUMENT[word](self)

    def _day(self) -> int:
        found = self.reader.match(_DATE, "a date").strip(b'"')
        try:
            return parse_date(found.decode()).toordinal()
        except ValueError as error:
            raise self.reader.wrong(str(error)) from None

    def _needle(self) -> str:
        octets = self.reader.astring()
        try:
            return search_form(octets.decode(self._codec))
        except UnicodeDecodeError:
            raise self.reader.wrong("the text does not fit the charset") from None

    # Keys with arguments of their own.

    def field(self) -> Key:
        """HEADER: a field's name, and text."""
        name = self.reader.astring()
        if not _FIELD_NAME.fullmatch(name):
            raise self.reader.wrong("this is no name of a header field")
        self.reader.space()
        return InHeader(name.lower(), self._needle())

    def body(self) -> Key:
        """BODY."""
        return InText(self._needle(), with_header=False)

    def text(self) -> Key:
        """TEXT."""
        return InText(self._needle(), with_header=True)

    def keyword(self) -> Key:
        """KEYWORD."""
        return Flagged(self.reader.flag())

    def no_keyword(self) -> Key:
        """UNKEYWORD."""
        return Not(self.keyword())

    def uids(self) -> Key:
        """UID."""
        return Among(self.reader.sequence_set(), by_uid=True)

    def larger(self) -> Key:
        """LARGER."""
        return Sized(True, self.reader.number(LARGEST_SIZE))

    def smaller(self) -> Key:
        """SMALLER."""
        return Sized(False, self.reader.number(LARGEST_SIZE))

    def younger(self) -> Key:
        """YOUNGER."""
        return Aged(True, self.reader.number(smallest=1))

    def older(self) -> Key:
        """OLDER."""
        return Aged(False, self.reader.number(smallest=1))

    def changed(self) -> Key:
        """MODSEQ, perhaps of one flag's own, which all share here (RFC 7162 3.1.5)."""
        if self.reader.peek() == b'"':
            self.reader.match(_ENTRY, "a metadata item")
        return Changed(self.reader.modseq())


_SEEN, _DELETED, _RECENT = Flagged("\\Seen"), Flagged("\\Deleted"), Flagged("\\Recent")
_PLAIN: Mapping[bytes, Key] = {
    b"ALL": Everything(),
    b"SAVEDATESUPPORTED": Everything(),
    b"NEW": Both((_RECENT, Not(_SEEN))),
    b"OLD": Not(_RECENT),
    b"RECENT": _RECENT,
    **{
        word: Flagged(flag)
        for word, flag in [
            (b"ANSWERED", "\\Answered"),
            (b"DELETED", "\\Deleted"),
            (b"DRAFT", "\\Draft"),
            (b"FLAGGED", "\\Flagged"),
            (b"SEEN", "\\Seen"),
        ]
    },
    **{
        word: Not(Flagged(flag))
        for word, flag in [
            (b"UNANSWERED", "\\Answered"),
            (b"UNDELETED", "\\Deleted"),
            (b"UNDRAFT", "\\Draft"),
            (b"UNFLAGGED", "\\Flagged"),
            (b"UNSEEN", "\\Seen"),
        ]
    },
}
_DATED: Mapping[bytes, tuple[Day, Relation]] = {
    prefix + relation.value.encode(): (which, relation)
    for prefix, which in ((b"", Day.INTERNAL), (b"SENT", Day.SENT), (b"SAVED", Day.SAVED))
    for relation in Relation
}
_IN_HEADER = frozenset({b"FROM", b"TO", b"CC", b"BCC", b"SUBJECT"})
_WITH_ARGUMENT: Mapping[bytes, Callable[[KeyReader], Key]] = {
    b"HEADER": KeyReader.field,
    b"BODY": KeyReader.body,
    b"TEXT": KeyReader.text,
    b"KEYWORD": KeyReader.keyword,
    b"UNKEYWORD": KeyReader.no_keyword,
    b"UID": KeyReader.uids,
    b"LARGER": KeyReader.larger,
    b"SMALLER": KeyReader.smaller,
    b"YOUNGER": KeyReader.younger,
    b"OLDER": KeyReader.older,
    b"MODSEQ": KeyReader.changed,
}
_TAKE_ARGUMENTS = {b"NOT", b"OR", *_DATED, *_IN_HEADER, *_WITH_ARGUMENT}


def mentions(key: Key, kind: type) -> bool:
    """Is a key of this kind anywhere in it?"""
    waiting: list[Key] = [key]
    while waiting:
        found = waiting.pop()
        if isinstance(found, kind):
            return True
        match found:
            case Both(keys):
                waiting += keys
            case Either(first, second):
                waiting += (first, second)
            case Not(inner):
                waiting.append(inner)
    return False
