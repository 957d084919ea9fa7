"""The SMTP server machine: bytes in, events out, replies to bytes (RFC 5321, 2033, 2920, 3030).

Use: feed what the peer sent with ``receive_data``; take events with ``next_event`` until it
returns None; answer each event that wants one before taking the next, with ``answer``
(``answer_each`` for LMTP's end of message, ``challenge`` inside AUTH), and send what these return.

    event          wants
    a command      answer (a Bdat wants none: its octets follow, then ChunkEnd wants it)
    BodyPiece      nothing
    BodyEnd        answer, or answer_each
    ChunkEnd       answer, or answer_each after the last
    LoginResponse  answer or challenge
    Rejected       answer(event.reply), and the end of the connection if it says so

The machine keeps the state; whoever holds the other end keeps the transaction, and drops it
whole whenever ``in_transaction`` is false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailsys.message import reply as replies
from mailsys.message.reply import Reply
from mailsys.wire.data import LINE_OCTETS, DataDecoder, DataFault
from mailsys.wire.lines import LineBuffer, LineFault
from mailsys.wire.other_protocols import LONGEST_MARK, speaks_other_protocol
from mailsys.wire.smtp.commands import COMMANDS, FORBIDDEN, LMTP_COMMANDS, Bdat, Command, Row, State
from mailsys.wire.smtp.grammar import Malformed

COMMAND_OCTETS = 2048  # RFC 5321 4.5.3.1.4 asks for 512; long addresses and parameters need more
LOGIN_OCTETS = 12288  # RFC 4954 section 4
SKIPPED_OCTETS = 64 * 1024  # of lines too long, before the connection ends
BARE_LINES = 3
SMALL_CHUNK = 64
SMALL_CHUNKS = 1000


@dataclass(frozen=True, slots=True)
class BodyPiece:
    """Octets of the message, decoded."""

    data: bytes


@dataclass(frozen=True, slots=True)
class BodyEnd:
    """The end of DATA; ``fault`` says why the message cannot be taken."""

    fault: DataFault | None


@dataclass(frozen=True, slots=True)
class ChunkEnd:
    """The octets of one BDAT are complete."""

    last: bool


@dataclass(frozen=True, slots=True)
class LoginResponse:
    """A line inside AUTH, still in base64."""

    line: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """The peer did what it must not; ``closes`` ends the connection after the reply."""

    reply: Reply
    closes: bool = False


Event = Command | BodyPiece | BodyEnd | ChunkEnd | LoginResponse | Rejected


class SMTPServer:
    """One connection's protocol state.  ``chunk_limit`` bounds one BDAT, in octets."""

    def __init__(
        self, *, lmtp: bool = False, chunk_limit: int = 2**31, line_limit: int = LINE_OCTETS
    ) -> None:
        self.state = State.START
        self._commands = LMTP_COMMANDS if lmtp else COMMANDS
        self._buffer = LineBuffer(COMMAND_OCTETS)
        self._chunk_limit = chunk_limit
        self._line_limit = line_limit
        self._then: State | None = None  # the state after a positive answer to the last event
        self._otherwise: State | None = None  # … after a negative one
        self._decoder = DataDecoder(line_limit)
        self._body_end: BodyEnd | None = None
        self._chunk: Bdat | None = None
        self._chunk_left = 0
        self._chunk_refused: Reply | None = None
        self._small_chunks = 0
        self._bare_lines = 0
        self._silent = True  # the first bytes were not all seen yet

    @property
    def in_transaction(self) -> bool:
        """Is there a MAIL that was neither finished nor dropped?"""
        return self.state in (State.MAIL, State.RCPT, State.DATA, State.CHUNKS)

    @property
    def in_body(self) -> bool:
        """Does a message come, or octets of a chunk, or is the next chunk awaited?"""
        return self._chunk is not None or self.state in (State.DATA, State.CHUNKS)

    def receive_data(self, data: bytes) -> None:
        """Add what the peer sent."""
        self._buffer.feed(data)

    def next_event(self) -> Event | None:
        """Return the next event, or None when more octets are needed."""
        if self._chunk is not None:
            return self._next_of_chunk(self._chunk)
        if self.state is State.DATA:
            return self._next_of_data()
        if self.state is State.ENDED:
            return None
        if self._silent:
            first = self._buffer.peek(LONGEST_MARK)
            self._silent = len(first) < LONGEST_MARK and b"\n" not in first
            if speaks_other_protocol(first):
                return self._refuse(replies.OTHER_PROTOCOL, closes=True)
        return self._next_line()

    # ------------------------------------------------------------------ answers

    def answer(self, reply: Reply) -> bytes:
        """Answer the last event; the state follows from the reply."""
        state = self._then if reply.is_positive else self._otherwise
        self._then = self._otherwise = None
        if state is not None:
            self._enter(state)
        return reply.render()

    def answer_each(self, each: Sequence[Reply]) -> bytes:
        """Answer the end of a message with one reply a recipient (RFC 2033 4.2)."""
        self._then = self._otherwise = None
        self._enter(State.READY)
        return b"".join(reply.render() for reply in each)

    def challenge(self, text: bytes) -> bytes:
        """Go on with an AUTH exchange; ``text`` is base64."""
        self._enter(State.LOGIN)
        self._then = self._otherwise = None
        return b"334 " + text + b"\r\n"

    def forget(self) -> None:
        """TLS begins: nothing that was said or received before it counts (RFC 3207 4.2)."""
        self._buffer.clear()
        self._silent = False
        self._enter(State.START)

    def _enter(self, state: State) -> None:
        if state is State.DATA:
            self._decoder = DataDecoder(self._line_limit)
        elif state in (State.READY, State.MAIL):
            self._small_chunks = 0
        self._buffer.limit = LOGIN_OCTETS if state is State.LOGIN else COMMAND_OCTETS
        self.state = state

    def _refuse(self, reply: Reply, *, closes: bool = False) -> Rejected:
        after = State.READY if self.state is State.LOGIN else None
        self._then = self._otherwise = State.ENDED if closes else after
        return Rejected(reply, closes)

    # ------------------------------------------------------------------ commands

    def _next_line(self) -> Event | None:
        line = self._buffer.next_line()
        if self._buffer.skipped > SKIPPED_OCTETS:
            return self._refuse(replies.LINE_TOO_LONG, closes=True)
        if line is None:
            return None
        if isinstance(line, LineFault):
            return self._faulty_line(line)
        if self.state is State.LOGIN:
            self._then = self._otherwise = State.READY
            return LoginResponse(line)
        return self._command(line)

    def _faulty_line(self, fault: LineFault) -> Rejected:
        if fault is LineFault.TOO_LONG:
            return self._refuse(replies.LINE_TOO_LONG)
        self._bare_lines += 1
        return self._refuse(replies.BARE_LINE_END, closes=self._bare_lines >= BARE_LINES)

    def _command(self, line: bytes) -> Event:
        verb, _space, argument = line.partition(b" ")
        row = self._commands.get(verb.upper())
        if row is None:
            is_forbidden = verb.upper() in FORBIDDEN
            return self._refuse(replies.NO_XCLIENT if is_forbidden else replies.UNKNOWN_COMMAND)
        try:
            command = row.parse(argument.rstrip(b" "))
        except Malformed as malformed:
            # Octets of a BDAT whose size cannot be read would be taken for commands.
            return self._refuse(malformed.reply, closes=verb.upper() == b"BDAT")
        if isinstance(command, Bdat):
            return self._begin_chunk(command, row)
        if self.state not in row.legal:
            no_recipients = self.state is State.MAIL and row.then is State.DATA
            return self._refuse(replies.NO_VALID_RECIPIENTS if no_recipients else replies.BAD_SEQUENCE)
        if row.waits and len(self._buffer):
            return self._refuse(replies.UNAUTHORISED_PIPELINING, closes=True)
        self._then = self._state_after(verb.upper(), row)
        self._otherwise = None
        return command

    def _state_after(self, verb: bytes, row: Row) -> State | None:
        if verb == b"RSET":
            return State.START if self.state is State.START else State.READY
        return row.then

    # ------------------------------------------------------------------ DATA

    def _next_of_data(self) -> Event | None:
        if self._body_end is not None:
            event, self._body_end = self._body_end, None
            self._then = self._otherwise = State.READY
            return event
        if not len(self._buffer):
            return None
        decoded, rest = self._decoder.feed(self._buffer.take(len(self._buffer)))
        if rest is not None:
            self._buffer.put_back(rest)
            self._body_end = BodyEnd(self._decoder.scan.fault())
        return BodyPiece(decoded)

    # ------------------------------------------------------------------ BDAT

    def _begin_chunk(self, command: Bdat, row: Row) -> Event:
        """The octets of a chunk follow whatever we think of the command (RFC 3030 section 2)."""
        if command.size > self._chunk_limit:
            return self._refuse(replies.CHUNK_TOO_BIG, closes=True)
        self._small_chunks += command.size < SMALL_CHUNK and not command.last
        self._chunk, self._chunk_left = command, command.size
        if self.state not in row.legal:
            self._chunk_refused = replies.BAD_SEQUENCE
        elif self._small_chunks > SMALL_CHUNKS:
            self._chunk_refused = replies.TOO_MANY_CHUNKS
        if self._chunk_refused is not None:
            return BodyPiece(b"")
        return command

    def _next_of_chunk(self, chunk: Bdat) -> Event | None:
        if self._chunk_left:
            data = self._buffer.take(self._chunk_left)
            self._chunk_left -= len(data)
            if not data:
                return None
            return BodyPiece(b"" if self._chunk_refused else data)
        self._chunk = None
        refused, self._chunk_refused = self._chunk_refused, None
        if refused is not None:
            in_order = self.state in (State.RCPT, State.CHUNKS)
            self._then = self._otherwise = State.READY if in_order else None
            return Rejected(refused)
        self._then = State.READY if chunk.last else State.CHUNKS
        self._otherwise = State.READY
        return ChunkEnd(chunk.last)
