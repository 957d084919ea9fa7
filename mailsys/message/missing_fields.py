"""The fields that every message must have, for one that a mail program left without (RFC 6409 8.2, 8.3)."""

from __future__ import annotations

from mailsys.message.content import Content
from mailsys.message.headers import read_headers
from mailsys.message.trace_fields import date_time


def missing_fields(content: Content, name: str, hostname: str, now: float) -> bytes:
    """Date and Message-ID as whole lines, each only if the message has none; ``name`` is unique for ever.

    Empty for a header so large that nobody can tell.  May wait for a disk; raises OSError.
    """
    headers = read_headers(content)
    if not headers.complete:
        return b""
    fields = b""
    if not headers.count(b"date"):
        fields += f"Date: {date_time(now)}\r\n".encode()
    if not headers.count(b"message-id"):
        fields += f"Message-ID: <{name}@{hostname}>\r\n".encode()
    return fields
