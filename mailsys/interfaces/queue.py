"""Mail that waits: what is put into the queue, what comes out of it, and who tells the sender."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from zope.interface import Interface

from mailsys.interfaces.intake import IDrop, QueueAction
from mailsys.interfaces.sending import Attempt
from mailsys.message.address import Address
from mailsys.message.content import Content
from mailsys.message.envelope import Envelope


class RecipientState(Enum):
    """Where a recipient of a queued message stands; the last three are outcomes, and never left."""

    WAITING = "waiting"
    HELD = "held"  # until somebody releases it
    DELIVERED = "delivered"
    FAILED = "failed"
    REMOVED = "removed"  # by somebody who runs the host

    @property
    def is_outcome(self) -> bool:
        """Is it over?"""
        return self not in (RecipientState.WAITING, RecipientState.HELD)


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in the queue since ``at``, seconds since 1970, that may not leave before ``not_before``."""

    envelope: Envelope
    at: float
    content: Content
    not_before: float = 0.0

    @property
    def id(self) -> str:
        """Its name everywhere."""
        return self.envelope.id

    @property
    def released(self) -> float:
        """From here on it waits against its sender's will."""
        return max(self.at, self.not_before)


@dataclass(frozen=True, slots=True)
class QueuedRecipient:
    """One recipient who waits.  ``breakdowns`` counts attempts at which we broke, and not the world.

    ``reason`` is why it still waits, in words.
    """

    address: Address
    attempts: int = 0
    breakdowns: int = 0
    is_delay_told: bool = False
    next_attempt: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QueueItem:
    """What one attempt is for: recipients of one message at one destination.

    ``is_part`` says that there are more of them, for another attempt.
    """

    message: QueuedMessage
    destination: str
    recipients: tuple[QueuedRecipient, ...]
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """What is due for a destination, and when more will be: seconds since 1970, infinite for never."""

    items: tuple[QueueItem, ...]
    next_due: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What has become of a recipient, and is to be kept.

    ``attempts`` and ``breakdowns`` count this one in.  ``attempt`` is None when none was made.
    ``next_attempt`` is 0 for an outcome.  ``reason`` says in words why, when no reply does.  ``findings``
    are what a look into DNS found wrong with us, when the other host gave reason for one.
    """

    recipient: QueuedRecipient
    state: RecipientState
    at: float
    attempt: Attempt | None = None
    next_attempt: float = 0.0
    reason: str = ""
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """A message of our own to a sender, which waits in the queue as any other."""

    envelope: Envelope
    content: Content


@dataclass(frozen=True, slots=True)
class Selection:
    """Which recipients an order is for: those that match all that is named.  Nothing named is all."""

    id: str = ""
    address: str = ""  # the sender or the recipient, as the envelope writes it
    domain: str = ""  # of the recipient


class Verb(Enum):
    """What somebody who runs the host can do with what waits."""

    RETRY = "retry"
    HOLD = "hold"
    RELEASE = "release"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Order:
    """Do this.  ``number`` is 0 for an order that nobody waits for."""

    verb: Verb
    selection: Selection
    number: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    """A recipient that an order changed."""

    id: str
    address: Address
    destination: str


class IQueueDrop(IDrop):
    """The queue as intake sees it: a :class:`QueueAction` is written, laid and settled as mail is."""

    def is_kept(action: QueueAction) -> bool:
        """Is it in the queue, or was it?  From a worker thread; raises OSError."""


Listener = Callable[[QueueItem], None]


class IQueueSpool(Interface):
    """Keeps what waits, over crashes.  Every method raises OSError when it cannot be kept or read."""

    def watch(listener: Listener) -> None:
        """Call the listener, in the reactor's thread, with each item that comes in and is not held.

        Its recipients tell when they are due.
        """

    async def destinations() -> Mapping[str, float]:
        """Where somebody waits, and when the first of them is due."""

    async def due(destination: str, now: float, limit: int, busy: Collection[str]) -> Batch:
        """Up to ``limit`` messages that are due, the longest due first, without those with a busy id."""

    async def aged(after: float, until: float, limit: int) -> Sequence[QueueItem]:
        """Those with somebody waiting, ``after < released <= until``, the first released first."""

    async def record(message: QueuedMessage, progress: Sequence[Progress], notices: Sequence[Notice]) -> None:
        """Keep what became of recipients, and put the notices into the queue: all of it or nothing.

        Returns when it is on the disk.  A recipient that has an outcome keeps it.
        """

    async def depth() -> int:
        """How many messages are not finished."""

    async def orders() -> Sequence[Order]:
        """What other programs have asked for and nobody has done yet."""

    async def carry_out(order: Order, now: float, busy: Collection[str]) -> Sequence[Changed]:
        """Do it, but for messages with a busy id; returns when it is on the disk.

        An order with a number is answered to who gave it, with how many recipients it was for.
        """

    async def clamp(latest: float, now: float) -> int:
        """After the clock was set: make due ``now`` what would wait beyond ``latest``, unless it was to.

        Returns how many recipients that were.
        """

    async def outcomes(seconds: float, limit: int) -> Sequence[tuple[str, Progress]]:
        """Outcomes of the last seconds before the newest one, with the id of their message.

        For stories that may have lost their end.
        """

    async def prune(before: float, limit: int) -> int:
        """Forget up to ``limit`` messages that were finished before; returns how many."""


class INotices(Interface):
    """Writes to senders what became of their mail."""

    async def compose(message: QueuedMessage, progress: Sequence[Progress]) -> Sequence[Notice]:
        """Return the notices that this progress calls for; they are kept in one go with it.

        Among it are recipients that were delivered, those that failed, and those that wait longer than the
        sender may expect, each once.  May raise nothing but what is a mistake of ours.
        """
