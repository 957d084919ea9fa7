"""The POP3 server machine: bytes in, commands out, one at a time (RFC 1939).

::

    AUTHORIZATION --login--> TRANSACTION --QUIT--> UPDATE
         |  ^
       AUTH  response        (AUTHENTICATION, between a challenge and its response)
         v  |

What may be said in which state stands in :data:`mailsys.wire.pop3.commands.COMMANDS`.  The machine
answers only what is wrong by itself; whether a login is good or a message exists, others know.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mailsys.wire.lines import LineBuffer, LineFault
from mailsys.wire.other_protocols import speaks_other_protocol
from mailsys.wire.pop3 import responses
from mailsys.wire.pop3.capabilities import Terms
from mailsys.wire.pop3.commands import COMMANDS, BadCommand, Command, Quit, Row, State, Stls
from mailsys.wire.pop3.responses import Response
from mailsys.wire.sasl import RESPONSE_OCTETS

LINE_OCTETS = 512  # twice what RFC 2449 4 lets a client send, its CRLF included
SKIPPED_OCTETS = 64 * 1024  # of lines that are too long, one after another; then the peer must go
FIRST_OCTETS = 8  # enough to tell another protocol by
MOST_REJECTED = 20  # commands of one connection; then the peer must go

_FAULTS = {LineFault.TOO_LONG: responses.LINE_TOO_LONG, LineFault.BARE: responses.BARE_LINE_END}
_OUT_OF_PLACE = {
    State.AUTHORIZATION: responses.LOG_IN_FIRST,
    State.TRANSACTION: responses.ALREADY_LOGGED_IN,
}


@dataclass(frozen=True, slots=True)
class SaslLine:
    """The client's response to a challenge, still in base64."""

    line: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something that is no command here and now: say ``response``, and hang up if it ``closes``."""

    response: Response
    closes: bool = False


Event = Command | SaslLine | Rejected


class POP3Server:
    """One POP3 connection, from the server's end.

    ``terms`` decides which commands are taken at all.  When TLS begins, a new machine takes over,
    so that nothing said before it is remembered.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.state = State.AUTHORIZATION
        self._lines = LineBuffer(LINE_OCTETS)
        self._first = b""  # of the whole connection, to tell other protocols by
        self._rejected = 0

    def receive_data(self, data: bytes) -> None:
        """Add what the client sent."""
        if len(self._first) < FIRST_OCTETS:
            self._first += data[: FIRST_OCTETS - len(self._first)]
        self._lines.feed(data)

    def next_event(self) -> Event | None:
        """Return the next thing the client said, or None when more octets are needed.

        What follows QUIT is never looked at.
        """
        if self.state is State.UPDATE:
            return None
        if speaks_other_protocol(self._first):
            return Rejected(responses.OTHER_PROTOCOL, closes=True)
        line = self._lines.next_line()
        if self._lines.skipped > SKIPPED_OCTETS:
            return Rejected(responses.LINE_TOO_LONG, closes=True)
        if line is None:
            return None
        is_sasl = self.state is State.AUTHENTICATION
        if is_sasl:
            self._leave_authentication()
        if isinstance(line, LineFault):
            return self._reject(_FAULTS[line])
        return SaslLine(line) if is_sasl else self._command(line)

    def challenge(self, text: bytes) -> bytes:
        """Render a challenge, given in base64; the next line will be taken as its response."""
        self.state = State.AUTHENTICATION
        self._lines.limit = RESPONSE_OCTETS
        return b"+ " + text + b"\r\n"

    def logged_in(self) -> None:
        """From now on the mailbox can be read."""
        self.state = State.TRANSACTION
        self.terms = replace(self.terms, stls=False)

    def _leave_authentication(self) -> None:
        self.state = State.AUTHORIZATION
        self._lines.limit = LINE_OCTETS

    def _reject(self, response: Response) -> Rejected:
        self._rejected += 1
        if self._rejected > MOST_REJECTED:
            return Rejected(responses.TOO_MANY_ERRORS, closes=True)
        return Rejected(response)

    def _command(self, line: bytes) -> Command | Rejected:
        word, _space, arguments = line.partition(b" ")
        row = COMMANDS.get(word.upper())
        if row is None:
            return self._reject(responses.UNKNOWN_COMMAND)
        try:
            self._check_place(row)
            command = row.parse(arguments)
        except BadCommand as reason:
            return self._reject(reason.response)
        return self._commit_to(command)

    def _check_place(self, row: Row) -> None:
        if self.state not in row.states:
            raise BadCommand(_OUT_OF_PLACE[self.state])
        if row.needs_privacy and not self.terms.mechanisms:
            raise BadCommand(responses.NEEDS_TLS)

    def _commit_to(self, command: Command) -> Command | Rejected:
        """Look at the two commands that change how the bytes behind them are read."""
        if isinstance(command, Quit):
            self.state = State.UPDATE
        elif isinstance(command, Stls):
            if not self.terms.stls:
                return self._reject(responses.NO_TLS_HERE)
            if len(self._lines):
                # What came in the clear behind STLS must never be taken for a command inside TLS.
                return Rejected(responses.BEFORE_TLS, closes=True)
        return command
