"""The envelope: what travels beside a message, not in it (RFC 5321 2.3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mailsys.message.address import Address


class Body(Enum):
    """What the sender declared of the content (RFC 6152, RFC 3030)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT_MIME = "8BITMIME"
    BINARY_MIME = "BINARYMIME"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Reverse-path and forward-paths of one accepted message.

    ``id`` is the message's name in journal, log and Received line.  ``reverse_path`` is None for
    the null reverse-path of notices.  ``recipients`` are as the client gave them, each once.
    """

    id: str
    reverse_path: Address | None
    recipients: tuple[Address, ...]
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False


def render_path(path: Address | None) -> str:
    """``<a@b>``, or ``<>`` for the null reverse-path."""
    return f"<{path}>" if path is not None else "<>"
