"""Fields of MIME with parameters: Content-Type, Content-Disposition (RFC 2045 5.1, RFC 2183, RFC 2231).

Whatever a stranger wrote, there is a result, in linear time and bounded.  As far as a text can be
understood although it breaks the rules, it is: spaces in a value without quotes, quotes that do not end.
"""

from __future__ import annotations

import re
from urllib.parse import quote

PARAMETERS = 200  # what one field may have; more are not seen
FIELD_OCTETS = 64 * 1024
SEGMENT_DIGITS = 4

Parameters = tuple[tuple[bytes, bytes], ...]

# ";" name "=" value, where the value is in quotes, which may lack the last, or goes to the next ";".
_PARAMETER = re.compile(
    rb';[\s;]*+([^=;"\s]*+)\s*+(?:=\s*+(?:"((?:[^"\\]++|\\.)*+)|([^;]*+)))?[^;]*+', re.DOTALL
)
_TYPE = re.compile(rb"\s*+([!-'*+.0-9A-Z^-~-]{1,128})\s*/\s*([!-'*+.0-9A-Z^-~-]{1,128})", re.IGNORECASE)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_COMMENT = re.compile(rb"^\([^()]*+\)\s++|\s\([^()]*+\)\s*+$")
# RFC 2231 3 and 4: name, segment, and whether it is in percent signs.
_SEGMENT = re.compile(rb"([^*]++)(?:\*([0-9]{1,%d}))?(\*?)\Z" % SEGMENT_DIGITS)


def parse_type(value: bytes) -> tuple[bytes, bytes, Parameters] | None:
    """Type and subtype as written, and the parameters; None when it is no Content-Type."""
    match = _TYPE.match(value)
    return None if match is None else (match[1], match[2], parse_parameters(value))


def parse_disposition(value: bytes) -> tuple[bytes, Parameters]:
    """The first word, and the parameters."""
    word = value.partition(b";")[0].strip()
    if b"(" in word:
        word = _COMMENT.sub(b"", word)
    return word, parse_parameters(value)


def parse_parameters(value: bytes) -> Parameters:
    """Names as written with their values: quotes taken off, continuations joined (RFC 2231 3 and 6).

    A value that has a charset keeps its percent signs and the star behind its name.
    """
    start = value.find(b";")
    if start < 0:
        return ()
    found: list[tuple[bytes, bytes]] = []
    has_star = False
    for match in _PARAMETER.finditer(value, start, FIELD_OCTETS):
        name, quoted, plain = match.groups()
        if not name or (quoted is None and plain is None):
            continue
        if len(found) == PARAMETERS:
            break
        has_star = has_star or b"*" in name
        found.append((name, _plain(plain) if quoted is None else _unquoted(quoted)))
    return tuple(_join(found)) if has_star else tuple(found)


def value_of(parameters: Parameters, name: bytes) -> bytes:
    """The first value of a parameter, its name in lower case; empty when there is none."""
    for found, value in parameters:
        if found.lower() == name:
            return value
    return b""


def _plain(value: bytes) -> bytes:
    value = value.strip()
    return _COMMENT.sub(b"", value) if b"(" in value else value


def _unquoted(value: bytes) -> bytes:
    return _QUOTED_PAIR.sub(rb"\1", value) if b"\\" in value else value


def _join(found: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Put segments together, in the place of the first that was read."""
    segments: dict[bytes, list[tuple[int, bytes, bool]]] = {}
    order: list[tuple[bytes, bytes | None]] = []
    for name, value in found:
        match = _SEGMENT.match(name)
        if match is None or match[2] is None:
            order.append((name, value))
            continue
        if match[1].lower() not in segments:
            order.append((match[1], None))
        segments.setdefault(match[1].lower(), []).append((int(match[2]), value, bool(match[3])))
    return [
        (name, value) if value is not None else _joined(name, segments[name.lower()]) for name, value in order
    ]


def _joined(name: bytes, segments: list[tuple[int, bytes, bool]]) -> tuple[bytes, bytes]:
    segments.sort(key=lambda segment: segment[0])
    if not any(is_extended for _number, _value, is_extended in segments):
        return name, b"".join(value for _number, value, _ in segments)
    parts = [
        value if is_extended else quote(value, safe=b"!#$&+-.^_`{|}~").encode()
        for _number, value, is_extended in segments
    ]
    if not segments[0][2]:
        parts.insert(0, b"''")  # RFC 2231 4.1: the charset and language stand in the first, here none
    return name + b"*", b"".join(parts)
