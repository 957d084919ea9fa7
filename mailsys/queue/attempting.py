"""One attempt: the delivery, what it means for each recipient, the notices about that, kept in one go."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from twisted.internet.defer import CancelledError
from twisted.logger import Logger

from mailsys.interfaces import (
    Attempt,
    IDelivery,
    IDiagnosis,
    IJournal,
    INotices,
    IQueueSpool,
    Notice,
    Progress,
    QueuedMessage,
    QueueItem,
    RecipientState,
)
from mailsys.message.address import Address
from mailsys.message.content import FileContent, MemoryContent
from mailsys.message.outcome import Delivered
from mailsys.message.reply import Reply
from mailsys.queue.no_diagnosis import NoDiagnosis
from mailsys.queue.progress import Rules, is_unreachable, lost
from mailsys.queue.story import tell_notices, tell_progress

MOST_LOOKS = 3  # into DNS for one message, when its recipients are refused in different words
_OUTCOMES = frozenset({RecipientState.DELIVERED, RecipientState.FAILED})

log = Logger(namespace="mailsys.queue")


@dataclass(frozen=True, slots=True)
class Tried:
    """``next_due`` is the earliest next attempt of a recipient, None when none waits."""

    is_unreachable: bool
    next_due: float | None


@dataclass(slots=True)
class Attempting:
    """Makes attempts.  ``now`` gives seconds since 1970; a sender hears of a delay after so long."""

    spool: IQueueSpool
    delivery: IDelivery
    notices: INotices
    journal: IJournal
    rules: Rules
    delay_seconds: float
    now: Callable[[], float]
    diagnosis: IDiagnosis = field(default_factory=NoDiagnosis)

    async def attempt(self, item: QueueItem) -> Tried:
        """Try once; raises OSError when what became of it cannot be kept."""
        progress = await self._deliver(item)
        # Looked for only when the attempt came to nothing, for each look is a wait.
        if not any(one.state in _OUTCOMES for one in progress) and _is_lost(item.message):
            words = "The content of {id} is LOST: it is not on the disk any more"
            log.critical(words, id=item.message.id)
            message = replace(item.message, content=MemoryContent(()))
            return await self.keep(message, lost(item, self.now()))
        return await self.keep(item.message, progress)

    async def _deliver(self, item: QueueItem) -> list[Progress]:
        addresses = [recipient.address for recipient in item.recipients]
        attempts: Mapping[Address, Attempt]
        try:
            attempts = await self.delivery.deliver(item.message.envelope, item.message.content, addresses)
        except CancelledError:
            raise
        except Exception as fault:
            log.failure("The delivery of {id} broke", id=item.message.id)
            now, words = self.now(), _in_words(fault)
            return [self.rules.broken_down(recipient, words, now) for recipient in item.recipients]
        return self.rules.after(item, attempts, self.now())

    async def keep(self, message: QueuedMessage, progress: Sequence[Progress]) -> Tried:
        """Record progress with the notices that it calls for, and let the journal know."""
        progress, notices = await self._with_notices(message, await self._diagnosed(message, progress))
        await self.spool.record(message, progress, notices)
        tell_progress(self.journal, message.id, progress)
        tell_notices(self.journal, message.id, notices, self.now())
        due = [one.next_attempt for one in progress if one.state is RecipientState.WAITING]
        return Tried(is_unreachable(progress), min(due, default=None))

    async def _diagnosed(self, message: QueuedMessage, progress: Sequence[Progress]) -> list[Progress]:
        """Beside what another host said for good, or for long: what of ours is at fault."""
        found: dict[tuple[str, Reply], tuple[str, ...]] = {}
        told = []
        for one in progress:
            refusal = self._refusal(message, one)
            if refusal is not None:
                if refusal not in found and len(found) < MOST_LOOKS:
                    found[refusal] = tuple(
                        await self.diagnosis.findings(*refusal, message.envelope.reverse_path)
                    )
                one = replace(one, findings=found.get(refusal, ()))
            told.append(one)
        return told

    def _refusal(self, message: QueuedMessage, one: Progress) -> tuple[str, Reply] | None:
        """What the other host said; of what has waited for long, what is kept of that."""
        if one.state is not RecipientState.FAILED and not self._is_late(message, one):
            return None
        if one.attempt is None:
            return (one.reason, Reply(451, "", "")) if one.reason else None
        outcome = one.attempt.outcome
        if isinstance(outcome, Delivered) or one.attempt.forwarded_for is not None:
            return None  # what is forwarded is of others, whose records are not ours to mend
        return one.attempt.said, outcome.reply

    async def _with_notices(
        self, message: QueuedMessage, progress: Sequence[Progress]
    ) -> tuple[Sequence[Progress], Sequence[Notice]]:
        """The notices, and progress that says who is told; a failure without its notice is none yet."""
        late = [one for one in progress if self._is_late(message, one)]
        news = [one for one in progress if one.state in _OUTCOMES] + late
        if not news:
            return progress, ()
        try:
            notices = await self.notices.compose(message, news)
        except CancelledError:
            raise
        except Exception as fault:
            log.failure("The notice about {id} could not be written", id=message.id)
            return [self._without_notice(one, fault) for one in progress], ()
        return [_told(one) if one in late else one for one in progress], notices

    def _is_late(self, message: QueuedMessage, one: Progress) -> bool:
        return (
            one.state is RecipientState.WAITING
            and not one.recipient.is_delay_told
            and one.at - message.released >= self.delay_seconds
        )

    def _without_notice(self, one: Progress, fault: Exception) -> Progress:
        if one.state is not RecipientState.FAILED:
            return one
        return self.rules.broken_down(one.recipient, f"no notice: {_in_words(fault)}", one.at)


def _told(one: Progress) -> Progress:
    return replace(one, recipient=replace(one.recipient, is_delay_told=True))


def _is_lost(message: QueuedMessage) -> bool:
    """Is the file missing or too short?  A look into the directory, which is in memory."""
    content = message.content
    if not isinstance(content, FileContent):
        return False
    try:
        return os.stat(content.path).st_size < content.start + content.size
    except FileNotFoundError:
        return True
    except OSError:
        return False  # not known; reading it will tell


def _in_words(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"[:300]
