"""The text of a message that a search looks at (RFC 9051 6.4.4), decoded and in pieces.

The header's fields come first, each with its name, a line each.  Then of each part what it is called
and, if it is a text, what a person reads of it; of HTML that is what stands between the tags, then
where links lead.  A message within has a header, too.  Attachments that are no text are not looked into.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator
from itertools import chain

from mailsys.message.charsets import codec_for
from mailsys.message.content import Content
from mailsys.message.headers import Headers
from mailsys.message.structure.body_forms import encoding_of
from mailsys.message.structure.casemap import search_form
from mailsys.message.structure.decoding import decode
from mailsys.message.structure.file_names import names_of
from mailsys.message.structure.html_text import html_references, html_text
from mailsys.message.structure.parameters import value_of
from mailsys.message.structure.parts import Kind, Part
from mailsys.message.structure.sections import READ_OCTETS

# HTML is read at one go up to this; a longer one is cut, which a word at the cut may show.
HTML_CHARACTERS = 2 * 1024 * 1024
NEW = "\n"  # A piece that begins with it goes on with nothing before.


def header_text(headers: Headers) -> str:
    """All fields, decoded; those beyond the bounds of a header are not there."""
    lines = (f"{field.name.decode('ascii')}: {field.text}" for field in headers.fields)
    return NEW.join(map(search_form, lines))


def body_text(content: Content, message: Part) -> Iterator[str]:
    """What follows the message's header, in pieces of bounded size.  May wait for a disk; raises OSError.

    Each part begins with a line feed, so a word never goes on from one part to the next.
    """
    waiting = [message]
    while waiting:
        part = waiting.pop()
        yield NEW + NEW.join(map(search_form, names_of(part)))
        if part.kind is Kind.MESSAGE:
            yield NEW + header_text(part.children[0].headers)
        elif _is_text(part):
            yield from _part_text(content, part)
        waiting += part.children[::-1]


def _is_text(part: Part) -> bool:
    return part.kind is Kind.LEAF and part.type.lower() == b"text"


def _part_text(content: Content, part: Part) -> Iterator[str]:
    texts = _decoded(content, part)
    yield NEW
    if part.subtype.lower() != b"html":
        yield from _joined(map(search_form, texts))
        return
    for source in _gathered(texts):
        yield search_form(html_text(source))
        yield NEW + search_form(html_references(source)) + NEW


def _joined(texts: Iterator[str]) -> Iterator[str]:
    """White space that a cut went through is one space."""
    after_space = False
    for text in texts:
        if after_space and text.startswith(" "):
            text = text[1:]
        if text:
            after_space = text.endswith(" ")
            yield text


def _gathered(texts: Iterator[str]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if size > HTML_CHARACTERS:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def _decoded(content: Content, part: Part) -> Iterator[str]:
    """Characters of a text, with U+FFFD for what means nothing; of an unknown charset what is ASCII."""
    charset = value_of(part.parameters, b"charset").decode("ascii", "replace") or "utf-8"
    codec = codec_for(charset)
    if codec in ("ascii", None):
        codec = "utf-8"  # of those who say ASCII, many write more
    decoder = codecs.getincrementaldecoder(codec or "utf-8")("replace")
    octets = decode(_read(content, part), encoding_of(part.headers))
    yield from map(decoder.decode, octets)
    yield decoder.decode(b"", final=True)


def _read(content: Content, part: Part) -> Iterator[bytes]:
    for offset in range(part.body.offset, part.end.offset, READ_OCTETS):
        yield content.read(offset, min(READ_OCTETS, part.end.offset - offset))


def find_texts(
    content: Content, message: Part, in_text: Collection[str], in_body: Collection[str]
) -> tuple[set[str], set[str]]:
    """Which of the first are in header or body, and which of the second in the body.

    All are in the form of :func:`search_form`.  May wait for a disk; raises OSError.
    """
    header = header_text(message.headers)
    found = {needle for needle in in_text if needle in header}, set[str]()
    open_ = [set(in_text) - found[0], set(in_body)]
    longest = max(map(len, chain(in_text, in_body)), default=1)
    tail = ""
    for piece in body_text(content, message) if any(open_) else ():
        text = tail + piece
        for number, needles in enumerate(open_):
            here = {needle for needle in needles if needle in text}
            found[number].update(here)
            needles -= here
        if not any(open_):
            break
        tail = text[-longest + 1 :] if longest > 1 else ""
    return found
