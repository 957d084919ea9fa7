"""CAPABILITY, NOOP, ID, ENABLE, COMPRESS: what a session can, and that it is there (RFC 5161, RFC 4978)."""

from __future__ import annotations

from mailsys.read.imap.session import IMAPSession
from mailsys.wire.imap import responses
from mailsys.wire.imap.responses import Response, no
from mailsys.wire.imap.session_commands import Capability, Compress, Enable, Noop

ENABLED_BY_NAME = frozenset({"CONDSTORE", "QRESYNC", "UTF8=ACCEPT", "IMAP4REV2"})
_SPELLED = {"IMAP4REV2": "IMAP4rev2"}


async def capability(session: IMAPSession, command: Capability) -> Response:
    """What is announced after login."""
    session.dialogue.send(f"* CAPABILITY {session.dialogue.capabilities}\r\n".encode())
    return responses.DONE


async def noop(session: IMAPSession, command: Noop) -> Response:
    """A moment to be told of news."""
    if session.selected is not None:
        await session.folder.look()
    return responses.DONE


async def enable(session: IMAPSession, command: Enable) -> Response:
    """Switch on what the client names, as far as it is announced; the rest means nothing (RFC 5161 3.1)."""
    announced = session.dialogue.capabilities.upper().split()
    new = [
        word
        for word in dict.fromkeys(command.extensions)
        if word in ENABLED_BY_NAME and word in announced and word not in session.enabled
    ]
    session.enabled.update(new)
    session.dialogue.machine.utf8 = session.utf8
    words = "".join(f" {_SPELLED.get(word, word)}" for word in new)
    session.dialogue.send(f"* ENABLED{words}\r\n".encode())
    return responses.DONE


async def compress(session: IMAPSession, command: Compress, tag: str) -> Response | None:
    """Compress from now on; the answer is the last that is not."""
    if command.mechanism != "DEFLATE":
        return no("There is no such compression", "CANNOT")
    if session.dialogue.is_compressed:
        return no("It is compressed already", "COMPRESSIONACTIVE")
    session.dialogue.compress(tag)
    return None
