"""Data as responses hold it: names of folders, flags, codes, lists (RFC 9051 7)."""

from __future__ import annotations

from collections.abc import Iterable

from mailsys.message.modified_utf7 import encode_utf7
from mailsys.message.structure import strings

_SPECIAL = frozenset('(){%*"\\] ')


def string(text: str, *, utf8: bool) -> bytes:
    """A string of ours: quoted, or a literal when its octets cannot be."""
    form = strings.string(text.encode("utf-8", "replace"))
    return form if utf8 else strings.as_ascii(form)


def mailbox(name: str, *, utf8: bool) -> bytes:
    """A folder's name; without ``utf8`` in modified UTF-7."""
    text = name if utf8 else encode_utf7(name)
    if text and text.isascii() and text.isprintable() and _SPECIAL.isdisjoint(text) and text.upper() != "NIL":
        return text.encode()
    return string(text, utf8=utf8)


def flags(flags: Iterable[str], more: Iterable[str] = ()) -> bytes:
    """Flags in parentheses, system flags first."""
    return ("(" + " ".join([*sorted(flags, key=_system_first), *more]) + ")").encode()


def _system_first(flag: str) -> tuple[bool, str]:
    return not flag.startswith("\\"), flag
