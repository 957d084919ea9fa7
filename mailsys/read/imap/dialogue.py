"""The machine and the connection together: the client's next command, our answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from mailsys.interfaces import ConnectionEnded, IConnection, TimedOut
from mailsys.wire.imap import responses
from mailsys.wire.imap.append import AppendEvent
from mailsys.wire.imap.capabilities import Terms, capabilities
from mailsys.wire.imap.commands import COMMANDS
from mailsys.wire.imap.deflate import BadStream, Deflater, Inflater
from mailsys.wire.imap.events import Event, IdleEnds, Proceed, Rejected, Request, SaslLine
from mailsys.wire.imap.responses import Response
from mailsys.wire.imap.server import CONTINUE, IMAPServer

APPEND_SECONDS = 300.0  # for the next octets of a message
COMMANDS_AT_ONCE = 100  # served before others get a turn
TURN_SECONDS = 0.02  # of one command's work before others get a turn
Said = Request | SaslLine | IdleEnds | AppendEvent


class SentAway(ConnectionEnded):
    """We end the connection for what the client did; ``response`` was the last that it heard."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class HadItsTries(ConnectionEnded):
    """We end the connection after many failed logins; the journal has told of these."""


class Dialogue:
    """Takes one thing after the other from the client and keeps what we send bounded.

    Whoever waits for a command has ``login_seconds`` in all until somebody has logged in, and then
    ``idle_seconds`` for each.
    """

    def __init__(
        self,
        connection: IConnection,
        clock: IReactorTime,
        mechanisms: Callable[[IConnection], Sequence[str]],
        append_octets: int,
        login_seconds: float,
        idle_seconds: float,
    ) -> None:
        self.connection = connection
        self._clock = clock
        self._mechanisms = mechanisms
        self._append_octets = append_octets
        self.idle_seconds = idle_seconds
        self._login_until: float | None = clock.seconds() + login_seconds
        self.machine = IMAPServer(self._terms())
        self._inflater: Inflater | None = None
        self._deflater: Deflater | None = None
        self._commands = 0
        self._turn_until = 0.0

    # ------------------------------------------------------------------ what the client says

    async def next(self) -> Said:
        """Wait for what may be said now; all else is answered here.

        Raises ConnectionEnded when the client has gone or must go.
        """
        await self._take_turns()
        deadline = self._login_until or self._clock.seconds() + self.idle_seconds
        while True:
            event = await self._next_event(deadline)
            if isinstance(event, Rejected):
                self.refuse(event)
            elif isinstance(event, Proceed):
                self.send(CONTINUE)
            else:
                return event

    async def next_of_append(self) -> AppendEvent | Rejected:
        """Wait for the next of an APPEND; a mistake in it has been answered."""
        await self.flow()
        event = await self._next_event(self._clock.seconds() + min(self.idle_seconds, APPEND_SECONDS))
        if isinstance(event, Rejected):
            self.refuse(event)
        elif isinstance(event, Request | SaslLine | IdleEnds | Proceed):
            raise TypeError(f"{event} within APPEND")
        return event

    async def end_of_idle(self, seconds: float) -> IdleEnds | Rejected:
        """Wait for DONE; raises TimedOut after so many seconds, and may then be called again."""
        event = await self._next_event(self._clock.seconds() + seconds)
        if isinstance(event, Rejected):
            self.refuse(event)
        elif not isinstance(event, IdleEnds):
            raise TypeError(f"{event} within IDLE")
        return event

    async def _next_event(self, deadline: float) -> Event:
        while True:
            event = self.machine.next_event()
            if event is not None:
                return event
            self.machine.receive_data(await self._receive(deadline))
            self._turn_until = self._clock.seconds() + TURN_SECONDS

    async def _receive(self, deadline: float) -> bytes:
        inflater = self._inflater
        if inflater is None:
            return await self.connection.receive(self._seconds_until(deadline))
        try:
            while not (data := inflater.next()):
                inflater.feed(await self.connection.receive(self._seconds_until(deadline)))
        except BadStream as error:
            raise ConnectionEnded from error
        return data

    def _seconds_until(self, deadline: float) -> float:
        """A command must be whole in time: a client that sends an octet a minute gains nothing."""
        left = deadline - self._clock.seconds()
        if left <= 0:
            raise TimedOut
        return left

    def refuse(self, rejected: Rejected) -> None:
        """Answer what is no command; raises SentAway when that is the last word."""
        self.send(rejected.render())
        if rejected.closes:
            raise SentAway(rejected.response)

    # ------------------------------------------------------------------ what we say

    def send(self, data: bytes) -> None:
        """Send; after much of it call ``flow``."""
        self.connection.send(data if self._deflater is None else self._deflater.feed(data))

    def send_some(self, data: bytes) -> None:
        """Send what there is, perhaps nothing."""
        if data:
            self.send(data)

    def say(self, tag: str, response: Response) -> None:
        """End a command."""
        self.send(response.tagged(tag))

    def tell(self, response: Response) -> None:
        """Say something that ends no command."""
        self.send(response.untagged())

    async def flow(self) -> None:
        """Wait while the client has yet to take much of what was sent; raises ConnectionEnded."""
        if self.connection.congested:
            await self.connection.drained()

    async def give_way(self) -> None:
        """In the middle of long work: let the client take what was sent, and others have their turn.

        Raises ConnectionEnded when it has gone.
        """
        await self.connection.drained()
        await self.pause(0)

    async def give_way_in_time(self) -> None:
        """The same after each small step of work whose length nobody knows: once that took long enough."""
        if self._clock.seconds() >= self._turn_until:
            await self.give_way()

    async def pause(self, seconds: float) -> None:
        """Let time go by."""
        await deferLater(self._clock, seconds)
        self._turn_until = self._clock.seconds() + TURN_SECONDS

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after so much time, of which it must see itself whether it is still wanted."""
        self._clock.callLater(seconds, act)

    def challenge(self, text: bytes) -> None:
        """Ask, in base64, for the next response of a SASL exchange; it comes as a ``SaslLine``."""
        self.send(self.machine.challenge(text))

    # ------------------------------------------------------------------ what the connection is

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """What one may log in with on this connection."""
        return self.machine.terms.mechanisms

    @property
    def is_compressed(self) -> bool:
        """Does COMPRESS hold?"""
        return self._deflater is not None

    @property
    def capabilities(self) -> str:
        """What is announced at this moment."""
        return " ".join(capabilities(self.machine.terms, COMMANDS))

    async def start_tls(self, tag: str) -> None:
        """Begin TLS and forget everything that was said before."""
        self.say(tag, responses.READY_FOR_TLS)
        await self.connection.start_tls()
        self.machine = IMAPServer(self._terms())

    def compress(self, tag: str) -> None:
        """Compress from now on what is said, in both directions."""
        self.say(tag, responses.READY_FOR_DEFLATE)
        self._inflater, self._deflater = Inflater(), Deflater()
        self.machine.compressed()

    def logged_in(self, without: frozenset[str]) -> None:
        """Let the client see folders from now on; ``without`` are capabilities that it cannot bear."""
        self.machine.logged_in(without)
        self._login_until = None

    def _terms(self) -> Terms:
        connection = self.connection
        mechanisms = tuple(self._mechanisms(connection))
        return Terms(connection.can_start_tls(), mechanisms, self._append_octets)

    async def _take_turns(self) -> None:
        await self.flow()
        self._commands += 1
        if self._commands % COMMANDS_AT_ONCE == 0:
            await self.pause(0)
