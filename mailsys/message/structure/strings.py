"""Strings as IMAP writes them (RFC 9051 4.3, RFC 3501 4.3).

In a quoted string UTF-8 may stand only for a client that has asked for it (RFC 9051 5.1, RFC 6855 3).  Forms
are kept as those clients take them; :func:`as_ascii` makes of them what all others take, where 8-bit text
is a literal.
"""

from __future__ import annotations

import re

NIL = b"NIL"
_LONGEST_QUOTED = 1000  # what is longer is a literal: some clients have a limit to their lines

_PLAIN = re.compile(rb"[ !#-\[\]-~\t]*")
_ESCAPED = re.compile(rb'["\\]')
# One string of a form: a literal's beginning, or a quoted string.
_STRING = re.compile(rb'\{([0-9]++)\}\r\n|"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_MESSAGE = b'"%s" "%s"' % tuple(b"message/rfc822".split(b"/"))
_GLOBAL = re.compile(rb'"message" "global"', re.IGNORECASE)


def string(value: bytes) -> bytes:
    """Quoted if it can be, else a literal."""
    if len(value) > _LONGEST_QUOTED:
        return literal(value)
    if _PLAIN.fullmatch(value):
        return b'"%s"' % value
    if b"\r" in value or b"\n" in value or b"\0" in value or not _is_utf8(value):
        return literal(value)
    return b'"%s"' % _ESCAPED.sub(rb"\\\g<0>", value)


def nstring(value: bytes | None) -> bytes:
    """A string, or NIL for None."""
    return NIL if value is None else string(value)


def literal(value: bytes) -> bytes:
    """Counted octets; NUL, which no literal may hold, is a question mark."""
    return b"{%d}\r\n%s" % (len(value), value.replace(b"\0", b"?"))


def as_ascii(form: bytes) -> bytes:
    """A form for clients that did not ask for UTF-8: as it is, but for quoted strings that are not ASCII.

    Such clients know no message/global either: they hear that it is message/rfc822.
    """
    if b'global"' in form.lower():
        form = _GLOBAL.sub(_MESSAGE, form)
    if form.isascii():
        return form
    parts: list[bytes] = []
    done = at = 0
    while match := _STRING.search(form, at):
        at = match.end()
        if match[1] is not None:
            at += int(match[1])
        elif not match[2].isascii():
            parts += form[done : match.start()], literal(_PAIR.sub(rb"\1", match[2]))
            done = at
    parts.append(form[done:])
    return b"".join(parts)


def _is_utf8(value: bytes) -> bool:
    if value.isascii():
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
