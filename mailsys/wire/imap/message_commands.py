"""Commands that change messages of the selected folder (RFC 9051 6.4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from mailsys.wire.imap.grammar import Reader
from mailsys.wire.imap.sequence import SequenceSet

T = TypeVar("T")

KEYWORD_CHARACTERS = 100
_SYSTEM_FLAGS = {flag.upper(): flag for flag in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")}
_STORE = re.compile(rb"([+-]?)FLAGS(\.SILENT)?")


@dataclass(frozen=True, slots=True)
class Check:
    """CHECK (RFC 3501 6.4.1)."""


@dataclass(frozen=True, slots=True)
class Close:
    """CLOSE: expunge and leave the folder."""


@dataclass(frozen=True, slots=True)
class Unselect:
    """UNSELECT: leave the folder (RFC 3691)."""


@dataclass(frozen=True, slots=True)
class Expunge:
    """EXPUNGE, or UID EXPUNGE with a set (RFC 4315)."""

    uids: SequenceSet | None = None


class Change(Enum):
    """What STORE does with the flags it names."""

    REPLACE = b""
    ADD = b"+"
    REMOVE = b"-"


@dataclass(frozen=True, slots=True)
class Store:
    """STORE or UID STORE; ``unchanged_since`` is of CONDSTORE (RFC 7162 3.1.3)."""

    messages: SequenceSet
    by_uid: bool
    change: Change
    flags: frozenset[str]
    silent: bool = False
    unchanged_since: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """COPY or UID COPY."""

    messages: SequenceSet
    by_uid: bool
    folder: str


@dataclass(frozen=True, slots=True)
class Move:
    """MOVE or UID MOVE (RFC 6851)."""

    messages: SequenceSet
    by_uid: bool
    folder: str


MessageCommand = Check | Close | Unselect | Expunge | Store | Copy | Move


def known_flag(reader: Reader) -> str:
    """A flag that a client may set, in its usual form; raises BadCommand."""
    flag = reader.flag()
    if not flag.startswith("\\"):
        if len(flag) > KEYWORD_CHARACTERS:
            raise reader.wrong("the keyword is too long")
        return flag
    known = _SYSTEM_FLAGS.get(flag.upper())
    if known is None:
        raise reader.wrong(f"{flag[:KEYWORD_CHARACTERS]} is no flag that can be set")
    return known


def parse_flags(reader: Reader) -> frozenset[str]:
    """Flags in parentheses, or bare ones up to the end, as STORE takes them."""
    if reader.peek() == b"(":
        return frozenset(reader.parenthesised(lambda: known_flag(reader)))
    flags = [known_flag(reader)]
    while not reader.is_at_end:
        reader.space()
        flags.append(known_flag(reader))
    return frozenset(flags)


def parse_store(reader: Reader, *, by_uid: bool) -> Store:
    """``set [(UNCHANGEDSINCE n)] [+-]FLAGS[.SILENT] flags``."""
    reader.space()
    messages = reader.sequence_set()
    reader.space()
    since = None
    if reader.accept(b"("):
        if reader.word() != b"UNCHANGEDSINCE":
            raise reader.wrong("unknown modifier")
        reader.space()
        since = reader.modseq()
        reader.expect(b")")
        reader.space()
    found = _STORE.fullmatch(reader.word())
    if found is None:
        raise reader.wrong("FLAGS expected")
    reader.space()
    flags = parse_flags(reader)
    reader.end()
    return Store(messages, by_uid, Change(found[1]), flags, bool(found[2]), since)


def to_folder(command: Callable[[SequenceSet, bool, str], T], *, by_uid: bool) -> Callable[[Reader], T]:
    """COPY and MOVE."""

    def parse(reader: Reader) -> T:
        reader.space()
        messages = reader.sequence_set()
        reader.space()
        folder = reader.mailbox()
        reader.end()
        return command(messages, by_uid, folder)

    return parse


def parse_uid_expunge(reader: Reader) -> Expunge:
    """The UIDs that may go."""
    reader.space()
    uids = reader.sequence_set()
    reader.end()
    return Expunge(uids)
