"""The POP3 client machine: bytes in, events out, commands to bytes (RFC 1939, RFC 2449, RFC 2595, RFC 5034).

It is used as the IMAP one.  CAPA goes by itself; a server that does not know it offers USER.  Once
``Ready`` came, one wish at a time:

    wish         ends with
    start_tls    TLSMayBegin (do it, call tls_started, Ready comes again), or Refused
    log_in       LoggedIn, or Refused; before it may come Challenged, which wants respond or give_up
    run          Answered, or Refused
    quit         nothing more; what was marked with DELE is gone only then

A greeting of ``-ERR`` is Refused, and as ``Broken`` ends the connection.
"""

from __future__ import annotations

import re
from collections import deque
from enum import Enum

from mailsys.wire.pop3.client_events import (
    Answered,
    Broken,
    Challenged,
    Event,
    LoggedIn,
    Offers,
    Ready,
    Refused,
    TLSMayBegin,
)
from mailsys.wire.pop3.client_reader import BadResponse, ResponseReader
from mailsys.wire.sasl.client import ClientExchange, Login, decode_challenge, encode_response

CAPA_OCTETS = 16 * 1024
TEXT_CHARACTERS = 500  # of what a server says to people
_COMMAND_OCTETS = 255  # RFC 2449 4; a longer response to a challenge goes on a line of its own
_STATUS = re.compile(rb"(\+OK|-ERR)(?: +(.*))?", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(rb"\[([^\]]+)\] ?(.*)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class State(Enum):
    """Where a connection stands."""

    GREETING = "no greeting yet"
    ASKING = "the server is asked what it can do"
    READY = "the next wish may be told"
    ASKED_FOR_TLS = "STLS was said"
    TLS = "the handshake is to be done"
    LOGIN = "inside a login"
    BUSY = "a command is on its way"
    ENDED = "nothing more is said or heard"


class POP3Client:
    """One connection's protocol state."""

    def __init__(self, *, is_secure: bool = False) -> None:
        self.state = State.GREETING
        self.is_secure = is_secure
        self.offers = Offers()
        self._reader = ResponseReader()
        self._out: list[bytes] = []
        self._events: deque[Event] = deque()
        self._command = "the connection"
        self._unsaid: deque[str] = deque()  # lines of a login that the server has to want
        self._body_octets: int | None = None  # the bound, if a yes is followed by a body
        self._yes: str | None = None  # the yes whose body is coming

    # ------------------------------------------------------------------ bytes

    def receive_data(self, data: bytes) -> None:
        """Add what the server sent."""
        self._reader.feed(data)

    def data_to_send(self) -> bytes:
        """Return what has to be sent now; each octet once."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def next_event(self) -> Event | None:
        """Return the next event, or None when more octets are needed."""
        while not self._events and self.state is not State.ENDED:
            try:
                if not self._read():
                    return None
            except BadResponse as error:
                self._break(str(error))
        return self._events.popleft() if self._events else None

    # ------------------------------------------------------------------ wishes

    def start_tls(self) -> None:
        """Ask for TLS (RFC 2595 4)."""
        self._require(State.READY)
        self._say("STLS", State.ASKED_FOR_TLS)

    def tls_started(self) -> None:
        """The handshake is done: nothing that was said or heard before it counts."""
        self._require(State.TLS)
        self._reader.clear()
        self.is_secure = True
        self._ask()

    def log_in(self, exchange: ClientExchange, *, in_clear: bool = False) -> None:
        """Begin AUTH (RFC 5034 4).  Without TLS only if ``in_clear`` says that it may be so."""
        self._begin_login(in_clear)
        line, initial = f"AUTH {exchange.name}", exchange.initial()
        if initial is not None:
            response = encode_response(initial) or "="
            if len(line) + len(response) + 3 <= _COMMAND_OCTETS:
                line += f" {response}"
            else:
                self._unsaid.append(response)
        self._say(line, State.LOGIN)

    def log_in_plainly(self, who: Login, *, in_clear: bool = False) -> None:
        """USER and PASS (RFC 1939 7); raises ValueError for what no line can hold."""
        self._begin_login(in_clear)
        if _CONTROL.search(who.password):
            raise ValueError("a command line must not hold control characters")
        self._say(f"USER {who.name}", State.LOGIN)
        self._unsaid.append(f"PASS {who.password}")

    def respond(self, response: bytes) -> None:
        """Answer what was ``Challenged``."""
        self._require(State.LOGIN)
        self._out.append(encode_response(response).encode() + b"\r\n")

    def give_up(self) -> None:
        """End a login whose challenge has no answer; Refused comes (RFC 5034 4)."""
        self._require(State.LOGIN)
        self._out.append(b"*\r\n")

    def run(self, line: str, body_octets: int | None = None) -> None:
        """Say a command; with ``body_octets``, a body of at most so many follows a yes."""
        self._require(State.READY)
        self._say(line, State.BUSY, body_octets)

    def quit(self) -> None:
        """Say goodbye; the answer does not matter if nothing was deleted."""
        self._require(State.READY)
        self._say("QUIT", State.ENDED)

    def _require(self, state: State) -> None:
        if self.state is not state:
            raise ValueError(f"not now: {self.state.value}")

    def _begin_login(self, in_clear: bool) -> None:
        self._require(State.READY)
        if not (self.is_secure or in_clear):
            raise ValueError("no password leaves without TLS")

    def _say(self, line: str, state: State, body_octets: int | None = None) -> None:
        if _CONTROL.search(line):
            raise ValueError("a command line must not hold control characters")
        self._out.append(line.encode() + b"\r\n")
        self._command = line.partition(" ")[0]
        self._body_octets = body_octets
        self.state = state

    def _ask(self) -> None:
        self.offers = Offers()
        self._say("CAPA", State.ASKING, CAPA_OCTETS)

    # ------------------------------------------------------------------ what the server says

    def _read(self) -> bool:
        """Go one step on; False when more octets are needed."""
        if self._yes is not None and self._body_octets is not None:
            body = self._reader.next_body(self._body_octets)
            if body is not None:
                yes, self._yes = self._yes, None
                self._hear_yes(yes, body)
            return body is not None
        line = self._reader.next_line()
        if line is not None:
            self._hear_line(line)
        return line is not None

    def _hear_line(self, line: bytes) -> None:
        if self.state in (State.READY, State.TLS):
            raise BadResponse("spoke without being asked")
        if self.state is State.LOGIN and (line == b"+" or line.startswith(b"+ ")):
            self._hear_challenge(line[2:])
            return
        found = _STATUS.fullmatch(line)
        if found is None:
            raise BadResponse("sent a line that is no response")
        text = found[2] or b""
        if found[1].upper() == b"-ERR":
            self._hear_no(text)
        elif self._body_octets is not None:
            self._yes = _words(text)
        else:
            self._hear_yes(_words(text), None)

    def _hear_challenge(self, challenge: bytes) -> None:
        if self._command != "AUTH":
            raise BadResponse("asked for more though all was said")
        if self._unsaid:
            self._out.append(self._unsaid.popleft().encode() + b"\r\n")
        else:
            self._events.append(Challenged(decode_challenge(challenge.decode("latin-1"))))

    def _hear_no(self, text: bytes) -> None:
        self._unsaid.clear()
        code = _CODE.fullmatch(text)
        refused = Refused(
            self._command, _words(code[2] if code else text), _words(code[1]).upper() if code else ""
        )
        match self.state:
            case State.ASKING:  # RFC 2449 5: an old server does not know CAPA
                self.offers = Offers(frozenset({"USER"}))
                self._become_ready(Ready(self.offers))
            case State.GREETING:
                self.state = State.ENDED
                self._events.append(refused)
            case _:
                self._become_ready(refused)

    def _hear_yes(self, text: str, body: bytes | None) -> None:
        match self.state:
            case State.GREETING:
                self._ask()
            case State.ASKING:
                self.offers = _offers(body or b"")
                self._become_ready(Ready(self.offers))
            case State.ASKED_FOR_TLS if len(self._reader):  # who put that there wants it to count inside TLS
                raise BadResponse("sent more than the answer to STLS before TLS began")
            case State.ASKED_FOR_TLS:
                self.state = State.TLS
                self._events.append(TLSMayBegin())
            case State.LOGIN if self._unsaid and self._command == "USER":
                self._say(self._unsaid.popleft(), State.LOGIN)
            case State.LOGIN if self._unsaid:
                raise BadResponse("said yes to half a login")
            case State.LOGIN:
                self._become_ready(LoggedIn())
            case _:
                self._become_ready(Answered(text, body))

    def _become_ready(self, event: Event) -> None:
        self.state = State.READY
        self._body_octets = None
        self._events.append(event)

    def _break(self, why: str) -> None:
        self.state = State.ENDED
        self._events.append(Broken(why))


def _words(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")[:TEXT_CHARACTERS]


def _offers(body: bytes) -> Offers:
    """RFC 2449 3; of SASL the mechanisms (RFC 5034 3)."""
    lines = [line.upper().split() for line in body.decode("utf-8", "replace").splitlines()]
    mechanisms = {word for words in lines if words[:1] == ["SASL"] for word in words[1:]}
    return Offers(frozenset(words[0] for words in lines if words), frozenset(mechanisms))
