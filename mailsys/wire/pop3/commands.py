"""The POP3 commands: what each carries, how its arguments are read, and when it may be said.

``COMMANDS`` at the end is the whole language.  To add a command: a dataclass, a row, and its case
in ``mailsys.read.pop3``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from mailsys.wire.pop3 import responses
from mailsys.wire.pop3.responses import Response

LARGEST_NUMBER = 2**31
_NUMBER = re.compile(rb"[0-9]{1,10}")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class State(Enum):
    """Where the session is (RFC 1939 3)."""

    AUTHORIZATION = auto()
    AUTHENTICATION = auto()  # inside AUTHORIZATION: the next line answers a challenge (RFC 5034 4)
    TRANSACTION = auto()
    UPDATE = auto()  # after QUIT: nothing more is read


class BadCommand(Exception):  # noqa: N818 - it is an answer
    """The command cannot be taken; ``response`` tells the client why."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.text)
        self.response = response


@dataclass(frozen=True, slots=True)
class User:
    """USER name."""

    name: str


@dataclass(frozen=True, slots=True)
class Pass:
    """PASS password: the rest of the line, spaces and all."""

    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH mechanism [initial-response], still in base64; without mechanism it asks which there are."""

    mechanism: str
    initial: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Stls:
    """STLS (RFC 2595 4)."""


@dataclass(frozen=True, slots=True)
class Utf8:
    """UTF8 (RFC 6856 2.1)."""


@dataclass(frozen=True, slots=True)
class Capa:
    """CAPA (RFC 2449 5)."""


@dataclass(frozen=True, slots=True)
class Stat:
    """STAT."""


@dataclass(frozen=True, slots=True)
class List:
    """LIST [message]."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Uidl:
    """UIDL [message]."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Retr:
    """RETR message."""

    number: int


@dataclass(frozen=True, slots=True)
class Top:
    """TOP message lines: the header and so many lines of the body."""

    number: int
    lines: int


@dataclass(frozen=True, slots=True)
class Dele:
    """DELE message."""

    number: int


@dataclass(frozen=True, slots=True)
class Rset:
    """RSET: no message is to be deleted."""


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT."""


Command = (
    User | Pass | Auth | Stls | Utf8 | Capa | Stat | List | Uidl | Retr | Top | Dele | Rset | Noop | Quit
)  # fmt: skip


def _nothing(command: Callable[[], Command]) -> Callable[[bytes], Command]:
    """A command without arguments."""

    def parse(arguments: bytes) -> Command:
        if arguments.strip(b" "):
            raise BadCommand(responses.SYNTAX_ERROR)
        return command()

    return parse


def _user(arguments: bytes) -> User:
    return User(_text(arguments.strip(b" ")))


def _pass(arguments: bytes) -> Pass:
    return Pass(_text(arguments))


def _text(argument: bytes) -> str:
    """UTF-8 that is not empty and has no control characters."""
    if not argument or _CONTROL.search(argument):
        raise BadCommand(responses.SYNTAX_ERROR)
    try:
        return argument.decode()
    except UnicodeDecodeError:
        raise BadCommand(responses.SYNTAX_ERROR) from None


def _auth(arguments: bytes) -> Auth:
    words = arguments.split()
    if len(words) > 2:
        raise BadCommand(responses.SYNTAX_ERROR)
    mechanism = words[0].upper().decode("ascii", "replace") if words else ""
    return Auth(mechanism, words[1] if len(words) == 2 else None)


def _one_message(command: Callable[[int], Command]) -> Callable[[bytes], Command]:
    def parse(arguments: bytes) -> Command:
        return command(_message_number(arguments.strip(b" ")))

    return parse


def _message_or_all(command: Callable[[int | None], Command]) -> Callable[[bytes], Command]:
    def parse(arguments: bytes) -> Command:
        word = arguments.strip(b" ")
        return command(_message_number(word) if word else None)

    return parse


def _top(arguments: bytes) -> Top:
    words = arguments.split()
    if len(words) != 2:
        raise BadCommand(responses.SYNTAX_ERROR)
    return Top(_message_number(words[0]), _number(words[1]))


def _message_number(word: bytes) -> int:
    number = _number(word)
    if number == 0:
        raise BadCommand(responses.BAD_NUMBER)
    return number


def _number(word: bytes) -> int:
    """A number of bounded size; the length is looked at before ``int`` sees it."""
    if not _NUMBER.fullmatch(word) or int(word) > LARGEST_NUMBER:
        raise BadCommand(responses.BAD_NUMBER)
    return int(word)


@dataclass(frozen=True, slots=True)
class Row:
    """How a command's arguments are read, when it may be said, and whether a password goes with it."""

    parse: Callable[[bytes], Command]
    states: frozenset[State]
    needs_privacy: bool = False


_BEFORE_LOGIN = frozenset({State.AUTHORIZATION})
_AFTER_LOGIN = frozenset({State.TRANSACTION})
_ALWAYS = _BEFORE_LOGIN | _AFTER_LOGIN

COMMANDS: Mapping[bytes, Row] = {
    b"USER": Row(_user, _BEFORE_LOGIN, needs_privacy=True),
    b"PASS": Row(_pass, _BEFORE_LOGIN, needs_privacy=True),
    b"AUTH": Row(_auth, _BEFORE_LOGIN, needs_privacy=True),
    b"STLS": Row(_nothing(Stls), _BEFORE_LOGIN),
    b"UTF8": Row(_nothing(Utf8), _BEFORE_LOGIN),
    b"CAPA": Row(_nothing(Capa), _ALWAYS),
    b"STAT": Row(_nothing(Stat), _AFTER_LOGIN),
    b"LIST": Row(_message_or_all(List), _AFTER_LOGIN),
    b"UIDL": Row(_message_or_all(Uidl), _AFTER_LOGIN),
    b"RETR": Row(_one_message(Retr), _AFTER_LOGIN),
    b"TOP": Row(_top, _AFTER_LOGIN),
    b"DELE": Row(_one_message(Dele), _AFTER_LOGIN),
    b"RSET": Row(_nothing(Rset), _AFTER_LOGIN),
    b"NOOP": Row(_nothing(Noop), _AFTER_LOGIN),
    b"QUIT": Row(_nothing(Quit), _ALWAYS),
}
