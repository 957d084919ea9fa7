"""Commands of a client, and how they go over the wire (RFC 9051 6, 4.3; RFC 7888).

A command is octets with literals between them.  Whatever its parts are, no octet of them can end the line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mailsys.wire.imap.rendering import mailbox

SMALL_LITERAL_OCTETS = 4096  # RFC 7888 5: what LITERAL- lets go without waiting
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_QUOTABLE = re.compile(rb"[\x20-\x7e]{0,1000}")
_SPECIAL = re.compile(rb'(["\\])')


@dataclass(frozen=True, slots=True)
class Literal:
    """Octets that go behind their count."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Command:
    """What is asked, without tag and line end; ``name`` is for people."""

    name: str
    parts: tuple[bytes | Literal, ...]

    def __post_init__(self) -> None:
        """Refuse what would be more than one command."""
        if any(isinstance(part, bytes) and _CONTROL.search(part) for part in self.parts):
            raise ValueError("a command line must not hold control characters")

    def render(self, tag: str, capabilities: Collection[str]) -> list[bytes]:
        """Return the pieces; before each but the first the server has to be waited for."""
        pieces, piece = [], tag.encode() + b" "
        for part in self.parts:
            if isinstance(part, bytes):
                piece += part
                continue
            octets = len(part.octets)
            if _goes_at_once(octets, capabilities):
                piece += b"{%d+}\r\n" % octets + part.octets
            else:
                pieces.append(piece + b"{%d}\r\n" % octets)
                piece = part.octets
        return [*pieces, piece + b"\r\n"]


def _goes_at_once(octets: int, capabilities: Collection[str]) -> bool:
    if "LITERAL+" in capabilities:
        return True
    return octets <= SMALL_LITERAL_OCTETS and not {"LITERAL-", "IMAP4REV2"}.isdisjoint(capabilities)


def string(octets: bytes) -> bytes | Literal:
    """A string: quoted if it can be; raises ValueError for one with NUL, which none may hold."""
    if b"\0" in octets:
        raise ValueError("a string must not hold NUL")
    if _QUOTABLE.fullmatch(octets):
        return b'"' + _SPECIAL.sub(rb"\\\1", octets) + b'"'
    return Literal(octets)


def words(*arguments: bytes | Literal) -> tuple[bytes | Literal, ...]:
    """The arguments with spaces between them."""
    spaced: list[bytes | Literal] = []
    for argument in arguments:
        spaced += (b" ", argument) if spaced else (argument,)
    return tuple(spaced)


def simple(name: str) -> Command:
    """One without arguments, such as NOOP."""
    return Command(name, (name.encode(),))


def login(name: str, password: str) -> Command:
    """LOGIN (RFC 9051 6.2.3), for servers that offer no mechanism."""
    return Command("LOGIN", words(b"LOGIN", string(name.encode()), string(password.encode())))


def select(folder: str, *, read_only: bool = False) -> Command:
    """SELECT, or EXAMINE (RFC 9051 6.3.2); raises ValueError for what can be no folder's name."""
    name = "EXAMINE" if read_only else "SELECT"
    return Command(name, words(name.encode(), mailbox(folder, utf8=False)))


def list_folders(pattern: str = "*") -> Command:
    """LIST of all folders that the pattern names (RFC 9051 6.3.9)."""
    return Command("LIST", words(b"LIST", b'""', mailbox(pattern, utf8=False)))


def folder_status(folder: str, items: Iterable[str]) -> Command:
    """STATUS (RFC 9051 6.3.11)."""
    return Command("STATUS", words(b"STATUS", mailbox(folder, utf8=False), _list(items)))


def fetch(messages: str, items: Iterable[str], *, by_uid: bool = False) -> Command:
    """FETCH (RFC 9051 6.4.5); ``messages`` as in ``1:5,9``."""
    name = b"UID FETCH" if by_uid else b"FETCH"
    return Command("FETCH", words(name, messages.encode("ascii"), _list(items)))


def store(messages: str, change: str, flags: Iterable[str], *, by_uid: bool = False) -> Command:
    """STORE (RFC 9051 6.4.6); ``change`` is ``+FLAGS``, ``-FLAGS`` or ``FLAGS``."""
    name = b"UID STORE" if by_uid else b"STORE"
    return Command("STORE", words(name, messages.encode("ascii"), change.encode(), _list(flags)))


def append(folder: str, flags: Iterable[str], message: bytes) -> Command:
    """APPEND (RFC 9051 6.3.12)."""
    return Command("APPEND", words(b"APPEND", mailbox(folder, utf8=False), _list(flags), Literal(message)))


def _list(items: Iterable[str]) -> bytes:
    return b"(" + " ".join(items).encode("ascii") + b")"
