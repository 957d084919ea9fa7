"""The message that a notice is about, as far as the notice gives it back (RFC 6522 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailsys.journal.printable import bounded, printable
from mailsys.message.content import Content
from mailsys.message.envelope import Body, Envelope, Return
from mailsys.message.headers import HeaderLimits, Headers, parse_headers, read_header_block

HEADER_OCTETS = 32 * 1024
WHOLE_OCTETS = 64 * 1024  # of a message that is given back whole
SUBJECT_CHARACTERS = 200
REFERENCES = 20
_LINE_OCTETS = 998  # RFC 5322 2.1.1
# RFC 5322 3.6.4: msg-id = "<" id-left "@" id-right ">", as strict as it has to be to stand in our header.
_MESSAGE_ID = re.compile(rb"<[!-;=?-~]{1,200}>")


@dataclass(frozen=True, slots=True)
class Original:
    """``whole`` is all of the message when that is to be given back, ``header`` its header, both with CR LF.

    A header that is too long is cut at the end of a line.
    """

    subject: str = ""
    message_id: bytes = b""
    references: tuple[bytes, ...] = ()
    header: bytes = b""
    whole: bytes = b""


def read_original(envelope: Envelope, content: Content) -> Original:
    """Take what is needed; blocks, and raises OSError."""
    block = read_header_block(content, HeaderLimits(octets=HEADER_OCTETS))
    headers = parse_headers(block, HeaderLimits(octets=HEADER_OCTETS))
    whole = b""
    if envelope.notice_return is Return.FULL and content.size <= WHOLE_OCTETS:
        octets = content.read(0, WHOLE_OCTETS)
        whole = octets if envelope.body is not Body.BINARY_MIME and _has_only_lines(octets) else b""
    return Original(
        printable(bounded(headers.text(b"subject"), SUBJECT_CHARACTERS)),
        _message_id(headers),
        _references(headers),
        _lines_of(block),
        whole,
    )


def _message_id(headers: Headers) -> bytes:
    field = headers.first(b"message-id")
    found = _MESSAGE_ID.search(field.unfolded) if field is not None else None
    return found[0] if found is not None else b""


def _references(headers: Headers) -> tuple[bytes, ...]:
    """RFC 5322 3.6.4: those of the message; with very many, the first and the last."""
    field = headers.first(b"references") or headers.first(b"in-reply-to")
    found = _MESSAGE_ID.findall(field.unfolded) if field is not None else []
    return tuple(found[:1] + found[1 - REFERENCES :] if len(found) > REFERENCES else found)


def _lines_of(block: bytes) -> bytes:
    """Whole lines that end with CR LF, within the bounds, without the empty line."""
    lines = block.replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\0", b" ").split(b"\n")
    if len(block) > HEADER_OCTETS:
        lines[-1] = b""
    return b"".join([line[:_LINE_OCTETS] + b"\r\n" for line in lines if line])


def _has_only_lines(octets: bytes) -> bool:
    """Can it stand in another message as it is?"""
    ends = octets.count(b"\r\n")
    return (
        octets.count(b"\r") == ends == octets.count(b"\n")
        and b"\0" not in octets
        and all(len(line) <= _LINE_OCTETS for line in octets.split(b"\r\n"))
    )
