"""Mailboxes, as those who read them see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zope.interface import Attribute, Interface

from mailsys.interfaces.intake import IMailDrop
from mailsys.interfaces.routing import Account
from mailsys.message.content import Content


class MailboxInUse(Exception):  # noqa: N818
    """Another session holds this mailbox for itself."""


class NotRemoved(Exception):  # noqa: N818
    """Messages that should be deleted are still there; ``removed`` of the others have gone."""

    def __init__(self, removed: int, reason: str) -> None:
        super().__init__(reason)
        self.removed = removed


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

    def name(uid: int) -> str:
        """What :class:`MailboxAction` calls the copy, for the journal; empty when it has gone."""

    async def content(uid: int) -> Content:
        """The message as stored; raises KeyError when it has gone meanwhile, OSError when unreadable."""

    def read_cached(uid: int) -> bytes | None:
        """Return the whole of a small message if that needs no wait for a disk; None when it would.

        Also None when it fails: then ``read_many`` says why.
        """

    async def read_many(uids: Sequence[int]) -> Sequence[bytes | KeyError | OSError | None]:
        """Return the whole of several small messages in one go, in their order.

        For one that has gone a KeyError, for one that is unreadable an OSError, and None for one of
        more than ``READ_OCTETS``, which must be read in pieces.
        """

    async def expunge(uids: Sequence[int]) -> int:
        """Delete, and return how many were there; those already gone do not matter.  Raises NotRemoved."""

    def close() -> None:
        """Give up the hold on the mailbox."""


class IQuota(Interface):
    """How full the mailboxes are."""

    async def has_room(account: Account, octets: int) -> bool:
        """Would a message of this size fit at this moment?"""

    async def hold(account: Account, octets: int) -> bool:
        """Set room aside for a message that is being committed; False when there is none."""

    def release(account: Account, octets: int, *, used: int) -> None:
        """End a hold of ``octets``: ``used`` is the size of the copy that was laid, 0 for none."""


class IMailStore(Interface):
    """Where mail is kept, as one: mailboxes to read, a drop for what comes, and how full they are."""

    drop: IMailDrop = Attribute("where intake writes, lays and settles copies")
    quota: IQuota = Attribute("how full the mailboxes are")

    async def open(account: Account, folder: str, *, exclusive: bool) -> IMailbox:
        """Open for reading; raises MailboxInUse, OSError.  ``exclusive`` is POP3's (RFC 1939 section 8)."""
