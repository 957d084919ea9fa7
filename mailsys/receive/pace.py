"""How much time a peer has for what it is about to send.

A command must be whole in time, however it is dribbled.  A message, from DATA or the first BDAT to its
end, must come at some rate after a start for free, and never pause for long.  And a peer that says much
and brings nothing has an end, too.  Only time in which we wait for the peer counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mailsys.interfaces import IConnection, TimedOut

COMMANDS_BETWEEN = 12  # times as long as one command: the most that may pass without a message


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds, and ``data_rate`` in octets a second."""

    command_seconds: float
    data_seconds: float
    data_rate: float


class Pace:
    """Of one connection."""

    __slots__ = ("_begun", "_octets", "_seconds", "_terms", "_waited_for_body", "_waited_for_commands")

    def __init__(self, terms: Terms, seconds: Callable[[], float]) -> None:
        self._terms = terms
        self._seconds = seconds
        self._begun: float | None = None  # when the command that is awaited was first waited for
        self._octets = 0  # of the message
        self._waited_for_body = 0.0
        self._waited_for_commands = 0.0

    async def hear(self, connection: IConnection, *, in_body: bool) -> bytes:
        """What comes next, of a message or of commands; raises TimedOut, ConnectionEnded, HostStops."""
        begun = self._seconds()
        if in_body:
            data = await connection.receive(self._left_for_body())
            self._waited_for_body += self._seconds() - begun
            self._octets += len(data)
        else:
            data = await connection.receive(self._left_for_command(begun))
            self._waited_for_commands += self._seconds() - begun
        return data

    def command_done(self) -> None:
        """The next one has its time again."""
        self._begun = None

    def message_begun(self) -> None:
        """The next one has a start for free again."""
        self._octets = 0
        self._waited_for_body = 0.0

    def message_accepted(self) -> None:
        """It is here for mail: its time begins anew."""
        self._waited_for_commands = 0.0

    def _left_for_body(self) -> float:
        terms = self._terms
        left = terms.data_seconds + self._octets / terms.data_rate - self._waited_for_body
        if left <= 0:
            raise TimedOut
        return min(left, terms.data_seconds)

    def _left_for_command(self, now: float) -> float:
        most = self._terms.command_seconds
        if self._begun is None:
            self._begun = now
        left = min(self._begun + most - now, COMMANDS_BETWEEN * most - self._waited_for_commands)
        if left <= 0:
            raise TimedOut
        return left
