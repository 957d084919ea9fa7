"""Where the stations meet: every interface, and the values that cross them.

A station knows the others only by what stands here; ``mailsys.service`` introduces them.
Methods named "from a worker thread" block and are never called by the reactor's thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar

from zope.interface import Attribute, Interface

from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope
from mailsys.message.reply import Reply

T = TypeVar("T")

# --------------------------------------------------------------------------- connections and sessions


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: ``host`` is an IP address as text, or empty for a local socket."""

    host: str
    port: int
    service: str  # as in the configuration: smtp, lmtp, pop3 …

    @property
    def is_loopback(self) -> bool:
        """Does it speak from this machine?"""
        return self.host.startswith("127.") or self.host in ("::1", "", "::ffff:127.0.0.1")


@dataclass(slots=True)
class Session:
    """What is known of a connection so far; ``id`` names it in journal and log."""

    id: str
    peer: Peer
    greeting: str = ""  # the name it gave in HELO, EHLO or LHLO
    protocol: str = "SMTP"  # RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPSA, LMTP …
    tls: str = ""  # "TLSv1.3 TLS_AES_256_GCM_SHA384", empty without TLS
    login: Address | None = None
    spoke_early: bool = False  # sent something before our greeting


class ConnectionEnded(Exception):  # noqa: N818 - it is an event, not an error
    """The peer has gone, or the connection was closed here; nothing more can be said."""


class TimedOut(ConnectionEnded):
    """The peer was silent for too long."""


class HostStops(ConnectionEnded):
    """The host is about to stop; a last word may be said."""


class IConnection(Interface):
    """One network connection, as a conversation uses it.  Given by ``mailsys.net``."""

    peer: Peer = Attribute("who is there")
    tls: str = Attribute("TLS version and cipher, or empty")
    congested: bool = Attribute("does much of what was sent wait for the peer to take it?")

    def send(data: bytes) -> None:
        """Write; buffered without waiting.  Call ``drained`` before writing much."""

    async def receive(seconds: float) -> bytes:
        """Wait for bytes; raises ConnectionEnded, TimedOut or HostStops."""

    async def drained() -> None:
        """Wait until the peer has taken what was sent; raises ConnectionEnded or TimedOut."""

    async def start_tls() -> None:
        """Begin TLS as the server.  Bytes that came before it are the caller's to drop."""

    def can_start_tls() -> bool:
        """Is there a certificate, and no TLS yet?"""

    def close() -> None:
        """Close after what was sent has left."""


class IConversation(Interface):
    """What is said on one connection, from greeting to goodbye."""

    async def run(connection: IConnection) -> None:
        """Speak until the end; may raise ConnectionEnded."""


# --------------------------------------------------------------------------- is it wanted?


class Disposition(Enum):
    """What should become of it; the later ones outweigh the earlier."""

    ACCEPT = 0
    JUNK = 1
    DEFER = 2
    REJECT = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's report.  ``reply`` is what the peer is told when it defers or rejects."""

    disposition: Disposition
    reason: str = ""
    reply: Reply | None = None
    headers: tuple[bytes, ...] = ()  # header lines for the message, with CRLF


ACCEPT = Verdict(Disposition.ACCEPT)


class IJudge(Interface):
    """Reports on a connection, a sender, a recipient or a message.  Never decides alone."""

    name: str = Attribute("as in the configuration and the journal")

    async def connection(session: Session) -> Verdict:
        """Before the greeting."""

    async def sender(session: Session, reverse_path: Address | None) -> Verdict:
        """At MAIL."""

    async def recipient(session: Session, recipient: Address) -> Verdict:
        """At RCPT, for a recipient that is known."""

    async def message(session: Session, envelope: Envelope, content: Content) -> Verdict:
        """At the end of DATA."""


class IGreetingPause(Interface):
    """A judge that wants the greeting held back, to see who cannot wait."""

    def pause_seconds(session: Session) -> float:
        """How long; 0 for none."""


