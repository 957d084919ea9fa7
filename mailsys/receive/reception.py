"""What all connections of one listener share: the settings, and the stations behind."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from mailsys.disk import Disk
from mailsys.interfaces import (
    ICaughtAddresses,
    IDelivery,
    IFreeSpace,
    IHeaderWriter,
    IIntake,
    IJournal,
    IJudgePipeline,
    ILogins,
    IMailDrop,
    IQuota,
    ISenderHistory,
    ISendingLimits,
    ISigner,
    IWorkers,
    Session,
)
from mailsys.message import reply as replies
from mailsys.message.reply import Reply
from mailsys.receive.collector import Collector
from mailsys.receive.memory import MessageMemory
from mailsys.receive.pace import Terms
from mailsys.receive.recipients import Admission
from mailsys.receive.strangers import Strangers


@dataclass(frozen=True, slots=True)
class Settings:
    """Octets, counts and seconds; ``service`` is smtp, lmtp or submission."""

    hostname: str
    service: str
    message_octets: int
    recipients: int  # at most, for one message
    pace: Terms
    errors: int
    error_pause: float  # how much longer each answer waits, once half of the errors are used up
    plaintext: str  # where passwords may come without TLS: never, loopback or always
    first_domain: Callable[[], Awaitable[str | None]]  # whose postmaster the bare <postmaster> is
    ahead_seconds: float = 0.0  # how far ahead a message may be handed in; 0: not at all


@dataclass(frozen=True, slots=True)
class Reception:
    """Made by ``service`` for a listener, and given to each of its conversations."""

    settings: Settings
    judges: IJudgePipeline
    header_writers: IHeaderWriter
    signer: ISigner
    admission: Admission
    quota: IQuota
    intake: IIntake
    drop: IMailDrop
    caught: ICaughtAddresses
    history: ISenderHistory
    limits: ISendingLimits
    deliveries: Mapping[str, IDelivery]
    logins: ILogins
    strangers: Strangers
    memory: MessageMemory
    journal: IJournal
    disk: Disk
    workers: IWorkers
    space: IFreeSpace
    spool: str  # the folder for messages too large for memory
    new_id: Callable[[], str]
    now: Callable[[], float]  # seconds since 1970
    clock: IReactorTime

    @property
    def is_lmtp(self) -> bool:
        """LMTP answers the end of a message once for each recipient (RFC 2033 4.2)."""
        return self.settings.service == "lmtp"

    @property
    def is_submission(self) -> bool:
        """Submission is for users who have logged in, and for them alone (RFC 6409 4.3)."""
        return self.settings.service == "submission"

    def offers_notices(self, session: Session) -> bool:
        """May a client say what its sender wants to be told (RFC 3461)?

        Where it may, we owe notices, so only those may whose senders somebody vouches for.  Users are asked
        to log in after they heard of it.
        """
        return self.is_submission or self.admission.trusts(session)

    def objection_to(self, size: int | None) -> Reply | None:
        """What is said to a message of this announced size before any octet of it is sent."""
        if (size or 0) > self.settings.message_octets:
            return replies.TOO_BIG
        return None if self.space.has_room_for(size or 0) else replies.DISK_FULL

    def pause(self, seconds: float) -> Awaitable[None]:
        """Let time go by; 0 lets other connections have their turn."""
        return deferLater(self.clock, seconds)

    def collector(self, message_id: str) -> Collector:
        """A place for the octets of one message."""
        return Collector(self.disk, self.workers, os.path.join(self.spool, message_id), self.memory)
