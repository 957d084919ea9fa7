"""Small messages, read before they are asked for.

Clients fetch in order and wait for each message.  What the kernel has in memory is read at once.
What is on the disk would make every RETR wait for a thread and the disk; so a thread reads several
at once while the client is busy with those before.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mailsys.interfaces import IMailbox, StoredMessage

SMALL_OCTETS = 256 * 1024  # a larger message is sent in pieces and never held as a whole
MOST_AT_ONCE = 16  # messages
MOST_OCTETS = 512 * 1024  # held for one session
REFILL_BELOW = 8  # messages that are read and not yet asked for

Result = bytes | KeyError | OSError | None


class ReadAhead:
    """Reads on behind the last message wanted, twice as many with each batch that is used."""

    def __init__(self, mailbox: IMailbox) -> None:
        self._mailbox = mailbox
        self._messages: Sequence[StoredMessage] = mailbox.messages
        self._ready: dict[int, Result] = {}  # by number, in order
        self._coming: Deferred[Sequence[Result]] | None = None
        self._coming_numbers: Sequence[int] = ()
        self._batch = 1

    async def read(self, number: int) -> bytes | None:
        """Return the whole of a small message, None if it is small no more; raises KeyError, OSError."""
        if number not in self._ready and number not in self._coming_numbers:
            cached = self._mailbox.read_cached(self._messages[number - 1].uid)
            if cached is not None:
                return cached
        if number not in self._ready:
            await self._fetch(number)
        result = self._ready[number]
        self._ready = {later: kept for later, kept in self._ready.items() if later > number}
        if self._coming is None and len(self._ready) < REFILL_BELOW:
            self._begin(number + 1 + len(self._ready))
        if isinstance(result, Exception):
            raise result
        return result

    def forget(self) -> None:
        """Drop what was read and is not wanted."""
        if self._coming is not None:
            self._coming.addErrback(_nobody_waits)
        self._coming, self._coming_numbers = None, ()
        self._ready.clear()
        self._batch = 1

    async def _fetch(self, number: int) -> None:
        """Make the message ready: it is coming already, or else the client left the order."""
        if number not in self._coming_numbers:
            self.forget()
            self._begin(number)
        if self._coming is not None:
            coming, self._coming = self._coming, None
            numbers, self._coming_numbers = self._coming_numbers, ()
            self._ready.update(zip(numbers, await coming, strict=True))

    def _begin(self, first: int) -> None:
        """Read a batch of messages that begins with this one."""
        numbers = self._next_numbers(first)
        if numbers:
            uids = [self._messages[number - 1].uid for number in numbers]
            self._coming = Deferred.fromCoroutine(self._mailbox.read_many(uids))
            self._coming_numbers = numbers
            self._batch = min(2 * self._batch, MOST_AT_ONCE)

    def _next_numbers(self, first: int) -> Sequence[int]:
        """As many as the bounds allow, up to the next large message."""
        octets = sum([self._messages[number - 1].size for number in self._ready])
        end = first
        while end < first + self._batch and end <= len(self._messages):
            size = self._messages[end - 1].size
            octets += size
            if size > SMALL_OCTETS or octets > MOST_OCTETS:
                break
            end += 1
        return range(first, end)


def _nobody_waits(failure: Failure) -> None:
    """An error in messages that the client did not ask for; it is met again if it does."""