class IJudgePipeline(Interface):
    """All judges that the configuration names, as one."""

    def pause_seconds(session: Session) -> float:
        """How long to hold the greeting back."""

    async def connection(session: Session) -> Verdict:
        """The weightiest verdict of all judges."""

    async def sender(session: Session, reverse_path: Address | None) -> Verdict:
        """The weightiest verdict of all judges."""

    async def recipient(session: Session, recipient: Address) -> Verdict:
        """The weightiest verdict of all judges."""

    async def message(session: Session, envelope: Envelope, content: Content) -> Verdict:
        """The weightiest verdict, with the header lines of all judges."""


# --------------------------------------------------------------------------- where does it live?


@dataclass(frozen=True, slots=True)
class Account:
    """Someone with a mailbox.  ``quota_bytes`` is None without a limit."""

    address: Address
    quota_bytes: int | None = None
    active: bool = True


class DirectoryUnavailable(Exception):  # noqa: N818 - the peer may try again
    """Nothing can be looked up for the moment; a peer is told 451."""


class IDirectory(Interface):
    """Domains, accounts and aliases.  Addresses are folded (``Address.folded``) by the caller.

    Every method may raise DirectoryUnavailable.
    """

    async def is_local(domain: str) -> bool:
        """Is this domain ours?"""

    async def account(address: Address) -> Account | None:
        """The account of exactly this address."""

    async def alias(address: Address) -> Sequence[Address] | None:
        """The targets of exactly this alias; ``*@domain`` is the catch-all."""

    async def postmaster(domain: str) -> Account | None:
        """Who gets postmaster's mail when no account or alias of that name exists (RFC 5321 4.5.1)."""


@dataclass(frozen=True, slots=True)
class ToMailboxes:
    """It goes into these accounts' mailboxes; ``via`` tells the way in words (aliases, tags)."""

    accounts: tuple[Account, ...]
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be taken; the peer is told why."""

    reply: Reply
    via: tuple[str, ...] = ()


Route = ToMailboxes | Refused


class IRouter(Interface):
    """Finds where a recipient lives."""

    async def route(recipient: Address) -> Route | None:
        """Return None when the recipient is none of this router's business."""


# --------------------------------------------------------------------------- the commit point


@dataclass(frozen=True, slots=True)
class MailboxAction:
    """One copy for one account, decided before the commit.

    ``head`` is this copy's own header lines in front of the content (Return-Path, Delivered-To,
    Received …).  ``name`` is the file's base name and unique for ever.
    """

    account: Address
    recipient: Address
    folder: str
    name: str
    head: bytes


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One message that is about to be answered with 250; ``facts`` are for its story."""

    envelope: Envelope
    actions: tuple[MailboxAction, ...]
    content: Content
    facts: Mapping[str, Any] = field(default_factory=dict)


class NotStored(Exception):  # noqa: N818 - the peer may try again, nothing is wrong with the message
    """Nothing of the message was kept; the peer may try again (452)."""


class IIntake(Interface):
    """Takes messages so that they cannot be lost any more."""

    async def commit(acceptance: Acceptance) -> None:
        """Return when the message is synced and in every mailbox; raises NotStored."""


class IMailDrop(Interface):
    """The store as intake sees it: where copies are written, laid and settled."""

    def plan(
        account: Account, recipient: Address, head: bytes, content_size: int, *, crlf: bool = True
    ) -> MailboxAction:
        """Choose folder and name for a copy of ``len(head) + content_size`` octets.  Touches no disk.

        ``crlf`` says that every line of it ends with CR LF.
        """

    def write(action: MailboxAction, content: Content) -> None:
        """Write the whole copy where no reader sees it; nothing is synced.

        From a worker thread; raises OSError.
        """

    def lay(action: MailboxAction) -> None:
        """Move the written copy into its folder.  From a worker thread; raises OSError."""

    def discard(action: MailboxAction) -> None:
        """Remove the written copy if it is there.  From a worker thread; raises OSError."""

    def is_written(action: MailboxAction) -> bool:
        """Does the written copy, whole, still wait to be laid?  From a worker thread."""

    def is_laid(action: MailboxAction, content_size: int) -> bool:
        """Is the copy, whole, in any folder of the account?  From a worker thread; raises OSError."""

    def replace(action: MailboxAction) -> None:
        """Move the written copy over the laid one, whatever folder and flags that has now.

        From a worker thread; raises FileNotFoundError when the laid one has gone, OSError.
        """

    def settle(actions: Sequence[MailboxAction]) -> Sequence[MailboxAction]:
        """Sync laid copies and their folders; return those that could not be synced.

        A copy that is gone (deleted, moved) counts as settled.  From a worker thread.
        """

    def announce(action: MailboxAction) -> None:
        """Tell open mailboxes that a copy was laid.  In the reactor's thread."""


