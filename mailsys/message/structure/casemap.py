"""Which texts are the same in searching and sorting: i;unicode-casemap (RFC 5051), as RFC 5255 4.4 asks.

Each character becomes its simple titlecase form, then what Unicode decomposes it to.  So "JÖRG", "jörg" and a
"jörg" with a combining mark are one, and a fullwidth letter is the letter.  One step more than the RFC has:
what came out of a ligature is in titlecase, too.
"""

from __future__ import annotations

import unicodedata


class _Casemap(dict[int, str]):
    """What each character becomes, worked out once; there are not many more than a million."""

    def __missing__(self, code: int) -> str:
        mapped = "".join(map(_title, unicodedata.normalize("NFKD", _title(chr(code)))))
        self[code] = mapped
        return mapped


def _title(character: str) -> str:
    """RFC 5051 2 wants the simple mapping: "ß".title() is "Ss", so "ß" has none."""
    title = character.title()
    return title if len(title) == 1 else character


_CASEMAP = _Casemap()


def casemap(text: str) -> str:
    """The form in which texts are compared."""
    return text.upper() if text.isascii() else text.translate(_CASEMAP)


def search_form(text: str) -> str:
    """The form in which texts are searched: all white space, line ends too, is one space."""
    words = casemap(" ".join(text.split()))
    before = " " if text[:1].isspace() and words else ""
    return before + words + (" " if text[-1:].isspace() else "")
