"""What strangers wrote, made safe to print: one line, and nothing that moves a terminal's cursor."""

from __future__ import annotations

import unicodedata


def printable(text: str) -> str:
    r"""Write every character that is not plainly visible as Python would: ``\n``, ``\x1b``, ``\u202e``.

    That covers control and format characters (line ends, ESC, the marks that turn the direction of
    writing, characters without width), surrogates and code points without a meaning.  Spaces of
    all widths stay.  A backslash stays too, so the result is for people and cannot be turned back.
    """
    if text.isprintable():
        return text
    return "".join([_visible(character) for character in text])


def _visible(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    return ascii(character)[1:-1]


def bounded(text: str, characters: int) -> str:
    """Cut what is too long, and show that it was cut."""
    return text if len(text) <= characters else text[: characters - 1] + "…"
