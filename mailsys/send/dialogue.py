"""One connection with a server: says what the machine wants said, and keeps the deadlines."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from mailsys.interfaces import ConnectionEnded, TimedOut
from mailsys.message.outcome import Step
from mailsys.net.outgoing import OutgoingConnection
from mailsys.send import trouble
from mailsys.send.deadlines import Deadlines
from mailsys.send.host import Host
from mailsys.send.trouble import Trouble, from_remote
from mailsys.wire.smtp.client import SMTPClient
from mailsys.wire.smtp.client_events import Broken, Event, Refused, Stopped
from mailsys.wire.smtp.client_state import State


class Dialogue:
    """Owned by whoever opened it, who ends it with ``quit`` or ``abort``.

    ``tls`` tells how it is protected, as an attempt says it; ``messages`` counts what went over it.
    """

    def __init__(
        self,
        host: Host,
        connection: OutgoingConnection,
        machine: SMTPClient,
        clock: IReactorTime,
        deadlines: Deadlines,
    ) -> None:
        self.host = host
        self.machine = machine
        self.connection = connection
        self.tls = ""
        self.is_verified = False
        self.messages = 0
        self.opened_at = clock.seconds()
        self._clock = clock
        self._deadlines = deadlines
        self._until = clock.seconds() + deadlines.message_seconds

    @property
    def remote(self) -> str:
        """Whom we speak with, as an attempt says it."""
        return self.host.at(self.connection.peer.host)

    def begin_message(self) -> None:
        """The time for one message starts anew."""
        self._until = self._clock.seconds() + self._deadlines.message_seconds

    async def next_event(self) -> Event:
        """Say what there is to say and wait for what the server does; raises Trouble.

        ``Stopped`` and ``Broken`` are troubles, too.
        """
        if data := self.machine.data_to_send():
            self.connection.send(data)
        step, deadline = self._wait_for_next()
        while (event := self.machine.next_event()) is None:
            if data := self.machine.data_to_send():
                self.connection.send(data)
                step, deadline = self._wait_for_next()
            self.machine.receive_data(await self._receive(step, deadline))
        return self._checked(event)

    def check_for_trouble(self) -> None:
        """Look at what the server has said already, without waiting; raises Trouble."""
        if data := self.connection.take():
            self.machine.receive_data(data)
        if (event := self.machine.next_event()) is not None:
            self._checked(event)

    async def send_on(self) -> None:
        """Say what there is to say, and wait until most of it has left; raises Trouble."""
        if data := self.machine.data_to_send():
            self.connection.send(data)
        if self._clock.seconds() > self._until:
            raise self._late(Step.DATA)
        if not self.connection.congested:
            return
        try:
            await self.connection.drained()
        except TimedOut:
            raise self._late(Step.DATA) from None
        except ConnectionEnded:
            self.check_for_trouble()  # its last word may say why
            raise self._lost(Step.DATA) from None

    def quit(self) -> None:
        """Take leave without waiting for the answer; in the middle of something, just go."""
        if self.machine.state is not State.READY:
            self.abort()
            return
        self.machine.quit()
        self.connection.send(self.machine.data_to_send())
        self.connection.close()

    def abort(self) -> None:
        """End it at once."""
        self.connection.abort()

    def _wait_for_next(self) -> tuple[Step, float]:
        """What the server has to answer next, and until when."""
        step = self.machine.awaited_step
        return step, min(self._clock.seconds() + self._deadlines.seconds[step], self._until)

    async def _receive(self, step: Step, deadline: float) -> bytes:
        left = deadline - self._clock.seconds()
        try:
            if left <= 0:
                raise TimedOut
            return await self.connection.receive(left)
        except TimedOut:
            raise self._late(step) from None
        except ConnectionEnded:
            raise self._lost(step) from None

    def _checked(self, event: Event) -> Event:
        match event:
            case Stopped(step, reply):
                raise from_remote(step, reply)
            case Broken(step, why):
                words = f"{self.remote} {why}"
                raise Trouble(step, trouble.NO_PROTOCOL.with_text(words), is_uncertain=step is Step.MESSAGE)
            case Refused(Step.GREETING | Step.HELLO as step, reply):
                raise from_remote(step, reply)
        return event

    def _late(self, step: Step) -> Trouble:
        words = f"{self.remote} did not go on in time, at {step.value}"
        return Trouble(step, trouble.LOST.with_text(words), is_uncertain=self._is_uncertain(step))

    def _lost(self, step: Step) -> Trouble:
        why = self.connection.why_ended or "it closed the connection"
        words = f"{self.remote}: {why}, at {step.value}"
        return Trouble(step, trouble.LOST.with_text(words), is_uncertain=self._is_uncertain(step))

    def _is_uncertain(self, step: Step) -> bool:
        """May the server have taken the message?  While it is still being sent, its end mark has not left."""
        return step is Step.MESSAGE and self.machine.state is State.ANSWER
