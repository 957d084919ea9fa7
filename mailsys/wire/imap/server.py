"""The IMAP server machine: bytes in, commands out, one at a time (RFC 9051 3).

::

    NOT_AUTHENTICATED --login--> AUTHENTICATED <--SELECT, CLOSE--> SELECTED   --LOGOUT--> LOGOUT
          |  ^                         |  ^                          |  ^
   AUTHENTICATE response              IDLE DONE                     IDLE DONE
          v  |                         v  |                          v  |
     (AUTHENTICATING)                (IDLING)                      (IDLING)

What may be said in which state stands in :data:`mailsys.wire.imap.commands.COMMANDS`.  The machine answers
only what is wrong by itself.  It holds one command, bounded; messages of APPEND go through it in pieces.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import replace

from mailsys.wire.imap import responses
from mailsys.wire.imap.append import AppendEvent, AppendReader, LiteralStarts, Octets, parse_append
from mailsys.wire.imap.capabilities import Terms
from mailsys.wire.imap.commands import COMMANDS, Command, Row, State
from mailsys.wire.imap.events import Event, IdleEnds, Proceed, Rejected, Request, SaslLine
from mailsys.wire.imap.grammar import BadCommand, Reader
from mailsys.wire.imap.lines import CommandLines, Line
from mailsys.wire.imap.responses import Response
from mailsys.wire.imap.session_commands import Compress, Idle, Logout, Starttls
from mailsys.wire.lines import LineFault
from mailsys.wire.other_protocols import speaks_other_protocol
from mailsys.wire.sasl import RESPONSE_OCTETS

BEFORE_LOGIN_OCTETS = 8 * 1024  # of one command with its literals
LINE_OCTETS = 64 * 1024  # of one line after login
COMMAND_OCTETS = 256 * 1024  # of one command with its literals, after login
MOST_LITERALS = 1000  # of one command
SKIPPED_OCTETS = 1024 * 1024  # of a line that is too long; then the peer must go
SWALLOWED_OCTETS = 128 * 1024 * 1024  # of a literal that nobody wants; a larger one ends the connection
FIRST_OCTETS = 8  # enough to tell another protocol by
MOST_REJECTED = 20  # commands one after another, before login in all; then the peer must go

_LITERAL = re.compile(rb"~?\{(\d{1,100})(\+?)\}\Z")
CONTINUE = b"+ Go on\r\n"
_FAULTS = {LineFault.TOO_LONG: responses.TOO_BIG, LineFault.BARE: responses.BARE_LINE_END}
_OUT_OF_PLACE = {
    State.NOT_AUTHENTICATED: responses.LOG_IN_FIRST,
    State.AUTHENTICATED: responses.SELECT_FIRST,
    State.SELECTED: responses.ALREADY_LOGGED_IN,
}


def _announced(text: bytes) -> re.Match[bytes] | None:
    """The literal that a line ends with, if it does."""
    return _LITERAL.search(text) if text.endswith(b"}") else None


class IMAPServer:
    """One IMAP connection, from the server's end.

    ``terms`` decides which commands are taken at all.  When TLS begins, a new machine takes over, so that
    nothing said before it is remembered.  ``utf8`` is for whoever enables it to set.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.state = State.NOT_AUTHENTICATED
        self.utf8 = False
        self._lines = CommandLines(BEFORE_LOGIN_OCTETS)
        self._first = b""  # of the whole connection, to tell other protocols by
        self._rejected = 0
        self._before_idle = State.AUTHENTICATED
        self._swallow = 0  # octets of a literal that was refused
        self._skipping = False  # the rest of a command that was refused
        self._events: deque[Event] = deque()
        self._forget_command()

    def _forget_command(self) -> None:
        self._tag = ""
        self._row: Row | None = None
        self._segments: list[bytes] = []
        self._octets = 0
        self._arguments_at = 0
        self._literal = 0  # octets of one that is kept and has not come whole
        self._append: AppendReader | None = None
        self._stream = 0  # octets that are to come of one that goes through
        self._synchronizing = False  # its sender waits for a word
        self._waits = False  # nobody has said whether it may come

    # ------------------------------------------------------------------ what the driver calls

    def receive_data(self, data: bytes) -> None:
        """Add what the client sent."""
        if len(self._first) < FIRST_OCTETS:
            self._first += data[: FIRST_OCTETS - len(self._first)]
        self._lines.feed(data)

    def next_event(self) -> Event | None:
        """Return the next thing the client said, or None when more octets are needed.

        What follows LOGOUT is never looked at.
        """
        if self.state is State.LOGOUT:
            return None
        if speaks_other_protocol(self._first):
            return Rejected("", responses.OTHER_PROTOCOL, closes=True)
        while not self._events:
            if not self._advance():
                return None
        return self._events.popleft()

    def challenge(self, text: bytes) -> bytes:
        """Render a challenge, given in base64; the next line will be taken as its response."""
        self.state = State.AUTHENTICATING
        self._lines.limit = RESPONSE_OCTETS
        return b"+ " + text + b"\r\n"

    def logged_in(self, without: frozenset[str] = frozenset()) -> None:
        """From now on folders can be seen."""
        self.state = State.AUTHENTICATED
        self._lines.limit = LINE_OCTETS
        self._rejected = 0
        self.terms = replace(self.terms, starttls=False, logged_in=True, without=without)

    def compressed(self) -> None:
        """COMPRESS is not offered twice."""
        self.terms = replace(self.terms, compressed=True)

    def select(self, is_selected: bool) -> None:
        """A folder is open now, or none."""
        self.state = State.SELECTED if is_selected else State.AUTHENTICATED

    def accept_literal(self) -> bytes:
        """Let the announced octets of APPEND come; return what must be said first, perhaps nothing."""
        self._waits = False
        return CONTINUE if self._synchronizing else b""

    def refuse_append(self) -> None:
        """Take no more of this APPEND, if anything is left of it; the caller says its tagged response."""
        self._events = deque(event for event in self._events if isinstance(event, Rejected))
        if self._append is not None:
            never_comes = self._waits and self._synchronizing
            self._give_up(0 if never_comes else self._stream, goes_on=not never_comes)

    # ------------------------------------------------------------------ octets by their count

    def _advance(self) -> bool:
        """Go one step on; False when that needs more octets, or a word of the driver."""
        if self._waits:
            return False
        if self._swallow or self._stream or self._literal:
            return self._take_octets()
        line = self._lines.next_line()
        if line is not None:
            self._take_line(line)
        elif self._lines.skipped > (SKIPPED_OCTETS if self.terms.logged_in else 0):
            self._events.append(Rejected("", responses.TOO_BIG_BEFORE_LOGIN, closes=True))
        else:
            return False
        return True

    def _take_octets(self) -> bool:
        if self._literal:
            if len(self._lines) < self._literal:
                return False
            self._segments.append(self._lines.take(self._literal))
            self._literal = 0
            return True
        data = self._lines.take(self._swallow or self._stream)
        if not data:
            return False
        if self._swallow:
            self._swallow -= len(data)
        else:
            self._stream -= len(data)
            self._events.append(Octets(data))
        return True

    # ------------------------------------------------------------------ lines

    def _take_line(self, line: Line) -> None:
        if self._skipping:
            self._skip(line)
        elif self.state is State.AUTHENTICATING:
            self._leave_authentication()
            if line.fault:
                self._reject("", _FAULTS[line.fault], None)
            else:
                self._events.append(SaslLine(line.text))
        elif self.state is State.IDLING:
            self._end_idle(line)
        else:
            self._take_part(line)

    def _skip(self, line: Line) -> None:
        """The rest of a refused command: it ends with a line that announces nothing which will come."""
        announced = _announced(line.text)
        self._skipping = bool(announced and announced[2])
        self._swallow = int(announced[1]) if announced and self._skipping else 0
        self._check_swallow()

    def _give_up(self, octets: int, *, goes_on: bool) -> None:
        """Forget the command; if it goes on, step over so many octets and what stands behind them."""
        self._forget_command()
        self._skipping = goes_on
        self._swallow = octets if goes_on else 0
        self._check_swallow()

    def _check_swallow(self) -> None:
        if self._swallow > SWALLOWED_OCTETS:
            self._events.append(Rejected("", responses.TOO_BIG_TO_SKIP, closes=True))

    def _leave_authentication(self) -> None:
        self.state = State.NOT_AUTHENTICATED
        self._lines.limit = BEFORE_LOGIN_OCTETS

    def _end_idle(self, line: Line) -> None:
        self.state = self._before_idle
        if line.text.upper() == b"DONE" and line.fault is None:
            self._events.append(IdleEnds())
        else:
            self._reject("", responses.NOT_ENDED_WITH_DONE, _announced(line.text))

    def _take_part(self, line: Line) -> None:
        """A line of a command, up to a literal or the end."""
        announced = _announced(line.text)
        try:
            if not self._segments and self._append is None:
                self._begin(line.text)
            if line.fault:
                raise BadCommand(_FAULTS[line.fault])
            self._octets += len(line.text)
            self._go_on(line.text, announced)
        except BadCommand as reason:
            self._reject(self._tag, reason.response, announced)

    def _begin(self, text: bytes) -> None:
        """Look at tag and word, so that what cannot be taken is refused before its literals come."""
        self._tag = ""
        reader = Reader([text])
        try:
            self._tag = reader.tag()
        except BadCommand:
            raise BadCommand(responses.NO_TAG) from None
        if reader.is_at_end:
            raise BadCommand(responses.NO_COMMAND)
        self._row = self._find(reader)
        if self.state not in self._row.states:
            raise BadCommand(_OUT_OF_PLACE[self.state])
        if self._row.needs_privacy and not self.terms.mechanisms:
            raise BadCommand(responses.NEEDS_TLS)

    def _find(self, reader: Reader) -> Row:
        reader.space()
        try:
            word = reader.word()
            if word == b"UID":
                reader.space()
                word += b" " + reader.word()
        except BadCommand:
            raise BadCommand(responses.UNKNOWN_COMMAND) from None
        row = COMMANDS.get(word)
        if row is None:
            raise BadCommand(responses.UNKNOWN_COMMAND)
        self._arguments_at = reader.at
        return row

    def _go_on(self, text: bytes, announced: re.Match[bytes] | None) -> None:
        if self._octets > COMMAND_OCTETS:
            raise BadCommand(responses.TOO_BIG)
        if self._append is not None:
            self._take_append(self._append.read(Reader([text], utf8=self.utf8)), announced)
            return
        self._segments.append(text)
        if self._row is COMMANDS[b"APPEND"] and self._begin_append(announced):
            return
        if announced is None:
            self._finish()
        else:
            self._await_literal(int(announced[1]), is_synchronizing=not announced[2])

    def _reject(self, tag: str, response: Response, announced: re.Match[bytes] | None) -> None:
        """Refuse a command whose last line announced a literal, or none."""
        self._rejected += 1
        octets = int(announced[1]) if announced else 0
        self._give_up(octets, goes_on=bool(announced and announced[2]))
        if self._rejected > MOST_REJECTED:
            response = responses.TOO_MANY_ERRORS
        closes = response.kind == "BYE"  # which has no tag (RFC 9051 7.1.5)
        self._events.appendleft(Rejected("" if closes else tag, response, closes))

    # ------------------------------------------------------------------ literals that are kept

    def _await_literal(self, octets: int, *, is_synchronizing: bool) -> None:
        most = COMMAND_OCTETS if self.terms.logged_in else BEFORE_LOGIN_OCTETS
        if self._octets + octets > most:
            too_big = responses.LITERAL_TOO_BIG if self.terms.logged_in else responses.TOO_BIG_BEFORE_LOGIN
            raise BadCommand(too_big)
        if len(self._segments) > 2 * MOST_LITERALS:
            raise BadCommand(responses.TOO_MANY_LITERALS)
        self._octets += octets
        self._literal = octets
        if not octets:
            self._segments.append(b"")
        if is_synchronizing:
            self._events.append(Proceed())

    # ------------------------------------------------------------------ whole commands

    def _finish(self) -> None:
        if self._row is None:
            return
        command = self._row.parse(self._arguments())
        tag = self._tag
        self._forget_command()
        self._rejected = self._rejected if not self.terms.logged_in else 0
        self._events.append(self._commit_to(tag, command))

    def _arguments(self) -> Reader:
        reader = Reader(self._segments, utf8=self.utf8)
        reader.at = self._arguments_at
        return reader

    def _commit_to(self, tag: str, command: Command) -> Event:
        """Look at the commands that change how the bytes behind them are read."""
        match command:
            case Logout():
                self.state = State.LOGOUT
            case Idle():
                self._before_idle, self.state = self.state, State.IDLING
            case Starttls() if not self.terms.starttls:
                return Rejected(tag, responses.NO_TLS_HERE)
            case Starttls() if len(self._lines):
                # What came in the clear behind STARTTLS must never be taken for a command inside TLS.
                return Rejected("", responses.BEFORE_TLS, closes=True)
            case Compress() if len(self._lines):
                return Rejected("", responses.BEFORE_DEFLATE, closes=True)
        return Request(tag, command)

    # ------------------------------------------------------------------ messages that go through

    def _begin_append(self, announced: re.Match[bytes] | None) -> bool:
        """Is the folder known?  Then the messages begin."""
        reader = self._arguments()
        if len(self._segments) == 1 and announced and reader.is_before(b" " + announced[0]):
            return False  # the folder's name is the literal
        command = parse_append(reader)
        self._append = AppendReader()
        events = self._append.read(reader)
        self._events.append(Request(self._tag, command))
        self._take_append(events, announced)
        return True

    def _take_append(self, events: list[AppendEvent], announced: re.Match[bytes] | None) -> None:
        self._events.extend(events)
        last = events[-1]
        if isinstance(last, LiteralStarts) and announced is not None:
            self._stream = last.octets
            self._synchronizing = not announced[2]
            self._waits = True
        else:
            self._forget_command()
