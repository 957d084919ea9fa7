"""One connection with a server: says what the machine wants said, and waits within bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from twisted.internet.interfaces import IReactorTime

from mailsys.agent.account import CannotRead
from mailsys.interfaces import ConnectionEnded, TimedOut
from mailsys.journal.printable import printable
from mailsys.net.client_tls import Handshake
from mailsys.net.outgoing import OutgoingConnection

SILENCE_SECONDS = 60.0  # that a server may let pass
STEP_SECONDS = 900.0  # that it may take for one answer, however much it says meanwhile

E_co = TypeVar("E_co", covariant=True)
E = TypeVar("E")


class Machine(Protocol[E_co]):
    """What the client machines of IMAP and POP3 have in common."""

    def receive_data(self, data: bytes) -> None:
        """Add what the server sent."""

    def data_to_send(self) -> bytes:
        """Return what has to be sent now."""

    def next_event(self) -> E_co | None:
        """Return the next event, or None when more octets are needed."""


class Dialogue(Generic[E]):
    """Owned by whoever opened it, who ends it with ``close``; ``server`` is its name in sentences."""

    def __init__(
        self, clock: IReactorTime, connection: OutgoingConnection, machine: Machine[E], server: str
    ) -> None:
        self.server = server
        self.connection = connection
        self._clock = clock
        self._machine = machine
        self._until = 0.0
        self.begin_step()

    def begin_step(self) -> None:
        """The time for an answer starts anew."""
        self._until = self._clock.seconds() + STEP_SECONDS

    async def next_event(self) -> E:
        """Say what there is to say, and wait for what the server does; raises CannotRead."""
        self.say()
        while (event := self._machine.next_event()) is None:
            self.say()
            self._machine.receive_data(await self._receive())
        return event

    def say(self) -> None:
        """Send without waiting."""
        if data := self._machine.data_to_send():
            self.connection.send(data)

    async def begin_tls(self, handshake: Handshake) -> None:
        """Do the handshake, and believe only a certificate for this server; raises CannotRead."""
        try:
            await self.connection.begin_tls(handshake)
        except ConnectionEnded:
            raise self.failure(f"TLS did not come about: {self._why_ended}") from None
        if why := handshake.why_not_verified():
            self.connection.abort()
            raise self.failure(f"{why}, so no password was sent to it")

    def failure(self, words: str) -> CannotRead:
        """What to raise; ``words`` may hold what the server says."""
        return CannotRead(f"{self.server}: {printable(words).rstrip('.')}.")

    def close(self, leave: Callable[[], None]) -> None:
        """Take leave by what ``leave`` has the machine say, without waiting for the answer."""
        leave()
        self.say()
        self.connection.close()

    def abort(self) -> None:
        """End it at once."""
        self.connection.abort()

    async def _receive(self) -> bytes:
        left = min(SILENCE_SECONDS, self._until - self._clock.seconds())
        try:
            if left <= 0:
                raise TimedOut
            return await self.connection.receive(left)
        except TimedOut:
            raise self.failure("it did not go on in time") from None
        except ConnectionEnded:
            raise self.failure(self._why_ended) from None

    @property
    def _why_ended(self) -> str:
        return self.connection.why_ended or "it closed the connection"
