"""The IMAP client machine: bytes in, events out, commands to bytes (RFC 9051, RFC 3501).

Use: send what ``data_to_send`` gives; feed what the server sent with ``receive_data``; take events with
``next_event`` until it returns None, and send again.  CAPABILITY goes by itself where the server has not
told.  Once ``Ready`` came, one wish at a time:

    wish         ends with
    start_tls    TLSMayBegin (do it, call tls_started, Ready comes again), or Refused
    log_in       LoggedIn, or Refused; before it may come Challenged, which wants respond or give_up
    run          Answered, or Refused; before it the data that were asked for
    idle         Idling, then data until end_idle, then as run
    log_out      nothing more

``Stopped`` and ``Broken`` end the connection at any time; data that nobody asked for may come at any time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

from mailsys.wire.imap.client_commands import Command, login, simple, words
from mailsys.wire.imap.client_events import (
    Answered,
    Broken,
    Challenged,
    Event,
    Idling,
    LoggedIn,
    Ready,
    Refused,
    Stopped,
    TLSMayBegin,
    Told,
)
from mailsys.wire.imap.client_reader import ResponseFault, ResponseReader
from mailsys.wire.imap.client_responses import (
    Capabilities,
    Continuation,
    Kind,
    Status,
    parse_response,
    parse_words,
)
from mailsys.wire.imap.client_values import BadValue
from mailsys.wire.sasl.client import ClientExchange, Login, decode_challenge, encode_response


class State(Enum):
    """Where a connection stands."""

    GREETING = "no greeting yet"
    ASKING = "the server is asked what it can do"
    READY = "the next wish may be told"
    ASKED_FOR_TLS = "STARTTLS was said"
    TLS = "the handshake is to be done"
    LOGIN = "inside a login"
    BUSY = "a command is on its way"
    ASKED_TO_IDLE = "IDLE was said"
    IDLE = "the server tells what happens"
    ENDED = "nothing more is said or heard"


_ASKING_NOTHING = (State.READY, State.TLS)


class IMAPClient:
    """One connection's protocol state."""

    def __init__(self, *, is_secure: bool = False) -> None:
        self.state = State.GREETING
        self.is_secure = is_secure
        self.is_logged_in = False
        self.capabilities: frozenset[str] = frozenset()
        self._are_known = False  # has the server told its capabilities since it began, or since TLS?
        self._reader = ResponseReader()
        self._out: list[bytes] = []
        self._events: deque[Event] = deque()
        self._unsaid: deque[bytes] = deque()  # pieces of a command, each of which the server has to want
        self._tags = 0
        self._command = ""
        self._after_asking: Callable[[], Event] = self._ready

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
            segments = self._reader.next_response()
            if segments is None:
                return None
            if isinstance(segments, ResponseFault):
                self._break(segments.why)
            else:
                self._read(segments)
        return self._events.popleft() if self._events else None

    # ------------------------------------------------------------------ wishes

    def start_tls(self) -> None:
        """Ask for TLS (RFC 9051 6.2.1)."""
        self._require(State.READY)
        self._say(simple("STARTTLS"), State.ASKED_FOR_TLS)

    def tls_started(self) -> None:
        """The handshake is done: nothing that was said or heard before it counts (RFC 9051 11.1)."""
        self._require(State.TLS)
        self._reader.clear()
        self.is_secure = True
        self._are_known = False
        self.capabilities = frozenset()
        self._ask(self._ready)

    def log_in(self, exchange: ClientExchange, *, in_clear: bool = False) -> None:
        """Begin AUTHENTICATE (RFC 9051 6.2.2).  Without TLS only if ``in_clear`` says that it may be so."""
        self._begin_login(in_clear)
        initial = exchange.initial()
        parts = [b"AUTHENTICATE", exchange.name.encode()]
        if initial is not None and "SASL-IR" in self.capabilities:  # RFC 4959
            parts.append(encode_response(initial).encode() or b"=")
            initial = None
        self._say(Command("AUTHENTICATE", words(*parts)), State.LOGIN)
        if initial is not None:
            self._unsaid.append(encode_response(initial).encode() + b"\r\n")

    def log_in_plainly(self, who: Login, *, in_clear: bool = False) -> None:
        """LOGIN, for a server that knows no mechanism; raises ValueError for what no string can hold."""
        command = login(who.name, who.password)
        self._begin_login(in_clear)
        self._say(command, State.LOGIN)

    def respond(self, response: bytes) -> None:
        """Answer what was ``Challenged``."""
        self._require(State.LOGIN)
        self._out.append(encode_response(response).encode() + b"\r\n")

    def give_up(self) -> None:
        """End a login whose challenge has no answer; Refused comes (RFC 9051 6.2.2)."""
        self._require(State.LOGIN)
        self._out.append(b"*\r\n")

    def run(self, command: Command) -> None:
        """Say a command."""
        self._require(State.READY)
        self._say(command, State.BUSY)

    def idle(self) -> None:
        """Wait for what happens in the folder (RFC 2177)."""
        self._require(State.READY)
        self._say(simple("IDLE"), State.ASKED_TO_IDLE)

    def end_idle(self) -> None:
        """End that; the answer comes as that of any command."""
        self._require(State.IDLE)
        self._out.append(b"DONE\r\n")
        self.state = State.BUSY

    def log_out(self) -> None:
        """Say goodbye; the answer does not matter."""
        self._require(State.READY)
        self._say(simple("LOGOUT"), State.ENDED)

    def _require(self, state: State) -> None:
        if self.state is not state:
            raise ValueError(f"not now: {self.state.value}")

    def _begin_login(self, in_clear: bool) -> None:
        self._require(State.READY)
        if not (self.is_secure or in_clear):
            raise ValueError("no password leaves without TLS")

    @property
    def _tag(self) -> str:
        return f"a{self._tags}"

    def _say(self, command: Command, state: State) -> None:
        self._tags += 1
        first, *others = command.render(self._tag, self.capabilities)
        self._out.append(first)
        self._unsaid = deque(others)
        self._command = command.name
        self.state = state

    def _ask(self, then: Callable[[], Event]) -> None:
        """Go on with an event, once it is known what the server can do."""
        if self._are_known:
            self.state = State.READY
            self._events.append(then())
        else:
            self._after_asking = then
            self._say(simple("CAPABILITY"), State.ASKING)

    def _ready(self) -> Event:
        return Ready(self.capabilities, self.is_logged_in)

    def _logged_in(self) -> Event:
        return LoggedIn(self.capabilities)

    # ------------------------------------------------------------------ what the server says

    def _read(self, segments: list[bytes]) -> None:
        try:
            response = parse_response(segments)
            if isinstance(response, Status) and response.code == "CAPABILITY":
                self._learn(parse_words(response.argument))
        except BadValue as error:
            self._break(str(error))
            return
        match response:
            case Status():
                self._hear_status(response)
            case _ if self.state is State.GREETING:
                self._break("began without a greeting")
            case Continuation(text):
                self._hear_continuation(text)
            case Capabilities(capabilities):
                self._learn(capabilities)
            case _:
                self._events.append(response)

    def _learn(self, capabilities: frozenset[str]) -> None:
        self.capabilities = capabilities
        self._are_known = True

    def _hear_status(self, status: Status) -> None:
        if status.kind is Kind.BYE:
            self.state = State.ENDED
            self._events.append(Stopped(status))
        elif self.state is State.GREETING:
            self._hear_greeting(status)
        elif not status.tag:
            self._events.append(Told(status))
        elif status.tag != self._tag or status.kind is Kind.PREAUTH or self.state in _ASKING_NOTHING:
            self._break("answered what was not asked")
        else:
            self._hear_answer(status)

    def _hear_greeting(self, status: Status) -> None:
        if status.tag or status.kind not in (Kind.OK, Kind.PREAUTH):
            self._break("began without a greeting")
            return
        self.is_logged_in = status.kind is Kind.PREAUTH
        self._ask(self._ready)

    def _hear_continuation(self, text: bytes) -> None:
        if self._unsaid:
            self._out.append(self._unsaid.popleft())
        elif self.state is State.LOGIN and self._command == "AUTHENTICATE":
            self._events.append(Challenged(decode_challenge(text.decode("latin-1"))))
        elif self.state is State.ASKED_TO_IDLE:
            self.state = State.IDLE
            self._events.append(Idling())
        else:
            self._break("asked for more though all was said")

    def _hear_answer(self, status: Status) -> None:
        asked, is_good = self.state, status.kind is Kind.OK
        if is_good and self._unsaid:
            self._break("said yes to half a command")
            return
        self._unsaid.clear()
        self.state = State.READY
        match asked:
            case State.ASKING if not self._are_known:
                self._break("did not tell what it can do")
            case State.ASKING:
                self._events.append(self._after_asking())
            case _ if not is_good:
                self._events.append(Refused(self._command, status))
            case State.ASKED_FOR_TLS:
                self._hear_tls()
            case State.LOGIN:
                self._hear_login(status)
            case _:
                self._events.append(Answered(status))

    def _hear_tls(self) -> None:
        if len(self._reader):  # whoever put that there wants it to count inside TLS
            self._break("sent more than the answer to STARTTLS before TLS began")
        else:
            self.state = State.TLS
            self._events.append(TLSMayBegin())

    def _hear_login(self, status: Status) -> None:
        """What the server can do may have changed with it (RFC 9051 6.2.2)."""
        self.is_logged_in = True
        self._are_known = status.code == "CAPABILITY"
        self._ask(self._logged_in)

    def _break(self, why: str) -> None:
        self.state = State.ENDED
        self._events.append(Broken(why))
