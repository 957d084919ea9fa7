"""Folders, as sessions see and change them: several at once, beside other programs on the same mail.

One store may be read with IMAP when it provides :class:`IFolderStore` beside ``IMailStore``.  What
stands here is called in the reactor's thread.  Names of folders are Unicode with ``/`` between levels
and INBOX in capitals.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from zope.interface import Attribute, Interface

from mailsys.interfaces.mailboxes import IMailStore
from mailsys.interfaces.routing import Account
from mailsys.message.content import Content

# "\\Seen", "$Junk", "Work" …; system flags as RFC 9051 2.3.2 writes them, keywords as they were first set.
Flags = frozenset[str]


class FolderFault(Enum):
    """Why a folder cannot be had or made; the text codes of RFC 9051 7.1 say the same."""

    NONEXISTENT = "there is no such folder"
    EXISTS = "there is a folder of this name already"
    BAD_NAME = "this cannot be a folder's name"
    NOT_ALLOWED = "this cannot be done to this folder"
    HAS_CHILDREN = "the folder has folders below it"
    OVER_QUOTA = "the mailbox is full"
    LIMIT = "there are too many of them"


class FolderRefused(Exception):  # noqa: N818 - nothing is broken
    """What was asked cannot be done; the text is fit for a client."""

    def __init__(self, fault: FolderFault, text: str = "") -> None:
        super().__init__(text or fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A folder in the list.  One that ``exists`` not is subscribed, or above one that does.

    ``special_use`` is an attribute of RFC 6154 as ``\\Sent``, or empty.
    """

    name: str
    exists: bool = True
    subscribed: bool = False
    special_use: str = ""


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """What STATUS tells.  ``octets`` are those of all messages with CRLF line ends (RFC 8438)."""

    messages: int
    recent: int
    unseen: int
    deleted: int
    octets: int
    uid_next: int
    uid_validity: int
    highest_modseq: int


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to append; ``internal_date`` in seconds since 1970."""

    content: Content
    flags: Flags
    internal_date: float


@dataclass(frozen=True, slots=True)
class Placed:
    """Where copies are now: ``uids`` in the order of the ``sources``, which are empty for an append."""

    uid_validity: int
    uids: Sequence[int]
    sources: Sequence[int] = ()


class FlagChange(Enum):
    """What STORE does with the flags it names."""

    REPLACE = "FLAGS"
    ADD = "+FLAGS"
    REMOVE = "-FLAGS"


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a STORE.  ``modified`` had changed since the MODSEQ that the client knew (RFC 7162)."""

    changed: Sequence[int]
    modified: Sequence[int] = ()


class Column(Enum):
    """What is known of each message without reading it, once it is indexed.

    ``message.structure.describe`` knows all but the dates of arrival.  The forms are ready to send: ENVELOPE,
    BODY and BODYSTRUCTURE as octets in RFC 9051's syntax; ``as_ascii`` there makes of them what clients get
    that did not ask for UTF-8.  Words to search and sort by are decoded and in the form of ``casemap``.
    """

    WIRE_SIZE = "wire_size"  # int, octets with CRLF line ends: RFC822.SIZE
    INTERNAL_DATE = "internal_date"  # float, seconds since 1970
    SAVE_DATE = "save_date"  # float or None (RFC 8514)
    ENVELOPE = "envelope"  # bytes
    BODY = "body"  # bytes, without the extension data
    BODY_STRUCTURE = "body_structure"  # bytes
    PREVIEW = "preview"  # str (RFC 8970)
    SENT = "sent"  # float or None: the Date field, seconds since 1970, with
    SENT_DAY = "sent_day"  # int or None: the day the Date field names, as date.toordinal has it
    SUBJECT = "subject"  # str
    BASE_SUBJECT = "base_subject"  # str (RFC 5256 2.1)
    FROM = "from"  # str: names and addresses as the field has them, a line for each such field
    TO = "to"
    CC = "cc"
    BCC = "bcc"
    SORT_FROM = "sort_from"  # str: the first mailbox (RFC 5256 3)
    SORT_TO = "sort_to"
    SORT_CC = "sort_cc"
    DISPLAY_FROM = "display_from"  # str: the first display name (RFC 5957)
    DISPLAY_TO = "display_to"
    MESSAGE_ID = "message_id"  # str, empty for none
    REFERENCES = "references"  # str: ids with a space between them; In-Reply-To's where there are none


@dataclass(frozen=True, slots=True)
class Holding:
    """What an index of words says: UIDs that hold a text for ``certain``, others that must be read to tell.

    All the rest do not hold it.
    """

    certain: Collection[int]
    possible: Collection[int] = ()


class IFolderWatcher(Interface):
    """A session that has a folder open.  It is told after the folder shows the new state."""

    def arrived(uids: Sequence[int]) -> None:
        """Messages have come."""

    def flags_changed(uids: Collection[int]) -> None:
        """Flags of messages are others now; the session that did it is told, too."""

    def expunged(uids: Sequence[int]) -> None:
        """Messages have gone for good."""

    def gone() -> None:
        """The folder itself was deleted, renamed or made anew; it shows nothing that may be told."""


