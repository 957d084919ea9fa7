"""Commands about the session itself: login, capabilities, extensions, the end (RFC 9051 6.1 to 6.3.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from mailsys.wire.imap.grammar import Reader

T = TypeVar("T")
MOST_ID_PAIRS = 30  # RFC 2971 3.3


@dataclass(frozen=True, slots=True)
class Capability:
    """CAPABILITY."""


@dataclass(frozen=True, slots=True)
class Noop:
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Logout:
    """LOGOUT."""


@dataclass(frozen=True, slots=True)
class Starttls:
    """STARTTLS."""


@dataclass(frozen=True, slots=True)
class Login:
    """LOGIN name password."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """AUTHENTICATE mechanism [initial response], still in base64 (RFC 4959)."""

    mechanism: str
    initial: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Id:
    """ID: what the client says of itself; empty for NIL (RFC 2971)."""

    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Enable:
    """ENABLE: extensions in capitals (RFC 5161)."""

    extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compress:
    """COMPRESS mechanism (RFC 4978)."""

    mechanism: str


@dataclass(frozen=True, slots=True)
class Idle:
    """IDLE (RFC 2177)."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """NAMESPACE (RFC 2342)."""


SessionCommand = (
    Capability | Noop | Logout | Starttls | Login | Authenticate | Id | Enable | Compress | Idle | Namespace
)  # fmt: skip


def nothing(command: Callable[[], T]) -> Callable[[Reader], T]:
    """A command without arguments."""

    def parse(reader: Reader) -> T:
        reader.end()
        return command()

    return parse


def parse_login(reader: Reader) -> Login:
    """Names and passwords are UTF-8, in whatever form they come."""
    reader.space()
    name = reader.text(reader.astring())
    reader.space()
    password = reader.text(reader.astring())
    reader.end()
    return Login(name, password)


def parse_authenticate(reader: Reader) -> Authenticate:
    """The initial response is base64, or ``=`` for an empty one."""
    reader.space()
    mechanism = reader.word().decode()
    if reader.is_at_end:
        return Authenticate(mechanism)
    reader.space()
    initial = reader.astring()
    reader.end()
    return Authenticate(mechanism, initial)


def parse_id(reader: Reader) -> Id:
    """Pairs of strings, or NIL."""
    reader.space()
    if reader.peek() != b"(":
        if reader.nstring() is not None:
            raise reader.wrong("a list or NIL expected")
        reader.end()
        return Id()
    words = [reader.text(word or b"") for word in reader.parenthesised(reader.nstring, 2 * MOST_ID_PAIRS)]
    reader.end()
    if len(words) % 2:
        raise reader.wrong("a value is missing")
    return Id(tuple(zip(words[::2], words[1::2], strict=True)))


def parse_enable(reader: Reader) -> Enable:
    """One extension or more."""
    extensions = []
    while not reader.is_at_end:
        reader.space()
        extensions.append(reader.word().decode())
    if not extensions:
        raise reader.wrong("an argument is missing")
    return Enable(tuple(extensions))


def parse_compress(reader: Reader) -> Compress:
    """One mechanism."""
    reader.space()
    mechanism = reader.word().decode()
    reader.end()
    return Compress(mechanism)
