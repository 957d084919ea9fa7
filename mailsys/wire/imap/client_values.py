"""What stands in a server's response: words, strings, NIL, and lists of these (RFC 9051 9).

Nothing here recurses; depth and number of values have bounds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

VALUES = 400_000  # in one response
DEPTH = 100  # of lists; the body structure of a message nests with its parts

# What comes back: octets of a word or a string, None for NIL, or a list.
Value = bytes | list["Value"] | None

# A word may hold a section with spaces and parentheses: BODY[HEADER.FIELDS (FROM)]<0>.
_TOKEN = re.compile(
    rb"(?P<space> +)"
    rb"|(?P<open>\()"
    rb"|(?P<close>\))"
    rb'|(?P<quoted>"(?:[^"\\]|\\.)*+")'
    rb"|(?P<literal>~?\{\d{1,20}\+?\}\Z)"
    rb"|(?P<word>(?:[^\x00-\x20\x7f(){\"\[]|\[[^\]]*+\])++)",
    re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


class BadValue(Exception):  # noqa: N818 - strangers' responses are like that
    """This is no IMAP; the text goes on from the server's name."""


def parse_values(segments: Sequence[bytes]) -> list[Value]:
    """Return the values of a response, as :meth:`ResponseReader.next_response` cuts it; raises BadValue."""
    reading = _Reading(segments)
    for text in segments[::2]:
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise BadValue("sent what is no IMAP")
            reading.take(token)
            at = token.end()
    return reading.end()


class _Reading:
    """The lists that are open, the outermost first."""

    def __init__(self, segments: Sequence[bytes]) -> None:
        self._literals = iter(segments[1::2])
        self._open: list[list[Value]] = [[]]
        self._count = 0

    def take(self, token: re.Match[bytes]) -> None:
        self._count += 1
        if self._count > VALUES:
            raise BadValue(f"sent a response with more than {VALUES:,} values")
        match token.lastgroup:
            case "open":
                self._begin_list()
            case "close":
                if len(self._open) == 1:
                    raise BadValue("sent the end of a list that has no beginning")
                self._open.pop()
            case "quoted":
                self._open[-1].append(_ESCAPED.sub(rb"\1", token[0][1:-1]))
            case "literal":
                self._open[-1].append(self._literal())
            case "word":
                self._open[-1].append(None if token[0].upper() == b"NIL" else token[0])

    def _literal(self) -> bytes:
        octets = next(self._literals, None)
        if octets is None:
            raise BadValue("announced octets that did not come")
        return octets

    def _begin_list(self) -> None:
        if len(self._open) > DEPTH:
            raise BadValue(f"sent lists within one another, more than {DEPTH} deep")
        inner: list[Value] = []
        self._open[-1].append(inner)
        self._open.append(inner)

    def end(self) -> list[Value]:
        if len(self._open) > 1:
            raise BadValue("sent a list that does not end")
        return self._open[0]
