"""The commit point: what is handed to the intake, and what it needs of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from zope.interface import Attribute, Interface

from mailsys.interfaces.routing import Account
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope


class ICollector(Interface):
    """Keeps one message while it arrives: in memory while it is small, then in a file that it owns.

    Every method raises OSError when the disk fails.
    """

    size: int = Attribute("octets so far")

    async def add(piece: bytes) -> None:
        """Take the next octets."""

    async def finish() -> Content:
        """All of it, to be read until it is discarded."""

    async def discard() -> None:
        """Forget everything, the file too."""


@dataclass(frozen=True, slots=True)
class MailboxAction:
    """One copy for one account, decided before the commit.

    ``head`` is this copy's own header lines in front of the content (Return-Path, Delivered-To,
    Received …).  ``name`` is the copy's own, and unique for ever in the store.  ``also_for`` are further
    recipients of the envelope who lead to the same account and share the copy.
    """

    account: Address
    recipient: Address
    folder: str
    name: str
    head: bytes
    also_for: tuple[Address, ...] = ()

    @property
    def place(self) -> str:
        """Where it goes, in words for the log."""
        return str(self.account)


@dataclass(frozen=True, slots=True)
class QueueAction:
    """The copy that waits for recipients elsewhere: one for all of them, who are those of ``envelope``.

    ``at`` is when it was handed in, seconds since 1970.  ``head`` is our own header lines in front of the
    content; with them it has ``octets``.  It is not tried before ``not_before``, and with a reason in
    ``held`` not at all, until somebody releases it, but for those recipients who are ``free``.
    """

    envelope: Envelope
    at: float
    head: bytes
    octets: int
    not_before: float = 0.0
    held: str = ""
    free: tuple[Address, ...] = ()

    @property
    def name(self) -> str:
        """The file's name, unique for ever."""
        return self.envelope.id

    @property
    def place(self) -> str:
        """Where it goes, in words for the log."""
        return "the queue"


@dataclass(frozen=True, slots=True)
class Identity:
    """Of a copy that may be planned more than once.

    ``key`` is the copy's alone, for all accounts and for ever.  ``at`` is its time, seconds since 1970.
    """

    key: str
    at: float

    @property
    def digest(self) -> str:
        """The key as 32 hexadecimal digits."""
        return blake2b(self.key.encode(errors="surrogatepass"), digest_size=16).hexdigest()


Action = MailboxAction | QueueAction


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One message that is about to be answered with 250; ``facts`` are for its story."""

    envelope: Envelope
    actions: tuple[Action, ...]
    content: Content
    facts: Mapping[str, Any] = field(default_factory=dict)


class NotStored(Exception):  # noqa: N818 - the peer may try again, nothing is wrong with the message
    """Nothing of the message was kept; the peer may try again (452)."""


class IIntake(Interface):
    """Takes messages so that they cannot be lost any more."""

    async def commit(acceptance: Acceptance) -> None:
        """Return when the message is synced and in every mailbox; raises NotStored."""


class IDrop(Interface):
    """Where copies are written, laid and settled, as intake does it.  An action is of the drop's own kind."""

    def write(action: Any, content: Content) -> None:
        """Write the whole copy where no reader sees it; nothing is synced.

        From a worker thread; raises OSError.
        """

    def lay(action: Any) -> None:
        """Move the written copy into its folder, which may be another than it was written for.

        From a worker thread; raises OSError.
        """

    def discard(action: Any) -> None:
        """Remove the written copy if it is there.  From a worker thread; raises OSError."""

    def is_written(action: Any) -> bool:
        """Does the written copy, whole, still wait to be laid?  From a worker thread."""

    def laid_octets(action: Any) -> int | None:
        """How large is the laid copy, whatever folder and flags it has now; None when there is none.

        From a worker thread; raises OSError.
        """

    def remove_short(action: Any, octets: int) -> None:
        """Remove the laid copy if it has fewer octets, as a loss of power leaves it.

        From a worker thread; raises OSError.
        """

    def replace(action: Any) -> None:
        """Move the written copy over the laid one, whatever folder and flags that has now.

        From a worker thread; raises FileNotFoundError when the laid one has gone, OSError.
        """

    def settle(actions: Sequence[Any]) -> Sequence[Any]:
        """Sync laid copies and their folders; return those that could not be synced.

        A copy that is gone (deleted, moved) counts as settled.  From a worker thread.
        """

    def announce(action: Any) -> None:
        """Tell those who wait for it that a copy was laid.  In the reactor's thread."""


class IMailDrop(IDrop):
    """The store as intake and sessions see it; its actions are MailboxActions."""

    def plan(
        account: Account, recipient: Address, head: bytes, content_size: int, *, crlf: bool = True
    ) -> MailboxAction:
        """Choose folder and name for a copy of ``len(head) + content_size`` octets.  Touches no disk.

        ``crlf`` says that every line of it ends with CR LF.
        """


class IRepeatableDrop(IMailDrop):
    """A drop in which a copy can be planned once more, by the next process as well.

    A store that has it gets what waited in the queue exactly once, wherever the process ends; another may
    get it twice.
    """

    def plan_again(
        account: Account,
        recipient: Address,
        head: bytes,
        content_size: int,
        identity: Identity,
        *,
        crlf: bool = True,
    ) -> MailboxAction:
        """As ``plan``, but the name follows from ``identity`` and sizes: at any time the same."""
