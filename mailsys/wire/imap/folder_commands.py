"""Commands about folders (RFC 9051 6.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from mailsys.wire.imap.grammar import BadCommand, Reader
from mailsys.wire.imap.responses import no
from mailsys.wire.imap.sequence import SequenceSet

T = TypeVar("T")

MOST_PATTERNS = 100
# Of all patterns, each with the reference: they are held against every name.  Wildcards in a row are one.
PATTERN_CHARACTERS = 4096
TOO_LONG = no("The patterns are too long", "LIMIT")
STATUS_ITEMS = frozenset(
    {
        "MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE", "HIGHESTMODSEQ",
        "APPENDLIMIT",
    }
)  # fmt: skip
SPECIAL_USES = ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash")
_WILDCARDS = re.compile(r"[*%]+")
_BY_NAME = {use.upper(): use for use in SPECIAL_USES}
_SELECTIONS = frozenset({"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"})
_RETURNS = frozenset({"SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "STATUS"})


@dataclass(frozen=True, slots=True)
class Known:
    """What the client knows of a folder from before (RFC 7162 3.2.5).

    ``numbers`` and ``number_uids`` are its sample of which number was which UID.
    """

    uid_validity: int
    modseq: int
    uids: SequenceSet | None = None
    numbers: SequenceSet | None = None
    number_uids: SequenceSet | None = None


@dataclass(frozen=True, slots=True)
class Select:
    """SELECT or EXAMINE."""

    folder: str
    read_only: bool = False
    condstore: bool = False
    known: Known | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """CREATE folder [(USE (attribute))] (RFC 6154 3)."""

    folder: str
    special_use: str = ""


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE folder."""

    folder: str


@dataclass(frozen=True, slots=True)
class Rename:
    """RENAME folder new."""

    folder: str
    new: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE folder."""

    folder: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE folder."""

    folder: str


@dataclass(frozen=True, slots=True)
class List:
    """LIST, also extended (RFC 5258), with options in capitals.

    ``is_extended`` says that any of the extended syntax was used.
    """

    reference: str
    patterns: tuple[str, ...]
    selections: frozenset[str] = frozenset()
    returns: frozenset[str] = frozenset()
    status_items: tuple[str, ...] = ()
    is_extended: bool = False


@dataclass(frozen=True, slots=True)
class Lsub:
    """LSUB reference pattern."""

    reference: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Status:
    """STATUS folder (items)."""

    folder: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Getquota:
    """GETQUOTA root (RFC 9208)."""

    root: str


@dataclass(frozen=True, slots=True)
class Getquotaroot:
    """GETQUOTAROOT folder (RFC 9208)."""

    folder: str


FolderCommand = (
    Select | Create | Delete | Rename | Subscribe | Unsubscribe | List | Lsub | Status | Getquota
    | Getquotaroot
)  # fmt: skip


def one_folder(command: Callable[[str], T]) -> Callable[[Reader], T]:
    """A command whose one argument is a folder."""

    def parse(reader: Reader) -> T:
        reader.space()
        name = reader.mailbox()
        reader.end()
        return command(name)

    return parse


def parse_rename(reader: Reader) -> Rename:
    """Two folders."""
    reader.space()
    folder = reader.mailbox()
    reader.space()
    new = reader.mailbox()
    reader.end()
    return Rename(folder, new)


def parse_select(reader: Reader) -> Select:
    """With what CONDSTORE and QRESYNC add."""
    return _select(reader, read_only=False)


def parse_examine(reader: Reader) -> Select:
    """Like SELECT."""
    return _select(reader, read_only=True)


def _select(reader: Reader, *, read_only: bool) -> Select:
    reader.space()
    folder = reader.mailbox()
    parameters: list[Known | None] = []
    if not reader.is_at_end and reader.accept(b" ("):
        reader.at -= 1
        parameters = reader.parenthesised(lambda: _select_parameter(reader), 10)
    reader.end()
    known = next((one for one in parameters if one is not None), None)
    return Select(folder, read_only, bool(parameters), known)


def _select_parameter(reader: Reader) -> Known | None:
    match reader.word():
        case b"CONDSTORE":
            return None
        case b"QRESYNC":
            reader.space()
            return _known(reader)
    raise reader.wrong("unknown parameter")


def _known(reader: Reader) -> Known:
    """``(uidvalidity modseq [uids] [(numbers uids)])``."""
    reader.expect(b"(")
    uid_validity = reader.number(smallest=1)
    reader.space()
    modseq = reader.modseq(1)
    uids = numbers = number_uids = None
    if reader.accept(b" ") and reader.peek() != b"(":
        uids = _plain_set(reader)
        reader.accept(b" ")
    if reader.accept(b"("):
        numbers = _plain_set(reader)
        reader.space()
        number_uids = _plain_set(reader)
        reader.expect(b")")
    reader.expect(b")")
    return Known(uid_validity, modseq, uids, numbers, number_uids)