# --------------------------------------------------------------------------- mailboxes


class MailboxInUse(Exception):  # noqa: N818
    """Another session holds this mailbox for itself."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message in a folder: ``size`` octets on the disk, ``wire_size`` with CRLF line ends."""

    uid: int
    size: int
    wire_size: int


class IMailbox(Interface):
    """One open folder of one account."""

    uid_validity: int = Attribute("RFC 9051 2.3.1.1")
    messages: Sequence[StoredMessage] = Attribute("as of opening, by rising UID")

    async def content(uid: int) -> Content:
        """The message as stored; raises KeyError when it has gone meanwhile, OSError when unreadable."""

    async def read(uid: int) -> bytes:
        """Return the whole of a small message at once; raises KeyError, OSError."""

    async def read_many(uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError]:
        """Return the whole of several small messages in one go; for one that fails, what ``read`` raises."""

    async def expunge(uids: Sequence[int]) -> None:
        """Delete; those already gone do not matter.  Raises OSError if any stays."""

    def close() -> None:
        """Give up the hold on the mailbox."""


class IMailStore(Interface):
    """Mailboxes by account and folder."""

    async def open(account: Account, folder: str, *, exclusive: bool) -> IMailbox:
        """Open for reading; raises MailboxInUse, OSError.  ``exclusive`` is POP3's (RFC 1939 section 8)."""


class IQuota(Interface):
    """How full the mailboxes are."""

    async def has_room(account: Account, octets: int) -> bool:
        """Would a message of this size fit at this moment?"""

    async def hold(account: Account, octets: int) -> bool:
        """Set room aside for a message that is being committed; False when there is none."""

    def release(account: Account, octets: int, *, used: bool) -> None:
        """End a hold: ``used`` when the message was laid."""


# --------------------------------------------------------------------------- logins


class LoginUnavailable(Exception):  # noqa: N818
    """Nobody can be checked for the moment (too many at once)."""


class ILogins(Interface):
    """Who may log in."""

    async def check(name: str, password: str, session: Session) -> Account | None:
        """The account, or None for a wrong name or password, told alike and in the same time."""


# --------------------------------------------------------------------------- the story


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """Something happened to the message or connection ``id`` at ``at`` (seconds since 1970, UTC).

    ``key`` tells events of one id apart, so that writing an event twice leaves one.
    """

    id: str
    key: str
    at: float
    facts: Mapping[str, Any]


class IJournal(Interface):
    """Keeps events; never makes its caller wait."""

    def record(event: JournalEvent) -> None:
        """Keep it, soon.  From any thread."""

    def flush() -> None:
        """Return when all that was recorded is synced.  From a worker thread; raises OSError."""


# --------------------------------------------------------------------------- the machine


class IWorkers(Interface):
    """Threads that wait for disks and hashes."""

    def run(function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """Call the function in a thread and return its result."""
