"""Lists of tags, as DKIM-Signature fields and key records have them (RFC 6376 3.2)."""

from __future__ import annotations

import base64
import binascii
import re

MOST_TAGS = 64
MOST_OCTETS = 16 * 1024  # of a whole list

# RFC 6376 3.2: tag-name = ALPHA *ALNUMPUNC.  A value may be UTF-8 (RFC 8616).
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_]*")
_VALUE = re.compile(rb"[\x21-\x3a\x3c-\x7e\x80-\xff \t\r\n]*")
_SPACE = b" \t\r\n"


class NoTagList(ValueError):  # noqa: N818 - a sentence about a stranger's text
    """The text is no list of tags; the message says why, in words for people."""


def parse_tags(text: bytes) -> dict[str, bytes]:
    """Tags in their order; values without white space around them.  Raises NoTagList."""
    if len(text) > MOST_OCTETS:
        raise NoTagList(f"it is longer than {MOST_OCTETS} octets")
    parts = text.split(b";", MOST_TAGS + 1)
    if not parts[-1].strip(_SPACE):
        parts.pop()  # the last semicolon ends the list
    if len(parts) > MOST_TAGS:
        raise NoTagList(f"it has more than {MOST_TAGS} tags")
    tags: dict[str, bytes] = {}
    for part in parts:
        name, value = _parse_tag(part)
        if name in tags:
            raise NoTagList(f"it has {name}= twice")
        tags[name] = value
    return tags


def _parse_tag(part: bytes) -> tuple[str, bytes]:
    name, found, value = part.partition(b"=")
    name = name.strip(_SPACE)
    if not found or not _NAME.fullmatch(name):
        raise NoTagList("one of its tags has no name")
    if not _VALUE.fullmatch(value):
        raise NoTagList(f"{name.decode()}= has an octet that is not allowed")
    return name.decode(), value.strip(_SPACE)


def colon_list(value: bytes) -> list[bytes]:
    """Split ``a : b``; white space does not count."""
    return [part.strip(_SPACE) for part in value.split(b":")]


def without_space(value: bytes) -> bytes:
    """The value without white space anywhere, as base64 may be folded."""
    return value.translate(None, _SPACE)


def decode_base64(value: bytes, name: str) -> bytes:
    """The octets of a base64 value that may be folded; raises NoTagList."""
    try:
        return base64.b64decode(without_space(value), validate=True)
    except (binascii.Error, ValueError):
        raise NoTagList(f"{name}= is no base64") from None


def number(value: bytes, name: str, most_digits: int) -> int:
    """A number of at most so many digits; raises NoTagList."""
    if not (value.isdigit() and len(value) <= most_digits):
        raise NoTagList(f"{name}= is no number of at most {most_digits} digits")
    return int(value)
