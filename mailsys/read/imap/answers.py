"""Which function answers which command after login.  To add one: a row here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mailsys.read.imap import extensions, folders, listing, messages, select, status
from mailsys.read.imap.fetch import fetch
from mailsys.read.imap.search.command import cancel_update, thread_messages
from mailsys.read.imap.session import IMAPSession
from mailsys.wire.imap import folder_commands, message_commands, session_commands
from mailsys.wire.imap.fetch import Fetch
from mailsys.wire.imap.responses import Response
from mailsys.wire.imap.search import CancelUpdate, Thread

Answer = Callable[[IMAPSession, Any], Awaitable[Response]]

ANSWERS: Mapping[type, Answer] = {
    session_commands.Capability: extensions.capability,
    session_commands.Noop: extensions.noop,
    session_commands.Enable: extensions.enable,
    session_commands.Namespace: folders.namespace,
    folder_commands.Select: select.select,
    folder_commands.Create: folders.create,
    folder_commands.Delete: folders.delete,
    folder_commands.Rename: folders.rename,
    folder_commands.Subscribe: folders.subscribe,
    folder_commands.Unsubscribe: folders.unsubscribe,
    folder_commands.List: listing.list_folders,
    folder_commands.Lsub: listing.list_subscribed,
    folder_commands.Status: status.status,
    folder_commands.Getquota: status.getquota,
    folder_commands.Getquotaroot: status.getquotaroot,
    message_commands.Check: messages.check,
    message_commands.Close: select.close,
    message_commands.Unselect: select.unselect,
    message_commands.Expunge: messages.expunge,
    message_commands.Store: messages.store,
    message_commands.Copy: messages.copy,
    message_commands.Move: messages.move,
    Fetch: fetch,
    Thread: thread_messages,
    CancelUpdate: cancel_update,
}
