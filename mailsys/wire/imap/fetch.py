"""FETCH and what it can ask for (RFC 9051 6.4.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from mailsys.wire.imap.grammar import Reader
from mailsys.wire.imap.sequence import SequenceSet

MOST_ITEMS = 100
MOST_FIELDS = 1000
MOST_LEVELS = 100  # of parts in parts

_ITEM = re.compile(rb"[A-Za-z0-9.]+")
_PART = re.compile(rb"[1-9]\d{0,8}(?:\.[1-9]\d{0,8})*")
_FIELD_NAME = re.compile(rb"[!-9;-~]+")
_PLAIN_NAME = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')


class Item(Enum):
    """Items without arguments."""

    UID = "UID"
    FLAGS = "FLAGS"
    INTERNAL_DATE = "INTERNALDATE"
    SIZE = "RFC822.SIZE"
    ENVELOPE = "ENVELOPE"
    BODY = "BODY"
    BODY_STRUCTURE = "BODYSTRUCTURE"
    MODSEQ = "MODSEQ"
    SAVE_DATE = "SAVEDATE"
    PREVIEW = "PREVIEW"


class Text(Enum):
    """Which text of a part: all of it, or as the words say."""

    ALL = ""
    HEADER = "HEADER"
    FIELDS = "HEADER.FIELDS"
    FIELDS_NOT = "HEADER.FIELDS.NOT"
    TEXT = "TEXT"
    MIME = "MIME"


class Form(Enum):
    """As the part stands in the message, decoded (RFC 3516), or only how long it is decoded."""

    BODY = "BODY"
    BINARY = "BINARY"
    BINARY_SIZE = "BINARY.SIZE"


@dataclass(frozen=True, slots=True)
class Section:
    """A part by its numbers, none for the message, and which text of it; ``fields`` in lower case."""

    part: tuple[int, ...] = ()
    text: Text = Text.ALL
    fields: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class BodyItem:
    """Octets of a message; ``label`` is what stands in front of them in the response.

    ``partial`` is the first octet and how many.  ``sets_seen``: the message has been read by this.
    """

    section: Section
    label: bytes
    form: Form = Form.BODY
    partial: tuple[int, int] | None = None
    sets_seen: bool = False


FetchItem = Item | BodyItem


@dataclass(frozen=True, slots=True)
class Fetch:
    """FETCH or UID FETCH; ``changed_since`` and ``vanished`` are of RFC 7162."""

    messages: SequenceSet
    by_uid: bool
    items: tuple[FetchItem, ...]
    changed_since: int | None = None
    vanished: bool = False


_MACROS = {
    b"FAST": (Item.FLAGS, Item.INTERNAL_DATE, Item.SIZE),
    b"ALL": (Item.FLAGS, Item.INTERNAL_DATE, Item.SIZE, Item.ENVELOPE),
    b"FULL": (Item.FLAGS, Item.INTERNAL_DATE, Item.SIZE, Item.ENVELOPE, Item.BODY),
}
_ITEMS = {item.value.encode(): item for item in Item}
_OLD_FORMS = {
    b"RFC822": BodyItem(Section(), b"RFC822", sets_seen=True),
    b"RFC822.HEADER": BodyItem(Section(text=Text.HEADER), b"RFC822.HEADER"),
    b"RFC822.TEXT": BodyItem(Section(text=Text.TEXT), b"RFC822.TEXT", sets_seen=True),
}
_FORMS = {
    b"BODY": (Form.BODY, True),
    b"BODY.PEEK": (Form.BODY, False),
    b"BINARY": (Form.BINARY, True),
    b"BINARY.PEEK": (Form.BINARY, False),
    b"BINARY.SIZE": (Form.BINARY_SIZE, False),
}


def parse_fetch(reader: Reader, *, by_uid: bool) -> Fetch:
    """``set items [(modifiers)]``."""
    reader.space()
    messages = reader.sequence_set()
    reader.space()
    items = _items(reader)
    changed_since, vanished = None, False
    if not reader.is_at_end and reader.accept(b" ("):
        reader.at -= 1
        changed_since, vanished = _modifiers(reader)
    reader.end()
    if vanished and (changed_since is None or not by_uid):
        raise reader.wrong("VANISHED needs UID FETCH and CHANGEDSINCE")
    wanted = dict.fromkeys(items)
    if by_uid:
        wanted = {Item.UID: None, **wanted}
    if changed_since is not None:
        wanted[Item.MODSEQ] = None
    return Fetch(messages, by_uid, tuple(wanted), changed_since, vanished)


def _items(reader: Reader) -> list[FetchItem]:
    if reader.peek() == b"(":
        items = reader.parenthesised(lambda: _item(reader), MOST_ITEMS)
        if not items:
            raise reader.wrong("there is nothing to fetch")
        return items
    start = reader.at
    word = reader.match(_ITEM, "an item").upper()
    if word in _MACROS:
        return list(_MACROS[word])
    reader.at = start
    return [_item(reader)]


def _item(reader: Reader) -> FetchItem:
    word = reader.match(_ITEM, "an item").upper()
    if word in _FORMS and reader.peek() == b"[":
        return _body_item(reader, word)
    if word in _OLD_FORMS:
        return _OLD_FORMS[word]
    item = _ITEMS.get(word)
    if item is None:
        raise reader.wrong("unknown item of FETCH")
    if item is Item.PREVIEW:
        _preview_modifiers(reader)
    return item


def _preview_modifiers(reader: Reader) -> None:
    """RFC 8970 3.2: LAZY allows us to send none; we have it anyway."""
    if reader.accept(b" ("):
        reader.at -= 1
        if any(word != b"LAZY" for word in reader.parenthesised(reader.word, 10)):
            raise reader.wrong("unknown modifier of PREVIEW")


def _modifiers(reader: Reader) -> tuple[int | None, bool]:
    since: int | None = None

    def modifier() -> bool:
        nonlocal since
        match reader.word():
            case b"CHANGEDSINCE":
                reader.space()
                since = reader.modseq(1)
                return False
            case b"VANISHED":
                return True
        raise reader.wrong("unknown modifier of FETCH")

    vanished = any(reader.parenthesised(modifier, 10))
    return since, vanished


def _body_item(reader: Reader, word: bytes) -> BodyItem:
    form, sets_seen = _FORMS[word]
    reader.expect(b"[")
    section = _section(reader, may_have_text=form is Form.BODY)
    reader.expect(b"]")
    partial = None
    if form is not Form.BINARY_SIZE and reader.accept(b"<"):
        start = reader.number(2**63 - 1)
        reader.expect(b".")
        partial = start, reader.number(2**63 - 1, 1)
        reader.expect(b">")
    return BodyItem(section, _label(form, section, partial), form, partial, sets_seen)


def parse_section(text: bytes) -> Section:
    """What stands between the brackets of BODY[…], by itself; raises BadCommand."""
    reader = Reader([text])
    section = Section() if reader.is_at_end else _section(reader, may_have_text=True)
    reader.end()
    return section


def _section(reader: Reader, *, may_have_text: bool) -> Section:
    part: tuple[int, ...] = ()
    if reader.peek().isdigit():
        numbers = reader.match(_PART, "a part").split(b".")
        if len(numbers) > MOST_LEVELS:
            raise reader.wrong("there are too many levels")
        part = tuple([int(number) for number in numbers])
        if not may_have_text or not reader.accept(b"."):
            return Section(part)
    elif reader.peek() == b"]" or not may_have_text:
        return Section()
    return _section_text(reader, part)


def _section_text(reader: Reader, part: tuple[int, ...]) -> Section:
    try:
        text = Text(reader.match(_ITEM, "a section").upper().decode())
    except ValueError:
        raise reader.wrong("unknown section") from None
    if text is Text.MIME and not part:
        raise reader.wrong("MIME is of a part")
    if text not in (Text.FIELDS, Text.FIELDS_NOT):
        return Section(part, text)
    reader.space()
    fields = reader.parenthesised(lambda: _field_name(reader), MOST_FIELDS)
    if not fields:
        raise reader.wrong("there is no field")
    return Section(part, text, tuple(fields))


def _field_name(reader: Reader) -> bytes:
    name = reader.astring()
    if not _FIELD_NAME.fullmatch(name):
        raise reader.wrong("this is no name of a field")
    return name.lower()


def _label(form: Form, section: Section, partial: tuple[int, int] | None) -> bytes:
    words = [".".join(map(str, section.part)), section.text.value]
    label = form.value.encode() + b"[" + ".".join(filter(None, words)).encode()
    if section.fields:
        label += b" (" + b" ".join(map(_render_field, section.fields)) + b")"
    return label + b"]" + (b"<%d>" % partial[0] if partial else b"")


def _render_field(name: bytes) -> bytes:
    name = name.upper()
    if _PLAIN_NAME.fullmatch(name):
        return name
    return b'"' + name.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
