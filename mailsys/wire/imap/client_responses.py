"""What a server says, as values (RFC 9051 7).

A response of a kind that we do not know is ``Other``: a client lives with those (RFC 9051 7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from mailsys.message.modified_utf7 import decode_utf7
from mailsys.wire.imap.client_values import BadValue, Value, parse_values

CAPABILITIES = 1000
TEXT_CHARACTERS = 500  # of what a server says to people

_LARGEST_NUMBER = 2**63 - 1
_NUMBER = re.compile(rb"\d{1,19}")
_STATUS = re.compile(rb"(OK|NO|BAD|BYE|PREAUTH)(?: (.*))?", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(rb"\[([^\] ]+)(?: ([^\]]*))?\] ?(.*)", re.DOTALL)
_COUNTED = re.compile(rb"(\d{1,19}) ([A-Za-z]+)(?: |\Z)")


class Kind(Enum):
    """How a status response begins."""

    OK = "OK"
    NO = "NO"
    BAD = "BAD"
    BYE = "BYE"
    PREAUTH = "PREAUTH"


@dataclass(frozen=True, slots=True)
class Status:
    """What the server says of a command or itself; ``tag`` is empty when it answers none.

    ``code`` is what stands in brackets, in capitals, ``argument`` what follows it there.
    """

    kind: Kind
    text: str = ""
    code: str = ""
    argument: bytes = b""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Continuation:
    """The server wants more of the command."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What it can do, in capitals."""

    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Exists:
    """So many messages are in the folder."""

    count: int


@dataclass(frozen=True, slots=True)
class Expunged:
    """The message with this number is gone, and the numbers behind it are one less."""

    number: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was asked of a message, or has changed; names are in capitals, as in ``BODY[HEADER]``."""

    number: int
    items: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed:
    """A folder; ``attributes`` are in lower case, ``delimiter`` is empty when there is no hierarchy."""

    name: str
    delimiter: str
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """How a folder is that is not open; names are in capitals."""

    name: str
    items: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Searched:
    """Messages that were found."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """Something else; ``word`` says what, in capitals."""

    word: str
    values: Sequence[Value] = ()


Data = Capabilities | Exists | Expunged | Fetched | Listed | FolderStatus | Searched | Other
Response = Status | Continuation | Data


def parse_response(segments: Sequence[bytes]) -> Response:
    """Read one; raises BadValue."""
    tag, _space, rest = segments[0].partition(b" ")
    if tag == b"+":
        return Continuation(rest)
    if found := _STATUS.fullmatch(rest):
        return _status("" if tag == b"*" else _words(tag), found)
    if tag != b"*":
        raise BadValue("sent a line that is no response")
    return _data(rest, segments[1:])


def parse_number(value: Value) -> int:
    """A number of bounded size; raises BadValue."""
    if not isinstance(value, bytes) or not _NUMBER.fullmatch(value) or int(value) > _LARGEST_NUMBER:
        raise BadValue("sent a word where a number belongs")
    return int(value)


def parse_words(octets: bytes) -> frozenset[str]:
    """Capabilities as they stand in a line; raises BadValue."""
    words = octets.split()
    if len(words) > CAPABILITIES:
        raise BadValue(f"announced more than {CAPABILITIES} capabilities")
    return frozenset(_words(word).upper() for word in words)


def _words(octets: bytes) -> str:
    return octets[: 4 * TEXT_CHARACTERS].decode("utf-8", "replace")[:TEXT_CHARACTERS]


def _status(tag: str, found: re.Match[bytes]) -> Status:
    kind, text = Kind(found[1].decode().upper()), found[2] or b""
    code = _CODE.fullmatch(text)
    if code is None:
        return Status(kind, _words(text), tag=tag)
    return Status(kind, _words(code[3]), _words(code[1]).upper(), code[2] or b"", tag)


def _data(rest: bytes, further: Sequence[bytes]) -> Data:
    if counted := _COUNTED.match(rest):
        values = parse_values([rest[counted.end() :], *further])
        return _counted(parse_number(counted[1]), counted[2].upper(), values)
    word, _space, arguments = rest.partition(b" ")
    name = _words(word).upper()
    if name == "CAPABILITY":
        return Capabilities(parse_words(arguments))
    values = parse_values([arguments, *further])
    return _READ[name](values) if name in _READ else Other(name, values)


def _counted(number: int, word: bytes, values: Sequence[Value]) -> Data:
    match word:
        case b"EXISTS":
            return Exists(number)
        case b"EXPUNGE":
            return Expunged(number)
        case b"FETCH":
            return _fetched(number, values)
    return Other(_words(word), (b"%d" % number, *values))


def _fetched(number: int, values: Sequence[Value]) -> Fetched:
    if len(values) != 1 or not isinstance(values[0], list):
        raise BadValue("sent FETCH without its list")
    return Fetched(number, _pairs(values[0]))


def _pairs(values: Sequence[Value]) -> dict[str, Value]:
    if len(values) % 2:
        raise BadValue("sent a name without its value")
    return {_text(name).upper(): value for name, value in zip(values[::2], values[1::2], strict=True)}


def _text(value: Value) -> str:
    if not isinstance(value, bytes):
        raise BadValue("sent a list or NIL where a word belongs")
    return value.decode("utf-8", "replace")


def folder_name(value: Value) -> str:
    """A folder's name for people; one that is no modified UTF-7 stays as it is written."""
    text = _text(value)
    try:
        return decode_utf7(text) if text.isascii() else text
    except ValueError:
        return text


def _listed(values: Sequence[Value]) -> Listed:
    if len(values) < 3 or not isinstance(values[0], list):
        raise BadValue("sent LIST without what belongs to it")
    attributes = frozenset(_text(value).lower() for value in values[0])
    delimiter = "" if values[1] is None else _text(values[1])
    return Listed(folder_name(values[2]), delimiter, attributes)


def _folder_status(values: Sequence[Value]) -> Data:
    if len(values) != 2 or not isinstance(values[1], list):
        raise BadValue("sent STATUS without what belongs to it")
    numbers = {
        name: parse_number(value) for name, value in _pairs(values[1]).items() if isinstance(value, bytes)
    }
    return FolderStatus(folder_name(values[0]), numbers)


def _searched(values: Sequence[Value]) -> Searched:
    # RFC 7162 3.1.5: a list with MODSEQ may follow.
    return Searched(tuple(parse_number(value) for value in values if not isinstance(value, list)))


_READ: Mapping[str, Callable[[Sequence[Value]], Data]] = {
    "LIST": _listed,
    "STATUS": _folder_status,
    "SEARCH": _searched,
}
