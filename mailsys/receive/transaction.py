"""One mail transaction, from MAIL to the end of the message: one object, dropped whole (RFC 5321 3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from twisted.logger import Logger

from mailsys.interfaces import Account
from mailsys.message.address import Address
from mailsys.message.envelope import NO_WISH, Body, Envelope, NoticeWish, Notify
from mailsys.receive.collector import Collector
from mailsys.wire.data import ContentScan, DataFault
from mailsys.wire.smtp.commands import Mail

CHECKED = 20  # sentences of judges about sender and recipients that are kept

log = Logger(namespace="mailsys.receive")


@dataclass(frozen=True, slots=True)
class RoutedRecipient:
    """A recipient that was answered with 250, and the mailboxes behind it, or the delivery.

    One that ``is_outside`` lives at another host, and its copy waits in the queue.  One that is ``forwarded``
    leads to addresses at other hosts, alone or besides mailboxes, and so do theirs.
    """

    address: Address
    accounts: tuple[Account, ...]
    via: tuple[str, ...] = ()
    delivery: str = ""
    is_outside: bool = False
    is_caught: bool = False  # by a catch-all
    forwarded: tuple[Address, ...] = ()


@dataclass(slots=True)
class Transaction:
    """What was said since MAIL; ``id`` is the message's name from here to its last outcome."""

    id: str
    mail: Mail
    collector: Collector
    octet_limit: int
    recipients: dict[Address, RoutedRecipient] = field(default_factory=dict)
    wishes: dict[Address, NoticeWish] = field(default_factory=dict)  # of recipients, who said any
    not_before: float = 0.0  # by its sender's wish, seconds since 1970
    has_delivery: bool = False  # its only recipient is handed on, and has no mailbox here
    copies_left: int | None = None  # for other hosts; None before the first of them
    asked: int = 0  # RCPT commands, those for the same recipient and those refused as well
    octets: int = 0
    checked: dict[str, None] = field(default_factory=dict)  # what judges said of sender and recipients
    is_for_few: bool = False  # it asked for too many recipients that do not exist: no more of them
    is_broken: bool = False  # its octets could not be kept
    is_handed_over: bool = False  # its file, if it has one, is the intake's
    scan: ContentScan = field(default_factory=ContentScan)  # for BDAT; DATA's decoder has its own

    @property
    def is_too_big(self) -> bool:
        """More came than we take; nothing of the rest is kept."""
        return self.octets > self.octet_limit

    async def add(self, data: bytes) -> None:
        """Take octets of the message; what cannot be kept is counted, and told at the end."""
        self.octets += len(data)
        if self.is_too_big or self.is_broken or not data:
            return
        try:
            await self.collector.add(data)
        except OSError as error:
            log.error("Message {id} cannot be kept: {error}", id=self.id, error=error)
            self.is_broken = True

    def note_checked(self, checked: Iterable[str]) -> None:
        """Keep what judges said, each sentence once; of very many only the first."""
        for words in checked:
            if len(self.checked) < CHECKED:
                self.checked[words] = None

    def chunk_fault(self) -> DataFault | None:
        """What is wrong with a message that came by BDAT; RFC 3030 3: BINARYMIME may hold anything."""
        return None if self.mail.body is Body.BINARY_MIME else self.scan.fault()

    def envelope(self, *, is_vouched_for: bool = False) -> Envelope:
        """What travels beside the message."""
        return Envelope(
            self.id,
            self.mail.reverse_path,
            tuple(self.recipients),
            self.mail.body,
            self.mail.smtputf8,
            self.mail.notice_return,
            self.mail.notice_id,
            self.wishes,
            is_vouched_for=is_vouched_for,
        )

    def waits(self, recipient: RoutedRecipient) -> bool:
        """Does its copy go into the queue, and from there to where it lives?

        The queue alone can tell a sender that it arrived, and not forget it; and it can let mail wait.
        Of one that only stands for others at other hosts, those wait.
        """
        if recipient.forwarded and not recipient.accounts:
            return False
        wish = self.wishes.get(recipient.address, NO_WISH)
        return recipient.is_outside or bool(self.not_before) or Notify.SUCCESS in wish.notify

    async def drop(self) -> None:
        """Forget it, unless the message was handed over; raises OSError when its file stays."""
        if self.is_handed_over:
            self.collector.release()
        else:
            await self.collector.discard()