class IFolder(Interface):
    """One folder that a session has open; what it shows, all sessions share.

    It shows the present: a session that may not be told of it yet keeps a view of its own.  Methods
    with ``uids`` pass over messages that have gone.  All raise OSError when the disk fails.
    """

    name: str = Attribute("as in the list")
    uid_validity: int = Attribute("RFC 9051 2.3.1.1")
    uid_next: int = Attribute("higher than every UID so far")
    highest_modseq: int = Attribute("RFC 7162; of the last change of any kind")
    uids: Sequence[int] = Attribute("of all messages, rising; not to be changed, nor kept over a wait")
    keywords: Collection[str] = Attribute("all that any message has or had")
    recent: Collection[int] = Attribute("UIDs that this session was the first to be told of")
    read_only: bool = Attribute("nothing can be changed here")

    def flags(uid: int) -> Flags:
        """Of one message, without \\Recent; raises KeyError."""

    def modseq(uid: int) -> int:
        """Of one message; raises KeyError."""

    def changed_since(modseq: int) -> Sequence[int]:
        """UIDs of messages that changed after ``modseq``, rising."""

    async def expunged_since(modseq: int) -> Sequence[int] | None:
        """UIDs that have gone after ``modseq``; None when that is not remembered so far back."""

    async def look() -> None:
        """See what other programs did meanwhile; watchers are told before it returns."""

    async def store(
        uids: Sequence[int], change: FlagChange, flags: Flags, *, unchanged_since: int | None = None
    ) -> Stored:
        """Change flags.  Raises FolderRefused (LIMIT) when the folder can have no more keywords."""

    async def expunge(uids: Sequence[int]) -> Sequence[int]:
        """Remove messages that are marked \\Deleted; return those that have gone."""

    async def copy(uids: Sequence[int], target: str) -> Placed:
        """Copy to another folder of the account, all or none; raises FolderRefused."""

    async def move(uids: Sequence[int], target: str) -> Placed:
        """Move likewise.  A kill in between may leave a message in both, never in none."""

    async def columns(uids: Sequence[int], wanted: Sequence[Column]) -> Sequence[Sequence[Any]]:
        """For each wanted column the values in the order of the UIDs; None for a message that has gone.

        What is not indexed yet is read, and indexed.
        """

    async def containing(column: Column, needle: str) -> Collection[int] | None:
        """UIDs of all messages where a column of text to search in contains this.

        None when only its values can tell.
        """

    async def holding(needle: str, *, in_header: bool, learn: bool = True) -> Holding | None:
        """Which messages hold this text in their body, or in body and header.

        ``needle`` is in the form of ``message.structure.casemap.search_form``, and not empty.  To ``learn``
        is to read what is not indexed yet, which may take a while the first time.  None when
        only reading every message can tell.
        """

    async def content(uid: int) -> Content:
        """The message as stored; raises KeyError."""

    def read_cached(uid: int) -> bytes | None:
        """Return the whole of a small message if that needs no wait for a disk; None when it would."""

    async def read_many(uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Return the whole of several small messages, as ``IMailbox.read_many`` does."""

    def close() -> None:
        """Look away; again does no harm."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How full an account's mailboxes are; ``limit`` is None for none."""

    octets: int
    messages: int
    limit: int | None


class IFolders(Interface):
    """All folders of one account."""

    async def list() -> Sequence[FolderEntry]:
        """Every folder that is there or subscribed, by name, INBOX first."""

    async def create(name: str, special_use: str = "") -> None:
        """Make a folder; those above it are made when they are missing.  Raises FolderRefused."""

    async def delete(name: str) -> None:
        """Delete a folder and its messages; raises FolderRefused.  Those below it stay."""

    async def rename(name: str, new: str) -> None:
        """Rename with all below it; INBOX's messages move and INBOX stays (RFC 9051 6.3.6)."""

    async def subscribe(name: str) -> None:
        """Note it among the subscriptions, though it exist or not; raises FolderRefused (BAD_NAME, LIMIT)."""

    async def unsubscribe(name: str) -> None:
        """Take it off the subscriptions."""

    async def status(name: str) -> FolderStatus:
        """Count; raises FolderRefused."""

    async def open(name: str, watcher: IFolderWatcher, *, read_only: bool) -> IFolder:
        """Open for a session; raises FolderRefused."""

    async def append(name: str, messages: Sequence[NewMessage]) -> Placed:
        """Add messages, all or none, synced when it returns; raises FolderRefused (OVER_QUOTA …)."""

    async def usage() -> Usage:
        """How full the account's mailboxes are."""

    def watch(changed: Callable[[str], None]) -> Callable[[], None]:
        """Call with a folder's name after it, or its place in the list, has changed; return how to stop."""


class IFolderStore(IMailStore):
    """A store that keeps folders for IMAP."""

    def folders(account: Account) -> IFolders:
        """The folders of an account, which its sessions share."""
