"""A notice as a message: multipart/report of three parts (RFC 6522), with the header that it needs."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from mailsys.message.address import Address
from mailsys.message.envelope import render_path
from mailsys.message.trace_fields import date_time
from mailsys.notices.returned import Original

_WORD_OCTETS = 45  # in base64 these are 60 characters, so that an encoded word is within 75


@dataclass(frozen=True, slots=True)
class Part:
    """One part; ``fields`` are its further header lines."""

    kind: str
    body: bytes
    fields: tuple[str, ...] = ()

    @property
    def is_8bit(self) -> bool:
        """Is there anything beyond ASCII in it?"""
        return not self.body.isascii()


@dataclass(frozen=True, slots=True)
class Head:
    """What the header tells."""

    id: str
    hostname: str
    sender: Address  # to whom replies go
    recipient: Address
    subject: str
    at: float
    original: Original


def text_part(text: str) -> Part:
    """For people; quoted-printable where it is not plain ASCII."""
    octets = text.encode()
    if octets.isascii() and all(len(line) <= 78 for line in octets.split(b"\n")):
        return Part("text/plain; charset=us-ascii", octets.replace(b"\n", b"\r\n"))
    return _quoted("text/plain; charset=utf-8", octets.replace(b"\n", b"\r\n"))


def status_part(octets: bytes, *, is_global: bool) -> Part:
    """For programs."""
    return Part(f"message/{'global-' if is_global else ''}delivery-status", octets)


def returned_part(original: Original, *, is_global: bool) -> Part | None:
    """The message or its header; None when nothing is left of it."""
    if original.whole:
        kind = "message/global" if is_global and not original.header.isascii() else "message/rfc822"
        return Part(kind, original.whole)
    if not original.header:
        return None
    if original.header.isascii():
        return Part("text/rfc822-headers", original.header)
    if is_global:
        return Part("message/global-headers", original.header)
    return _quoted("text/rfc822-headers; charset=utf-8", original.header)


def _quoted(kind: str, octets: bytes) -> Part:
    lines = [binascii.b2a_qp(line, istext=True) for line in octets.split(b"\r\n")]
    body = b"\r\n".join(line.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for line in lines)
    return Part(kind, body, ("Content-Transfer-Encoding: quoted-printable",))


def report(head: Head, parts: Sequence[Part], *, is_global: bool) -> bytes:
    """The whole message, with CR LF."""
    boundary = f"=_{head.id}"  # "=_" cannot stand in quoted-printable, and the id is new
    kind = "global-delivery-status" if is_global else "delivery-status"
    lines = [
        f'From: "MAILER-DAEMON ({head.hostname})" {render_path(head.sender)}',
        f"To: {render_path(head.recipient)}",
        f"Subject: {_unstructured(head.subject)}",
        f"Date: {date_time(head.at)}",
        f"Message-ID: <{head.id}@{head.hostname}>",
        *_thread(head.original),
        "Auto-Submitted: auto-replied",  # RFC 3834 5
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind};\r\n boundary="{boundary}"',
    ]
    if any(part.is_8bit for part in parts):
        lines.append("Content-Transfer-Encoding: 8bit")
    octets = ["".join(f"{line}\r\n" for line in lines).encode()]
    octets += [_rendered(part, boundary) for part in parts]
    octets.append(f"\r\n--{boundary}--\r\n".encode())
    return b"".join(octets)


def _rendered(part: Part, boundary: str) -> bytes:
    encoding = ("Content-Transfer-Encoding: 8bit",) if part.is_8bit else ()
    lines = [f"\r\n--{boundary}", f"Content-Type: {part.kind}", *part.fields, *encoding, "", ""]
    return "\r\n".join(lines).encode() + part.body


def _thread(original: Original) -> list[str]:
    """RFC 5322 3.6.4, so that a mail program shows it with the message."""
    if not original.message_id:
        return []
    references = b"\r\n ".join([*original.references, original.message_id])
    return [f"In-Reply-To: {original.message_id.decode()}", f"References: {references.decode()}"]


def _unstructured(text: str) -> str:
    """RFC 2047: encoded words where it is not plain ASCII."""
    if text.isascii():
        return text
    words, piece = [], b""
    for character in text:
        octets = character.encode()
        if len(piece) + len(octets) > _WORD_OCTETS:
            words.append(piece)
            piece = b""
        piece += octets
    return "\r\n ".join(
        f"=?utf-8?B?{binascii.b2a_base64(word, newline=False).decode()}?=" for word in [*words, piece]
    )
