"""The first words of a message, for lists (RFC 8970)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mailsys.message.charsets import decode_text
from mailsys.message.structure.body_forms import encoding_of
from mailsys.message.structure.decoding import decode_octets
from mailsys.message.structure.html_text import html_text
from mailsys.message.structure.parameters import value_of
from mailsys.message.structure.parts import Kind, Part

PREVIEW_CHARACTERS = 200  # RFC 8970 3.1 allows 256, and says that most are shorter
READ_OCTETS = (
    1500,
    12_000,
)  # of a text: at first, and if nothing comes of these; HTML begins with much that is none
_PARTS = 20  # parts that are looked at
# What says nothing: quoted lines with the line that announces them, rulers, and what cannot be seen.
_QUOTED = re.compile(r"^[ \t]*+(?:>[^\n]*+|[-_=*]{3,}[ \t\r]*+)$", re.MULTILINE)
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\xa0\u00ad\u034f\u115f\u1160\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]"
)


def preview(message: Part, read: Callable[[int, int], bytes]) -> str:
    """One line, perhaps empty; ``read`` returns octets of the message from an offset on."""
    for part in _texts(message):
        size = part.end.offset - part.body.offset
        line = ""
        for wanted in READ_OCTETS:
            octets = read(part.body.offset, min(wanted, size))
            line = _line(decode_part(part, octets), is_html=part.subtype.lower() == b"html")
            if wanted >= size or len(line) > PREVIEW_CHARACTERS // 2:
                break
        if line:
            return line
    return ""


def decode_part(part: Part, octets: bytes) -> str:
    """What the octets of a text mean; of those in an unknown charset what is ASCII."""
    octets = decode_octets(octets, encoding_of(part.headers))
    charset = value_of(part.parameters, b"charset").decode("ascii", "replace") or "utf-8"
    if charset.lower() in ("us-ascii", "ascii"):
        charset = "utf-8"  # of those who say so, many write more
    text = decode_text(octets, charset)
    return octets.decode("ascii", "replace") if text is None else text


def _texts(message: Part) -> Iterator[Part]:
    """The texts that a person sees first: not attached ones, nor those of attached messages."""
    waiting, seen = [message], 0
    while waiting and seen < _PARTS:
        part = waiting.pop()
        seen += 1
        if part.kind is Kind.MULTIPART:
            waiting += part.children[:_PARTS][::-1]
        elif part.kind is Kind.LEAF and part.type.lower() == b"text" and not _is_attached(part):
            yield part


def _is_attached(part: Part) -> bool:
    disposition = part.headers.first(b"content-disposition")
    return disposition is not None and disposition.value.lstrip().lower().startswith(b"attachment")


def _line(text: str, *, is_html: bool) -> str:
    text = html_text(text) if is_html else _QUOTED.sub("", text)
    if not text.isprintable():
        text = _INVISIBLE.sub(" ", text)
    line = " ".join(text.split())
    if len(line) <= PREVIEW_CHARACTERS:
        return line
    cut = line.rfind(" ", PREVIEW_CHARACTERS - 30, PREVIEW_CHARACTERS)
    return line[: cut if cut > 0 else PREVIEW_CHARACTERS].rstrip()
