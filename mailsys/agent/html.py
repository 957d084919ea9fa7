"""HTML as text that a person can read: paragraphs, lists, where links lead, what pictures show.

Nothing that it refers to is ever fetched.  In linear time: nothing is read twice, and what does not end
takes the rest.
"""

from __future__ import annotations

import re
import textwrap

from mailsys.message.structure.html_text import html_text

COLUMNS = 78
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b([^>]*+)(?:>|\Z)", re.IGNORECASE)
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(style|script|head|title)\b.*?(?:</\1\b[^>]*+(?:>|\Z)|\Z)", re.IGNORECASE | re.DOTALL
)
_SPACE = re.compile(r"[ \t\r\n\f]+")
_ATTRIBUTE = re.compile(r"""\b(href|alt)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""", re.IGNORECASE)
_LINKED = re.compile(r"(?:https?|ftp|mailto):", re.IGNORECASE)

_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre hr section article".split())  # noqa: SIM905
_LINES = frozenset("div tr br li dt dd header footer address center form".split())  # noqa: SIM905
# Marks that stand for breaks until the text is cut; no text holds them, as they are taken out before.
_PARAGRAPH, _LINE = "\ue000", "\ue001"


def html_lines(source: str) -> str:
    """The text, wrapped at ``COLUMNS``."""
    source = source.replace(_PARAGRAPH, " ").replace(_LINE, " ")
    marked = _Marking().mark(_SPACE.sub(" ", _UNSEEN.sub(" ", source)))
    paragraphs = [_lines(paragraph) for paragraph in html_text(marked).split(_PARAGRAPH)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


class _Marking:
    """Puts marks and words where tags are; links that are open wait for their end."""

    def __init__(self) -> None:
        self._links: list[str] = []

    def mark(self, source: str) -> str:
        return _TAG.sub(self._instead, source)

    def _instead(self, match: re.Match[str]) -> str:
        is_end, tag = bool(match[1]), match[2].lower()
        if tag in _PARAGRAPHS:
            return _PARAGRAPH
        if tag == "li" and not is_end:
            return _LINE + "- "
        if tag in _LINES:
            return _LINE
        if tag in ("td", "th"):
            return " "
        if tag == "img":
            alt = _attribute(match[3], "alt")
            return f"[{alt}]" if alt.strip() else ""
        return self._link(match[3], is_end) if tag == "a" else match[0]

    def _link(self, attributes: str, is_end: bool) -> str:
        if not is_end:
            self._links = [_attribute(attributes, "href")]
            return ""
        target = self._links.pop() if self._links else ""
        return f" [{target}]" if _LINKED.match(target) else ""


def _attribute(attributes: str, wanted: str) -> str:
    for found in _ATTRIBUTE.finditer(attributes):
        if found[1].lower() == wanted:
            return (found[2] or found[3] or found[4] or "").replace("<", "").strip()
    return ""


def _lines(paragraph: str) -> str:
    lines = (" ".join(line.split()) for line in paragraph.split(_LINE))
    return "\n".join(_wrapped(line) for line in lines if line)


def _wrapped(line: str) -> str:
    if len(line) <= COLUMNS:
        return line
    return textwrap.fill(line, COLUMNS, break_long_words=False, break_on_hyphens=False)
