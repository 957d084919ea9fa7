"""HTML as the text that a person reads of it, roughly: for previews and searching, not for showing.

In linear time: what does not end takes the rest, and nothing is read twice.
"""

from __future__ import annotations

import re
from html.entities import html5

# Comments, what is never shown, then any tag.
_NOT_TEXT = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(style|script|head|title)\b.*?(?:</\1\b[^>]*+(?:>|\Z)|\Z)"
    r"|<[/!?a-z][^>]*+(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|big|code|em|font|i|mark|s|small|span|strong|sub|sup|u|wbr)\b", re.IGNORECASE
)
_REFERRED = re.compile(
    r"""\b(?:href|alt|title)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));?")
_REPLACEMENT = "\ufffd"


def html_text(source: str) -> str:
    """What is between the tags; those that end a word in sight are a space."""
    return _unescape(_NOT_TEXT.sub(_instead, source))


def html_references(source: str) -> str:
    """What links lead to and what pictures are said to show, a line each."""
    found = (match[1] or match[2] or match[3] or "" for match in _REFERRED.finditer(source))
    return _unescape("\n".join(found))


def _instead(match: re.Match[str]) -> str:
    return "" if _INLINE.match(match[0]) else " "


def _unescape(text: str) -> str:
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    if match[3]:
        return html5.get(match[3] + ";", match[0])
    code = int(match[1]) if match[1] else int(match[2], 16)
    if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return _REPLACEMENT
    return chr(code)
