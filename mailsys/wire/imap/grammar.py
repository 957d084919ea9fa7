"""Reads the arguments of a command, one after the other (RFC 9051 9).

A command is lines with literals between them: ``segments`` are text, literal, text …, where each text
but the last ends with the literal's announcement.  Nothing here recurses, and what may repeat is counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeVar

from mailsys.message.modified_utf7 import decode_utf7
from mailsys.wire.imap.responses import BAD_NAME, Response, bad
from mailsys.wire.imap.sequence import BadSet, SequenceSet, parse_sequence_set

T = TypeVar("T")
INBOX = "INBOX"
MOST_IN_LIST = 10_000
LARGEST_MODSEQ = 2**63 - 1

# RFC 9051 9: ATOM-CHAR is any CHAR without atom-specials; ``]`` may stand in an astring.
_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_ASTRING = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+')
_LIST_WORD = re.compile(rb'[^\x00-\x20\x7f-\xff(){"\\]+')
_FLAG = re.compile(rb'\\?[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_QUOTED = re.compile(rb'"[^"\\\r\n\x00]*(?:\\["\\][^"\\\r\n\x00]*)*"')
_ANNOUNCED = re.compile(rb"(~?)\{\d{1,100}\+?\}\Z")
_NUMBER = re.compile(rb"\d{1,20}")
_SET_WORD = re.compile(rb"[0-9*:,]+|\$")
_TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]+')


class BadCommand(Exception):  # noqa: N818 - it is an answer
    """The command cannot be taken; ``response`` tells the client why."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.text)
        self.response = response


