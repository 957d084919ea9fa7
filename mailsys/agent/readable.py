"""A message as text for people: what is shown of it, and what is attached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailsys.agent.entry import Person, people_of, sent_at
from mailsys.agent.html import html_lines
from mailsys.message.structure.file_names import names_of
from mailsys.message.structure.parts import Kind, Part
from mailsys.message.structure.preview import decode_part
from mailsys.message.structure.scan import scan_octets

TEXT_OCTETS = 4 * 1024 * 1024  # of one text, that are shown
SHOWN_PARTS = 100
ATTACHMENTS = 1000
_ADDRESS_FIELDS = (b"from", b"to", b"cc")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not shown; ``name`` may be empty."""

    name: str
    media_type: str
    size_octets: int


@dataclass(frozen=True, slots=True)
class Readable:
    """A message taken apart.  All texts are a stranger's, and not fit for a terminal yet."""

    sender: Sequence[Person]
    to: Sequence[Person]
    cc: Sequence[Person]
    subject: str
    sent: datetime | None
    text: str
    attachments: Sequence[Attachment]


def read_message(octets: bytes) -> Readable:
    """Take a message apart; of HTML the text is told, and nothing that it refers to is fetched."""
    message = scan_octets(octets)
    shown = _shown(message)
    texts = [_text(part, octets) for part in shown]
    sender, to, cc = (people_of(message.headers, name) for name in _ADDRESS_FIELDS)
    return Readable(
        sender,
        to,
        cc,
        message.headers.text(b"subject").strip(),
        sent_at(message.headers),
        "\n\n".join(text for text in texts if text),
        [_attachment(part) for part in _leaves(message) if _is_attachment(part, shown)][:ATTACHMENTS],
    )


def _shown(message: Part) -> list[Part]:
    """The texts to show, in their order; of alternatives one (RFC 2046 5.1.4)."""
    shown: list[Part] = []
    waiting = [message]
    while waiting and len(shown) < SHOWN_PARTS:
        part = waiting.pop()
        if part.kind is Kind.MULTIPART:
            is_choice = part.subtype.lower() == b"alternative"
            waiting += [_best(part.children)] if is_choice and part.children else part.children[::-1]
        elif _is_text(part) and not _says_attached(part):
            shown.append(part)
    return shown


def _best(alternatives: Sequence[Part]) -> Part:
    """Plain text, or what HTML may be in; the plainest comes first (RFC 2046 5.1.4)."""
    for part in alternatives:
        if part.media_type == b"text/plain":
            return part
    for part in alternatives:
        if part.media_type == b"text/html" or part.kind is Kind.MULTIPART:
            return part
    return alternatives[0]


def _leaves(message: Part) -> list[Part]:
    leaves: list[Part] = []
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.kind is Kind.MULTIPART:
            waiting += part.children[::-1]
        else:
            leaves.append(part)
    return leaves


def _is_attachment(part: Part, shown: Sequence[Part]) -> bool:
    """All that is not shown, but for the texts that say the same in another form."""
    if any(part is one for one in shown):
        return False
    return not _is_text(part) or _says_attached(part) or bool(names_of(part))


def _is_text(part: Part) -> bool:
    return part.kind is Kind.LEAF and part.media_type in (b"text/plain", b"text/html")


def _says_attached(part: Part) -> bool:
    disposition = part.headers.first(b"content-disposition")
    return disposition is not None and disposition.value.lstrip().lower().startswith(b"attachment")


def _text(part: Part, octets: bytes) -> str:
    body = octets[part.body.offset : part.end.offset]
    text = decode_part(part, body[:TEXT_OCTETS]).replace("\r\n", "\n").strip("\r\n")
    text = html_lines(text) if part.subtype.lower() == b"html" else text
    return text if len(body) <= TEXT_OCTETS else text + "\n\n(The text goes on; this is too much to show.)"


def _attachment(part: Part) -> Attachment:
    names = names_of(part)
    if not names and part.kind is Kind.MESSAGE:
        names = [part.children[0].headers.text(b"subject").strip()]
    return Attachment(names[0] if names else "", part.media_type.decode("ascii", "replace"), part.octets)
