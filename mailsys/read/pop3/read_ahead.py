"""Small messages, read before they are asked for.

Clients fetch in order and wait for each message, so without this every RETR would wait for a thread
and a disk.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mailsys.interfaces import IMailbox, StoredMessage

SMALL_OCTETS = 256 * 1024  # a larger message is sent in pieces and never held as a whole
MOST_MESSAGES = 16
MOST_OCTETS = 512 * 1024


class ReadAhead:
    """Reads on behind the last message wanted, twice as far with each that comes in order."""

    def __init__(self, mailbox: IMailbox) -> None:
        self._mailbox = mailbox
        self._messages: Sequence[StoredMessage] = mailbox.messages
        self._begun: dict[int, Deferred[bytes]] = {}  # by number, in order
        self._begun_octets = 0
        self._next_wanted = 1
        self._window = 1

    async def read(self, number: int) -> bytes:
        """Return the whole of a small message; raises KeyError, OSError."""
        if number == self._next_wanted:
            self._window = min(2 * self._window, MOST_MESSAGES)
        else:
            self.forget()
        self._next_wanted = number + 1
        reading = self._taken(number)
        self._read_on()
        return await reading

    def forget(self) -> None:
        """Drop what was read and is not wanted."""
        for reading in self._begun.values():
            reading.addErrback(_nobody_waits)
        self._begun.clear()
        self._begun_octets = 0
        self._window = 1

    def _taken(self, number: int) -> Deferred[bytes]:
        if number not in self._begun:
            self._begin(number)
        self._begun_octets -= self._messages[number - 1].size
        return self._begun.pop(number)

    def _read_on(self) -> None:
        number = self._next_wanted + len(self._begun)
        while len(self._begun) < self._window and number <= len(self._messages):
            size = self._messages[number - 1].size
            if size > SMALL_OCTETS or self._begun_octets + size > MOST_OCTETS:
                return
            self._begin(number)
            number += 1

    def _begin(self, number: int) -> None:
        message = self._messages[number - 1]
        self._begun_octets += message.size
        self._begun[number] = Deferred.fromCoroutine(self._mailbox.read(message.uid))


def _nobody_waits(failure: Failure) -> None:
    """An error of a message that the client did not ask for; it is met again if it does."""
