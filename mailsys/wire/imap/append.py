"""APPEND: messages that are given out in pieces while they arrive, never held as a whole.

::

    APPEND folder [flags] [date] message [[flags] [date] message …]       (RFC 3502)
    message = literal | ~literal (RFC 3516) | UTF8 (~literal) (RFC 6855) | CATENATE (part part …) (RFC 4469)
    part    = TEXT literal | URL string

The command itself comes first, as :class:`Append`; what follows comes as these events, and at the end
:class:`AppendEnds`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from mailsys.wire.imap.dates import parse_date_time
from mailsys.wire.imap.grammar import Reader
from mailsys.wire.imap.message_commands import parse_flags

_ANNOUNCED = re.compile(rb"~?\{\d{1,100}\+?\}\Z")
_DATE_TIME = re.compile(rb'"[^"\\\r\n]{1,40}"')


@dataclass(frozen=True, slots=True)
class Append:
    """APPEND to this folder; the messages follow."""

    folder: str


@dataclass(frozen=True, slots=True)
class MessageStarts:
    """A message; ``date`` is in seconds since 1970, None for now.  ``is_utf8``: the client says so."""

    flags: frozenset[str]
    date: float | None
    is_utf8: bool = False


@dataclass(frozen=True, slots=True)
class LiteralStarts:
    """So many octets want to come.  Nothing does until the machine is told to accept or refuse them.

    ``is_url``: they are the text of a URL, and no part of a message by themselves.
    """

    octets: int
    is_url: bool = False


@dataclass(frozen=True, slots=True)
class Octets:
    """A piece of the literal."""

    data: bytes


@dataclass(frozen=True, slots=True)
class UrlPart:
    """What this URL names is the next part of the message."""

    url: str


@dataclass(frozen=True, slots=True)
class MessageEnds:
    """The message is whole."""


@dataclass(frozen=True, slots=True)
class AppendEnds:
    """The command is whole."""


AppendEvent = MessageStarts | LiteralStarts | Octets | UrlPart | MessageEnds | AppendEnds


def parse_append(reader: Reader) -> Append:
    """The folder; what follows is left for :class:`AppendReader`."""
    reader.space()
    return Append(reader.mailbox())


class _Place(Enum):
    BETWEEN = auto()  # a message, or the end
    IN_UTF8 = auto()  # the parenthesis behind the literal
    IN_CATENATE = auto()  # the first part
    BEHIND_PART = auto()  # a further part, or the parenthesis


class AppendReader:
    """Reads the text between the literals of one APPEND."""

    def __init__(self) -> None:
        self._place = _Place.BETWEEN
        self._messages = 0
        self._in_message = False

    def read(self, reader: Reader) -> list[AppendEvent]:
        """Events of a text, of which the last is a LiteralStarts or AppendEnds; raises BadCommand."""
        events: list[AppendEvent] = []
        while not events or not isinstance(events[-1], LiteralStarts | AppendEnds):
            self._step(reader, events)
        return events

    def _step(self, reader: Reader, events: list[AppendEvent]) -> None:
        match self._place:
            case _Place.BETWEEN:
                self._between(reader, events)
            case _Place.IN_UTF8:
                reader.expect(b")")
                self._place = _Place.BETWEEN
            case _Place.BEHIND_PART if reader.accept(b")"):
                self._place = _Place.BETWEEN
            case _:
                self._part(reader, events)

    def _between(self, reader: Reader, events: list[AppendEvent]) -> None:
        if self._in_message:
            events.append(MessageEnds())
            self._in_message = False
        if self._messages and reader.is_at_end:
            events.append(AppendEnds())
            return
        reader.space()
        flags, date = self._options(reader)
        self._messages += 1
        self._in_message = True
        if reader.peek() in (b"{", b"~"):
            events += [MessageStarts(flags, date), self._literal(reader)]
            return
        self._long_form(reader, flags, date, events)

    def _options(self, reader: Reader) -> tuple[frozenset[str], float | None]:
        flags: frozenset[str] = frozenset()
        date = None
        if reader.peek() == b"(":
            flags = parse_flags(reader)
            reader.space()
        if reader.peek() == b'"':
            try:
                date = parse_date_time(reader.match(_DATE_TIME, "a date").decode("ascii").strip('"'))
            except ValueError:
                raise reader.wrong("this is no date and time") from None
            reader.space()
        return flags, date

    def _long_form(
        self, reader: Reader, flags: frozenset[str], date: float | None, events: list[AppendEvent]
    ) -> None:
        word = reader.word()
        reader.space()
        reader.expect(b"(")
        if word == b"UTF8" and reader.peek() == b"~":
            self._place = _Place.IN_UTF8
            events += [MessageStarts(flags, date, is_utf8=True), self._literal(reader)]
        elif word == b"CATENATE":
            self._place = _Place.IN_CATENATE
            events.append(MessageStarts(flags, date))
        else:
            raise reader.wrong("a message expected")

    def _part(self, reader: Reader, events: list[AppendEvent]) -> None:
        if self._place is _Place.BEHIND_PART:
            reader.space()
        self._place = _Place.BEHIND_PART
        word = reader.word()
        reader.space()
        if word == b"TEXT":
            events.append(self._literal(reader))
        elif word == b"URL" and reader.peek() == b"{":
            events.append(LiteralStarts(self._literal(reader).octets, is_url=True))
        elif word == b"URL":
            events.append(UrlPart(reader.text(reader.astring())))
        else:
            raise reader.wrong("TEXT or URL expected")

    def _literal(self, reader: Reader) -> LiteralStarts:
        announced = reader.match(_ANNOUNCED, "a literal")
        return LiteralStarts(int(announced.strip(b"~{+}")))
