"""The SMTP and LMTP client machine: bytes in, events out, commands to bytes (RFC 5321, 2033, 2920, 3030).

Use: send what ``data_to_send`` gives; feed what the server sent with ``receive_data``; take events with
``next_event`` until it returns None, and send again.  Greeting, EHLO and, when EHLO is not known, HELO
go by themselves.  Once ``Ready`` came:

    wish         ends with
    start_tls    TLSMayBegin (do it, call tls_started, Ready comes again), or Refused
    log_in       LoggedIn, or Refused; before it may come Challenged, which wants respond
    send         SenderAnswered, RecipientAnswered for each, then NoBody; or BodyWanted:
    send_body    MessageAnswered for all who were taken
    quit         nothing more

``Stopped`` and ``Broken`` end the connection at any time.  The state is READY whenever the next wish
may be told.  Every reply is matched with the command that it answers; one that answers nothing, or
answers what it cannot answer, is *broken*.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from mailsys.message.address import Address
from mailsys.message.envelope import Body
from mailsys.message.outcome import Step
from mailsys.message.reply import Reply
from mailsys.wire.data import DataEncoder
from mailsys.wire.line_ends import AsItIs, LineEnds
from mailsys.wire.sasl.client import ClientExchange, decode_challenge, encode_response
from mailsys.wire.smtp.client_events import (
    BodyWanted,
    Broken,
    Challenged,
    Event,
    LoggedIn,
    MessageAnswered,
    NoBody,
    Ready,
    RecipientAnswered,
    Refused,
    SenderAnswered,
    Stopped,
    TLSMayBegin,
)
from mailsys.wire.smtp.client_lines import Order, command_line, mail_line, rcpt_line
from mailsys.wire.smtp.client_state import Awaited, State, Verb
from mailsys.wire.smtp.offers import Offers, parse_offers
from mailsys.wire.smtp.replies import ReplyFault, ReplyReader


class SMTPClient:
    """One connection's protocol state; ``name`` is what we say in EHLO."""

    def __init__(self, name: str, *, lmtp: bool = False, is_secure: bool = False) -> None:
        self.state = State.BEGINNING
        self.offers = Offers()
        self.is_secure = is_secure
        self.step = Step.GREETING  # what was answered last, or has to be
        self._name = name
        self._lmtp = lmtp
        self._reader = ReplyReader()
        self._out: list[bytes] = []
        self._awaited = deque([Awaited(Verb.GREETING)])
        self._unsaid: deque[tuple[bytes, Awaited]] = deque()  # without PIPELINING, one waits for the other
        self._events: deque[Event] = deque()
        self._sender_taken = False
        self._taken: list[Address] = []
        self._left_over = False  # does the server still hold a transaction that we have given up?
        self._encoder: DataEncoder | LineEnds | AsItIs = LineEnds()

    # ------------------------------------------------------------------ bytes

    def receive_data(self, data: bytes) -> None:
        """Add what the server sent."""
        self._reader.feed(data)

    def data_to_send(self) -> bytes:
        """Return what has to be sent now; each octet once."""
        if len(self._out) == 1:
            return self._out.pop()
        data = b"".join(self._out)
        self._out.clear()
        return data

    def next_event(self) -> Event | None:
        """Return the next event, or None when more octets are needed."""
        while not self._events and self.state is not State.ENDED:
            reply = self._reader.next_reply()
            if reply is None:
                return None
            self._hear(reply)
        return self._events.popleft() if self._events else None

    @property
    def awaited_step(self) -> Step:
        """What the next reply will answer."""
        return self._awaited[0].verb.step if self._awaited else self.step

    # ------------------------------------------------------------------ wishes

    def start_tls(self) -> None:
        """Ask for TLS (RFC 3207 4)."""
        self._require(State.READY)
        self.state = State.ASKED_FOR_TLS
        self._say(b"STARTTLS\r\n", Awaited(Verb.STARTTLS))

    def tls_started(self) -> None:
        """The handshake is done: nothing that was said or heard before it counts (RFC 3207 4.2)."""
        self._require(State.TLS)
        self._reader.clear()
        self.offers = Offers()
        self.is_secure = True
        self._say_hello()

    def log_in(self, exchange: ClientExchange, *, in_clear: bool = False) -> None:
        """Begin AUTH (RFC 4954 4).  Without TLS only if ``in_clear`` says that it may be so."""
        self._require(State.READY)
        if not (self.is_secure or in_clear):
            raise ValueError("no password leaves without TLS")
        self.state = State.LOGIN
        initial = exchange.initial()
        words = ["AUTH", exchange.name]
        if initial is not None:
            words.append(encode_response(initial) or "=")
        self._say(command_line(" ".join(words)), Awaited(Verb.AUTH))

    def respond(self, response: bytes) -> None:
        """Answer what was ``Challenged``."""
        self._require(State.LOGIN)
        self._say(command_line(encode_response(response)), Awaited(Verb.AUTH))

    def send(self, order: Order) -> None:
        """Begin to hand over a message; the commands go in one group where the server takes that."""
        self._require(State.READY)
        if not order.recipients:
            raise ValueError("a message needs a recipient")
        lines = [(mail_line(order, self.offers), Awaited(Verb.MAIL))]
        if self._left_over:
            lines.insert(0, (b"RSET\r\n", Awaited(Verb.RSET)))
        for recipient in order.recipients:
            lines.append((rcpt_line(order, recipient, self.offers), Awaited(Verb.RCPT, (recipient,))))
        if not self.offers.chunking:
            lines.append((b"DATA\r\n", Awaited(Verb.DATA)))
        self._taken = []
        self._sender_taken = self._left_over = False
        self._encoder = self._choose_encoder(order)
        self.state = State.ENVELOPE
        for line, awaited in lines:
            self._say(line, awaited)

    def send_body(self, piece: bytes, *, last: bool) -> None:
        """Add a piece of the content, unless the server has spoken already; then an event says so."""
        self._require(State.BODY)
        if not self._awaited and self._spoke_early():
            return
        data = self._encoder.feed(piece) + (self._encoder.end() if last else b"")
        if isinstance(self._encoder, DataEncoder):
            self._out.append(data)
        else:
            self._send_chunk(data, last)
        if last:
            groups = [(one,) for one in self._taken] if self._lmtp else [tuple(self._taken)]
            self._awaited.extend(Awaited(Verb.MESSAGE, group) for group in groups)
            self.state = State.ANSWER

    def quit(self) -> None:
        """Say goodbye; the answer does not matter."""
        self._require(State.READY)
        self._out.append(b"QUIT\r\n")
        self.state = State.ENDED

    def _require(self, state: State) -> None:
        if self.state is not state:
            raise ValueError(f"not now: {self.state.value}")

    def _spoke_early(self) -> bool:
        """Is there something that would pass for the answer to what we have not said yet?"""
        if not len(self._reader):
            return False
        reply = self._reader.next_reply()
        if reply is None:
            self._break("began to answer before it was asked")
        else:
            self._hear(reply)
        return True

    def _say(self, line: bytes, awaited: Awaited) -> None:
        if self.state is State.ENDED or (not self._awaited and self._spoke_early()):
            return
        if self._awaited and "PIPELINING" not in self.offers:
            self._unsaid.append((line, awaited))
        else:
            self._out.append(line)
            self._awaited.append(awaited)

    def _say_hello(self) -> None:
        self.state = State.BEGINNING
        verb = "LHLO" if self._lmtp else "EHLO"
        self._say(command_line(f"{verb} {self._name}"), Awaited(Verb.EHLO))

    def _choose_encoder(self, order: Order) -> DataEncoder | LineEnds | AsItIs:
        if not self.offers.chunking:
            return DataEncoder()
        return AsItIs() if order.body is Body.BINARY_MIME else LineEnds()

    def _send_chunk(self, data: bytes, last: bool) -> None:
        """RFC 3030 2."""
        if not data and not last:
            return
        self._out += [b"BDAT %d%s\r\n" % (len(data), b" LAST" if last else b""), data]
        if not last:
            self._awaited.append(Awaited(Verb.CHUNK))

    # ------------------------------------------------------------------ replies

    def _hear(self, reply: Reply | ReplyFault) -> None:
        if self._awaited:
            self.step = self._awaited[0].verb.step
        if isinstance(reply, ReplyFault):
            self._break(reply.value)
        elif reply.code == 421 or (self.state is State.BODY and not self._awaited and not reply.is_positive):
            self._stop(reply)
        elif not self._awaited:
            self._break(f"said {reply.code} without being asked")
        elif not self._awaited[0].verb.may_be_answered_with(reply.code):
            self._break(f"answered {self._awaited[0].verb.words} with {reply.code}")
        else:
            awaited = self._awaited.popleft()
            _HEAR[awaited.verb](self, awaited, reply)
            if self._unsaid and not self._awaited:
                self._say(*self._unsaid.popleft())

    def _break(self, why: str) -> None:
        self.state = State.ENDED
        self._events.append(Broken(self.step, why))

    def _stop(self, reply: Reply) -> None:
        self.state = State.ENDED
        self._events.append(Stopped(self.step, reply))

    def _hear_greeting(self, awaited: Awaited, reply: Reply) -> None:
        if reply.is_positive:
            self._say_hello()
        else:
            self._events.append(Refused(self.step, reply))

    def _hear_hello(self, awaited: Awaited, reply: Reply) -> None:
        if reply.is_positive:
            offers = parse_offers(reply)
            self.offers = offers if awaited.verb is Verb.EHLO else Offers(offers.name)
            self.state = State.READY
            self._events.append(Ready(self.offers, reply))
        elif reply.is_permanent and awaited.verb is Verb.EHLO and not self._lmtp:
            # RFC 5321 3.2: an old server does not know EHLO.
            self._say(command_line(f"HELO {self._name}"), Awaited(Verb.HELO))
        else:
            self._events.append(Refused(self.step, reply))

    def _hear_start_tls(self, awaited: Awaited, reply: Reply) -> None:
        if not reply.is_positive:
            self.state = State.READY
            self._events.append(Refused(self.step, reply))
        elif len(self._reader):  # whoever put that there wants it to count inside TLS
            self._break("sent more than the answer to STARTTLS before TLS began")
        else:
            self.state = State.TLS
            self._events.append(TLSMayBegin())

    def _hear_login(self, awaited: Awaited, reply: Reply) -> None:
        if reply.code == 334:
            self._events.append(Challenged(decode_challenge(reply.text)))
            return
        self.state = State.READY
        self._events.append(LoggedIn() if reply.is_positive else Refused(self.step, reply))

    def _hear_reset(self, awaited: Awaited, reply: Reply) -> None:
        if not reply.is_positive:
            self._break(f"answered RSET with {reply.code}")

    def _hear_mail(self, awaited: Awaited, reply: Reply) -> None:
        self._events.append(SenderAnswered(reply))
        if reply.is_positive:
            self._sender_taken = self._left_over = True
        elif self._unsaid:
            self._unsaid.clear()
            self._end_without_body(None)

    def _hear_recipient(self, awaited: Awaited, reply: Reply) -> None:
        self._events.append(RecipientAnswered(awaited.recipients[0], reply))
        if reply.is_positive and self._sender_taken:
            self._taken += awaited.recipients
        if self._awaited or len(self._unsaid) > (0 if self.offers.chunking else 1):
            return
        if not self._taken and (self._unsaid or self.offers.chunking):
            self._unsaid.clear()
            self._end_without_body(None)
        elif self.offers.chunking:
            self._begin_body()

    def _hear_data(self, awaited: Awaited, reply: Reply) -> None:
        if not reply.is_positive:
            self._end_without_body(reply)
        elif self._taken:
            self._begin_body()
        elif self._lmtp:  # RFC 2033 4.2: nobody was taken, so no reply would come
            self._break("asked for a message though it took no recipient")
        else:  # RFC 2920 3.1: it wants content though it took no recipient; it gets none
            self._say(b".\r\n", Awaited(Verb.NOTHING))

    def _hear_nothing(self, awaited: Awaited, reply: Reply) -> None:
        self._left_over = False
        self._end_without_body(None)

    def _hear_chunk(self, awaited: Awaited, reply: Reply) -> None:
        if not reply.is_positive:
            self._stop(reply)

    def _hear_message(self, awaited: Awaited, reply: Reply) -> None:
        self._events.append(MessageAnswered(awaited.recipients, reply))
        if not self._awaited:
            self._left_over = not reply.is_positive and self.offers.chunking  # RFC 3030 2
            self.state = State.READY

    def _begin_body(self) -> None:
        self.state = State.BODY
        self._events.append(BodyWanted())

    def _end_without_body(self, reply: Reply | None) -> None:
        self.state = State.READY
        self._events.append(NoBody(reply))


_HEAR: Mapping[Verb, Callable[[SMTPClient, Awaited, Reply], None]] = {
    Verb.GREETING: SMTPClient._hear_greeting,
    Verb.EHLO: SMTPClient._hear_hello,
    Verb.HELO: SMTPClient._hear_hello,
    Verb.STARTTLS: SMTPClient._hear_start_tls,
    Verb.AUTH: SMTPClient._hear_login,
    Verb.RSET: SMTPClient._hear_reset,
    Verb.MAIL: SMTPClient._hear_mail,
    Verb.RCPT: SMTPClient._hear_recipient,
    Verb.DATA: SMTPClient._hear_data,
    Verb.CHUNK: SMTPClient._hear_chunk,
    Verb.NOTHING: SMTPClient._hear_nothing,
    Verb.MESSAGE: SMTPClient._hear_message,
}
