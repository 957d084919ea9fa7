"""The machine and the connection together: the client's next command, our answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from mailsys.interfaces import ConnectionEnded, IConnection, TimedOut
from mailsys.wire.pop3 import responses
from mailsys.wire.pop3.capabilities import Terms, capabilities
from mailsys.wire.pop3.commands import Command
from mailsys.wire.pop3.responses import Response
from mailsys.wire.pop3.server import POP3Server, Rejected, SaslLine

COMMANDS_AT_ONCE = 100  # served before others get a turn


class SentAway(ConnectionEnded):
    """We end the connection for what the client did; ``response`` was the last that it heard."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class HadItsTries(ConnectionEnded):
    """We end the connection after many failed logins; the journal has told of these."""


class Dialogue:
    """Takes one thing after the other from the client and keeps what we send bounded."""

    def __init__(
        self,
        connection: IConnection,
        clock: IReactorTime,
        mechanisms: Callable[[IConnection], Sequence[str]],
        login_seconds: float,
        idle_seconds: float,
    ) -> None:
        self.connection = connection
        self._clock = clock
        self._mechanisms = mechanisms
        self._idle_seconds = idle_seconds
        self._login_until: float | None = clock.seconds() + login_seconds
        self._machine = POP3Server(self._terms())
        self._commands = 0

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """What one may log in with on this connection."""
        return self._machine.terms.mechanisms

    async def next(self) -> Command | SaslLine:
        """Wait for a command that may be given now; all else is answered here.

        Raises ConnectionEnded when the client has gone or must go.
        """
        await self._give_way()
        deadline = self._login_until or self._clock.seconds() + self._idle_seconds
        while True:
            event = self._machine.next_event()
            if event is None:
                self._machine.receive_data(await self.connection.receive(self._seconds_until(deadline)))
            elif isinstance(event, Rejected):
                self._refuse(event)
            else:
                return event

    def say(self, response: Response) -> None:
        """Send a response of one line."""
        self.send(response.render())

    def send(self, data: bytes) -> None:
        """Send; after much of it call ``flow``."""
        self.connection.send(data)

    async def flow(self) -> None:
        """Wait while the client has yet to take much of what was sent; raises ConnectionEnded."""
        if self.connection.congested:
            await self.connection.drained()

    async def pause(self, seconds: float) -> None:
        """Let time go by; with 0, let other connections have their turn."""
        await deferLater(self._clock, seconds)

    def challenge(self, text: bytes) -> None:
        """Ask, in base64, for the next response of a SASL exchange; it comes as a ``SaslLine``."""
        self.send(self._machine.challenge(text))

    async def start_tls(self) -> None:
        """Begin TLS and forget everything that was said before."""
        self.say(responses.READY_FOR_TLS)
        await self.connection.start_tls()
        self._machine = POP3Server(self._terms())

    def list_capabilities(self) -> None:
        """Answer CAPA."""
        self.send(responses.listing("Capability list follows", capabilities(self._machine.terms)))

    def logged_in(self) -> None:
        """Let the client use its mailbox from now on, and tell it."""
        self._machine.logged_in()
        self._login_until = None
        self.say(responses.LOGGED_IN)

    def _terms(self) -> Terms:
        connection = self.connection
        return Terms(stls=connection.can_start_tls(), mechanisms=tuple(self._mechanisms(connection)))

    def _seconds_until(self, deadline: float) -> float:
        """A command must be whole in time: a client that sends an octet a minute gains nothing."""
        left = deadline - self._clock.seconds()
        if left <= 0:
            raise TimedOut
        return left

    def _refuse(self, rejected: Rejected) -> None:
        self.say(rejected.response)
        if rejected.closes:
            raise SentAway(rejected.response)

    async def _give_way(self) -> None:
        await self.flow()
        self._commands += 1
        if self._commands % COMMANDS_AT_ONCE == 0:
            await self.pause(0)