class Reader:
    """A place in a command.  All that cannot be read raises BadCommand.

    ``utf8`` says that the client has enabled UTF-8 in quoted strings and names (RFC 6855, RFC 9051 5.1).
    """

    __slots__ = ("_next", "_segments", "_text", "at", "utf8")

    def __init__(self, segments: Sequence[bytes], *, utf8: bool = False) -> None:
        self._segments = segments
        self._text = segments[0]
        self._next = 1
        self.at = 0
        self.utf8 = utf8

    # ------------------------------------------------------------------ single octets

    @property
    def is_at_end(self) -> bool:
        """Is nothing left?"""
        return self.at == len(self._text) and self._next >= len(self._segments)

    def peek(self) -> bytes:
        """The next octet of the line, empty at its end."""
        return self._text[self.at : self.at + 1]

    def is_before(self, octets: bytes) -> bool:
        """Is this all that is left of the line?"""
        return self._text[self.at :] == octets

    def accept(self, octets: bytes) -> bool:
        """Step over these octets if they come next."""
        if self._text.startswith(octets, self.at):
            self.at += len(octets)
            return True
        return False

    def expect(self, octets: bytes) -> None:
        """Step over octets that must come next."""
        if not self.accept(octets):
            raise self.wrong(f"{octets.decode()!r} expected")

    def space(self) -> None:
        """Step over the space between arguments."""
        if not self.accept(b" "):
            raise self.wrong("an argument is missing" if self.is_at_end else "a space expected")

    def end(self) -> None:
        """Nothing may follow; some clients send a space."""
        self.accept(b" ")
        if not self.is_at_end:
            raise self.wrong("there is more than the command takes")

    def wrong(self, why: str) -> BadCommand:
        """What to raise: the command is no IMAP."""
        return BadCommand(bad(f"Syntax error: {why}"))

    # ------------------------------------------------------------------ words

    def match(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        """Step over what the pattern finds here, and return it; ``what`` says what it should have been."""
        found = pattern.match(self._text, self.at)
        if found is None:
            raise self.wrong(f"{what} expected")
        self.at = found.end()
        return found[0]

    def tag(self) -> str:
        """What names the command."""
        return self.match(_TAG, "a tag").decode()

    def atom(self) -> str:
        """A word without special characters."""
        return self.match(_ATOM, "a word").decode()

    def word(self) -> bytes:
        """An atom in capitals."""
        return self.match(_ATOM, "a word").upper()

    def number(self, largest: int = 2**32 - 1, smallest: int = 0) -> int:
        """A number of bounded size; its length is looked at before ``int`` sees it."""
        number = int(self.match(_NUMBER, "a number"))
        if not smallest <= number <= largest:
            raise self.wrong("the number is out of range")
        return number

    def modseq(self, smallest: int = 0) -> int:
        """A modification sequence (RFC 7162 7)."""
        return self.number(LARGEST_MODSEQ, smallest)

    def sequence_set(self) -> SequenceSet:
        """Numbers or UIDs of messages, or ``$``."""
        try:
            return parse_sequence_set(self.match(_SET_WORD, "a set of messages"))
        except BadSet:
            raise self.wrong("this is no set of messages") from None

    def flag(self) -> str:
        """A flag or keyword as the client wrote it."""
        return self.match(_FLAG, "a flag").decode()

    # ------------------------------------------------------------------ strings

    def string(self) -> bytes:
        """A quoted string or a literal."""
        if self.peek() == b'"':
            return self._quoted()
        return self.literal()

    def astring(self) -> bytes:
        """A string or a word."""
        if self.peek() in (b'"', b"{", b"~"):
            found = self._announced()
            if found is not None or self.peek() == b'"':
                return self.string()
        return self.match(_ASTRING, "a string")

    def nstring(self) -> bytes | None:
        """A string or NIL."""
        if self._text[self.at : self.at + 3].upper() == b"NIL":
            self.at += 3
            return None
        return self.string()

    def literal(self) -> bytes:
        """Octets announced by their count; they have come already."""
        found = self._announced()
        if found is None or self._next + 1 >= len(self._segments):
            raise self.wrong("a string expected")
        if found[1]:
            raise self.wrong("a literal8 cannot stand here")
        octets, self._text = self._segments[self._next], self._segments[self._next + 1]
        self._next += 2
        self.at = 0
        if b"\0" in octets:
            raise self.wrong("there is a NUL in a string")
        return octets

    def _announced(self) -> re.Match[bytes] | None:
        return _ANNOUNCED.match(self._text, self.at)

    def _quoted(self) -> bytes:
        text = self.match(_QUOTED, "a quoted string")[1:-1]
        if b"\\" in text:
            text = re.sub(rb"\\(.)", rb"\1", text)
        if not text.isascii() and not self.utf8:
            raise self.wrong("a quoted string with more than ASCII needs ENABLE UTF8=ACCEPT")
        return text

    def text(self, octets: bytes) -> str:
        """UTF-8 of a client."""
        try:
            return octets.decode()
        except UnicodeDecodeError:
            raise self.wrong("this is not UTF-8") from None

    # ------------------------------------------------------------------ names

    def mailbox(self) -> str:
        """A folder's name, in Unicode's normal form C, with INBOX in capitals."""
        return self._name(self.astring())

    def pattern(self) -> str:
        """A name with wildcards (``list-mailbox``)."""
        if self.peek() in (b'"', b"{"):
            return self._name(self.string())
        return self._name(self.match(_LIST_WORD, "a pattern"))

    def _name(self, octets: bytes) -> str:
        try:
            text = octets.decode()
            name = text if self.utf8 or not octets.isascii() else decode_utf7(text)
        except ValueError:
            raise BadCommand(BAD_NAME) from None
        return folder_name(name)

    # ------------------------------------------------------------------ lists

    def parenthesised(self, item: Callable[[], T], most: int = MOST_IN_LIST) -> list[T]:
        """``(item item …)``, perhaps empty."""
        self.expect(b"(")
        items: list[T] = []
        if self.accept(b")"):
            return items
        while True:
            items.append(item())
            if len(items) > most:
                raise self.wrong("there is too much in a list")
            if self.accept(b")"):
                return items
            self.space()

    def one_or_more(self, item: Callable[[], T]) -> list[T]:
        """One item, or several in parentheses."""
        if self.peek() != b"(":
            return [item()]
        items = self.parenthesised(item)
        if not items:
            raise self.wrong("there is nothing in a list")
        return items


def folder_name(name: str) -> str:
    """The form of a name in which folders are looked up."""
    name = unicodedata.normalize("NFC", name)
    first, slash, rest = name.partition("/")
    return INBOX + slash + rest if first.upper() == INBOX else name
