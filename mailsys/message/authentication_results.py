"""Authentication-Results (RFC 8601): write the field, and find those that claim to be from us.

Whoever reads the field believes it because of the name at its beginning, the authserv-id.  So a message
from outside must not bring one with our name (RFC 8601 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mailsys.message.headers import Headers

NAME = b"authentication-results"
_LINE_OCTETS = 78
_VALUE_CHARACTERS = 300
_ID_OCTETS = 1000  # within which the id is told
_MOST_COMMENTS = 3  # in front of it
_MOST_FIELDS = 100  # that are looked at; no honest way adds as many

_TOKEN = re.compile(r"[A-Za-z0-9.@!#$%&'*+^_`{|}~-]+")
_SPECIAL = re.compile(r'[\\"]')
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_ASCII = re.compile(r"[^ -~]")
# RFC 8601 2.2: the id is a token or a quoted-string (RFC 2045 5.1), in UTF-8 where RFC 6532 holds.
_ID_TOKEN = re.compile(rb'[^\x00-\x20()<>,;:\\"/\[\]?=\x7f]+')
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_BLANK = re.compile(rb"[ \t\r\n]*")
_COMMENT_MARK = re.compile(rb"[()]|\\.", re.DOTALL)


def rendered(
    authserv_id: str, results: Iterable[tuple[str, Sequence[tuple[str, str]]]], *, smtputf8: bool
) -> bytes:
    """The field, folded, with CRLF.  A result is ``spf=pass`` and its properties with their values.

    Values may be what strangers said: they are cut, and quoted where they must be.
    """
    lines = [f"Authentication-Results: {authserv_id};"]
    stanzas = [
        [result, *(f"{name}={_value(value, smtputf8=smtputf8)}" for name, value in properties)]
        for result, properties in results
    ] or [["none"]]
    for number, words in enumerate(stanzas, 1):
        end = ";" if number < len(stanzas) else ""
        lines += _folded(words, end)
    return "\r\n\t".join(lines).encode() + b"\r\n"


def _folded(words: Sequence[str], end: str) -> list[str]:
    lines, line = [], words[0]
    for word in words[1:]:
        if len(line) + len(word) + 9 > _LINE_OCTETS:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}"
    return [*lines, line + end]


def _value(text: str, *, smtputf8: bool) -> str:
    text = (_NOT_SHOWN if smtputf8 else _NOT_ASCII).sub("?", text[:_VALUE_CHARACTERS])
    return text if _TOKEN.fullmatch(text) else '"' + _SPECIAL.sub(r"\\\g<0>", text) + '"'


def claiming(headers: Headers, authserv_id: str) -> list[tuple[int, int]]:
    """From where to where the fields stand that have this id, or whose id cannot be told, in order."""
    ours = authserv_id.lower().rstrip(".")
    return [
        (field.start, field.end)
        for number, field in enumerate(headers.all(NAME))
        if number >= _MOST_FIELDS
        or (claimed := id_of(field.value)) is None
        or claimed.lower().rstrip(".") == ours
    ]


def id_of(value: bytes) -> str | None:
    """The authserv-id of a field; None when other programs may read one that we do not."""
    value = value[:_ID_OCTETS]
    at = _after_comments(value)
    if at is None:
        return None
    if value[at : at + 1] == b'"':
        quoted = _QUOTED.match(value, at)
        found = _PAIR.sub(rb"\1", quoted[1].replace(b"\r\n", b"")) if quoted else None
    else:
        token = _ID_TOKEN.match(value, at)
        found = token[0] if token else None
    try:
        return found.decode().strip() if found is not None else None
    except UnicodeDecodeError:
        return None


def _after_comments(value: bytes) -> int | None:
    """Where the id begins; None when a comment has no end, or there are many."""
    at = _BLANK.match(value).end()  # type: ignore[union-attr]  # it matches nothing, too
    for _ in range(_MOST_COMMENTS):
        if value[at : at + 1] != b"(":
            return at
        end = _end_of_comment(value, at)
        if end is None:
            return None
        at = _BLANK.match(value, end).end()  # type: ignore[union-attr]
    return None


def _end_of_comment(value: bytes, at: int) -> int | None:
    depth = 0
    for mark in _COMMENT_MARK.finditer(value, at):
        if mark[0] == b"(":
            depth += 1
        elif mark[0] == b")":
            depth -= 1
            if not depth:
                return mark.end()
    return None