def _plain_set(reader: Reader) -> SequenceSet:
    """RFC 7162 7: known sets have neither ``*`` nor ``$``."""
    found = reader.sequence_set()
    if found.is_saved or any(None in ends for ends in found.ranges):
        raise reader.wrong("numbers expected")
    return found


def parse_create(reader: Reader) -> Create:
    """A trailing hierarchy separator means nothing (RFC 9051 6.3.4)."""
    reader.space()
    folder = reader.mailbox().removesuffix("/")
    use = ""
    if not reader.is_at_end:
        reader.space()
        reader.expect(b"(")
        if reader.word() != b"USE":
            raise reader.wrong("unknown parameter")
        reader.space()
        use = _one_use(reader)
        reader.expect(b")")
    reader.end()
    return Create(folder, use)


def _one_use(reader: Reader) -> str:
    uses = reader.parenthesised(reader.flag, 10)
    known = [_BY_NAME.get(use.upper(), "") for use in uses]
    if len(known) > 1 or "" in known:
        raise BadCommand(no("A folder cannot be used for that", "USEATTR"))
    return known[0] if known else ""


def parse_status(reader: Reader) -> Status:
    """At least one item."""
    reader.space()
    folder = reader.mailbox()
    reader.space()
    items = _status_items(reader)
    reader.end()
    return Status(folder, items)


def _status_items(reader: Reader) -> tuple[str, ...]:
    items = [word.decode() for word in reader.parenthesised(reader.word, 30)]
    if not items or not STATUS_ITEMS.issuperset(items):
        raise reader.wrong("unknown item of STATUS")
    return tuple(dict.fromkeys(items))


def parse_lsub(reader: Reader) -> Lsub:
    """Like the old LIST."""
    reader.space()
    reference = reader.mailbox()
    reader.space()
    pattern = reader.pattern()
    reader.end()
    _require_short(reference, [pattern])
    return Lsub(reference, pattern)


def parse_list(reader: Reader) -> List:
    """``LIST [(selection)] reference pattern-or-patterns [RETURN (options)]``."""
    reader.space()
    selections: frozenset[str] = frozenset()
    is_extended = reader.peek() == b"("
    if is_extended:
        selections = _options(reader, _SELECTIONS)
        if "RECURSIVEMATCH" in selections and not selections & {"SUBSCRIBED", "SPECIAL-USE"}:
            raise reader.wrong("RECURSIVEMATCH needs another option")
        reader.space()
    reference = reader.mailbox()
    reader.space()
    patterns, has_several = _patterns(reader)
    _require_short(reference, patterns)
    if reader.is_at_end:
        return List(reference, patterns, selections, is_extended=is_extended or has_several)
    reader.space()
    if reader.word() != b"RETURN":
        raise reader.wrong("RETURN expected")
    reader.space()
    returns, items = _returns(reader)
    reader.end()
    return List(reference, patterns, selections, returns, items, is_extended=True)


def _options(reader: Reader, known: frozenset[str]) -> frozenset[str]:
    options = frozenset([word.decode() for word in reader.parenthesised(reader.word, 30)])
    if not options <= known:
        raise reader.wrong("unknown option of LIST")
    return options


def _patterns(reader: Reader) -> tuple[tuple[str, ...], bool]:
    if reader.peek() != b"(":
        return (reader.pattern(),), False
    patterns = reader.parenthesised(reader.pattern, MOST_PATTERNS)
    if not patterns:
        raise reader.wrong("there is no pattern")
    return tuple(patterns), True


def _require_short(reference: str, patterns: Sequence[str]) -> None:
    if sum(len(_WILDCARDS.sub("*", reference + pattern)) for pattern in patterns) > PATTERN_CHARACTERS:
        raise BadCommand(TOO_LONG)


def _returns(reader: Reader) -> tuple[frozenset[str], tuple[str, ...]]:
    items: tuple[str, ...] = ()

    def option() -> str:
        nonlocal items
        word = reader.word().decode()
        if word not in _RETURNS:
            raise reader.wrong("unknown option of LIST")
        if word == "STATUS":
            reader.space()
            items = _status_items(reader)
        return word

    return frozenset(reader.parenthesised(option, 30)), items


def parse_getquota(reader: Reader) -> Getquota:
    """A root's name."""
    reader.space()
    root = reader.text(reader.astring())
    reader.end()
    return Getquota(root)
