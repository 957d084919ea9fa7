"""The IMAP commands: how the arguments of each are read, and when it may be given.

``COMMANDS`` is the whole language.  To add a command: a dataclass and a parser in the file of its group,
a row here, a case in ``mailsys.read.imap``, and the capability that announces it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Any

from mailsys.wire.imap import folder_commands as folders
from mailsys.wire.imap import message_commands as messages
from mailsys.wire.imap import search
from mailsys.wire.imap import session_commands as session
from mailsys.wire.imap.append import parse_append
from mailsys.wire.imap.fetch import parse_fetch
from mailsys.wire.imap.grammar import Reader
from mailsys.wire.imap.session_commands import nothing

Command = Any  # one of the frozen dataclasses of the groups


class State(Enum):
    """Where the session is (RFC 9051 3), and what the next line is."""

    NOT_AUTHENTICATED = auto()
    AUTHENTICATING = auto()  # the next line answers a challenge
    AUTHENTICATED = auto()
    SELECTED = auto()
    IDLING = auto()  # the next line should be DONE
    LOGOUT = auto()  # nothing more is read


@dataclass(frozen=True, slots=True)
class Row:
    """How a command's arguments are read, when it may be given, and whether a password goes with it."""

    parse: Callable[[Reader], Command]
    states: frozenset[State]
    needs_privacy: bool = False


_BEFORE_LOGIN = frozenset({State.NOT_AUTHENTICATED})
_AFTER_LOGIN = frozenset({State.AUTHENTICATED, State.SELECTED})
_SELECTED = frozenset({State.SELECTED})
_ALWAYS = _BEFORE_LOGIN | _AFTER_LOGIN

COMMANDS: Mapping[bytes, Row] = {
    b"CAPABILITY": Row(nothing(session.Capability), _ALWAYS),
    b"NOOP": Row(nothing(session.Noop), _ALWAYS),
    b"LOGOUT": Row(nothing(session.Logout), _ALWAYS),
    b"ID": Row(session.parse_id, _ALWAYS),
    b"STARTTLS": Row(nothing(session.Starttls), _BEFORE_LOGIN),
    b"LOGIN": Row(session.parse_login, _BEFORE_LOGIN, needs_privacy=True),
    b"AUTHENTICATE": Row(session.parse_authenticate, _BEFORE_LOGIN, needs_privacy=True),
    b"ENABLE": Row(session.parse_enable, _AFTER_LOGIN),
    b"COMPRESS": Row(session.parse_compress, _AFTER_LOGIN),
    b"IDLE": Row(nothing(session.Idle), _AFTER_LOGIN),
    b"NAMESPACE": Row(nothing(session.Namespace), _AFTER_LOGIN),
    b"SELECT": Row(folders.parse_select, _AFTER_LOGIN),
    b"EXAMINE": Row(folders.parse_examine, _AFTER_LOGIN),
    b"CREATE": Row(folders.parse_create, _AFTER_LOGIN),
    b"DELETE": Row(folders.one_folder(folders.Delete), _AFTER_LOGIN),
    b"RENAME": Row(folders.parse_rename, _AFTER_LOGIN),
    b"SUBSCRIBE": Row(folders.one_folder(folders.Subscribe), _AFTER_LOGIN),
    b"UNSUBSCRIBE": Row(folders.one_folder(folders.Unsubscribe), _AFTER_LOGIN),
    b"LIST": Row(folders.parse_list, _AFTER_LOGIN),
    b"LSUB": Row(folders.parse_lsub, _AFTER_LOGIN),
    b"STATUS": Row(folders.parse_status, _AFTER_LOGIN),
    b"GETQUOTA": Row(folders.parse_getquota, _AFTER_LOGIN),
    b"GETQUOTAROOT": Row(folders.one_folder(folders.Getquotaroot), _AFTER_LOGIN),
    b"APPEND": Row(parse_append, _AFTER_LOGIN),
    b"CHECK": Row(nothing(messages.Check), _SELECTED),
    b"CLOSE": Row(nothing(messages.Close), _SELECTED),
    b"UNSELECT": Row(nothing(messages.Unselect), _SELECTED),
    b"EXPUNGE": Row(nothing(messages.Expunge), _SELECTED),
    b"UID EXPUNGE": Row(messages.parse_uid_expunge, _SELECTED),
    b"STORE": Row(partial(messages.parse_store, by_uid=False), _SELECTED),
    b"UID STORE": Row(partial(messages.parse_store, by_uid=True), _SELECTED),
    b"COPY": Row(messages.to_folder(messages.Copy, by_uid=False), _SELECTED),
    b"UID COPY": Row(messages.to_folder(messages.Copy, by_uid=True), _SELECTED),
    b"MOVE": Row(messages.to_folder(messages.Move, by_uid=False), _SELECTED),
    b"UID MOVE": Row(messages.to_folder(messages.Move, by_uid=True), _SELECTED),
    b"SEARCH": Row(partial(search.parse_search, by_uid=False), _SELECTED),
    b"UID SEARCH": Row(partial(search.parse_search, by_uid=True), _SELECTED),
    b"SORT": Row(partial(search.parse_sort, by_uid=False), _SELECTED),
    b"UID SORT": Row(partial(search.parse_sort, by_uid=True), _SELECTED),
    b"THREAD": Row(partial(search.parse_thread, by_uid=False), _SELECTED),
    b"UID THREAD": Row(partial(search.parse_thread, by_uid=True), _SELECTED),
    b"CANCELUPDATE": Row(search.parse_cancel_update, _SELECTED),
    b"FETCH": Row(partial(parse_fetch, by_uid=False), _SELECTED),
    b"UID FETCH": Row(partial(parse_fetch, by_uid=True), _SELECTED),
}
