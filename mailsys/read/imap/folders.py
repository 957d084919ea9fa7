"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, NAMESPACE (RFC 9051 6.3, RFC 2342)."""

from __future__ import annotations

from mailsys.read.imap.session import IMAPSession
from mailsys.wire.imap import responses
from mailsys.wire.imap.folder_commands import Create, Delete, Rename, Subscribe, Unsubscribe
from mailsys.wire.imap.responses import Response
from mailsys.wire.imap.session_commands import Namespace


async def create(session: IMAPSession, command: Create) -> Response:
    """Make a folder, for a special use perhaps (RFC 6154 3)."""
    await session.folders.create(command.folder, command.special_use)
    return responses.DONE


async def delete(session: IMAPSession, command: Delete) -> Response:
    """Delete a folder with its messages."""
    await session.folders.delete(command.folder)
    return responses.DONE


async def rename(session: IMAPSession, command: Rename) -> Response:
    """Rename a folder with all below it."""
    await session.folders.rename(command.folder, command.new.removesuffix("/"))
    return responses.DONE


async def subscribe(session: IMAPSession, command: Subscribe) -> Response:
    """Note a folder among the subscriptions."""
    await session.folders.subscribe(command.folder)
    return responses.DONE


async def unsubscribe(session: IMAPSession, command: Unsubscribe) -> Response:
    """Take it off."""
    await session.folders.unsubscribe(command.folder)
    return responses.DONE


async def namespace(session: IMAPSession, command: Namespace) -> Response:
    """There is one: the user's own folders."""
    session.dialogue.send(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
    return responses.DONE
