"""Client machines for tests: against a script of replies, and against our server machine in memory."""

from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.envelope import Envelope
from mailsys.wire.smtp.client import SMTPClient
from mailsys.wire.smtp.client_events import BodyWanted, NoBody, TLSMayBegin
from mailsys.wire.smtp.client_lines import Order
from mailsys.wire.smtp.commands import Bdat, Data, Hello, Quit, Rcpt, StartTLS
from mailsys.wire.smtp.server import BodyEnd, BodyPiece, ChunkEnd, Rejected, SMTPServer

ANN, BOB, EVE = (Address(name, "example.org") for name in ("ann", "bob", "eve"))
ENVELOPE = Envelope("m1", ANN, (BOB, EVE))
ALL = b"250-mx.example\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"
CHUNKS = b"250-mx.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n"


def order(*recipients, envelope=ENVELOPE, **settings):
    return Order(envelope, recipients or (BOB,), **settings)


class Client:
    """A machine whose events are kept; ``said`` is what it sent since the last look."""

    def __init__(self, **settings):
        self.machine = SMTPClient("client.example", **settings)
        self.events = []
        self._said = b""

    def hear(self, *pieces):
        for piece in pieces:
            self.machine.receive_data(piece)
            while (event := self.machine.next_event()) is not None:
                self.events.append(event)
            self._said += self.machine.data_to_send()
        return self

    @property
    def said(self):
        said, self._said = self._said + self.machine.data_to_send(), b""
        return said

    @property
    def last(self):
        return self.events[-1]

    @property
    def state(self):
        return self.machine.state


def greeted(hello=ALL, **settings):
    """A client that is ready, and whose talk so far is forgotten."""
    client = Client(**settings).hear(b"220 mx.example ESMTP\r\n", hello)
    client.events.clear()
    client.said
    return client


class Pair:
    """A client machine and our server machine, as h11 has it: what one says the other hears, in pieces.

    ``refuse`` holds recipients that are not taken; ``messages`` are (recipients, content) that were.
    """

    def __init__(self, content=(b"",), step=10**9, refuse=(), lmtp=False, offers=()):
        self.client = SMTPClient("client.example", lmtp=lmtp)
        self.server = SMTPServer(lmtp=lmtp)
        self.events, self.messages = [], []
        self._content, self._step = content, step
        self._refuse, self._lmtp, self._offers = refuse, lmtp, offers
        self._recipients, self._body = [], []
        self._to_client = b"220 mx.example ESMTP\r\n"

    def run(self):
        """Let both speak until neither has anything to say."""
        while True:
            to_server, to_client = self.client.data_to_send(), self._to_client
            self._to_client = b""
            if not to_server and not to_client:
                return self
            for piece in self._cut(to_client):
                self.client.receive_data(piece)
                self._take_client_events()
            for piece in self._cut(to_server):
                self.server.receive_data(piece)
                while (event := self.server.next_event()) is not None:
                    self._to_client += self._answer(event)

    def _cut(self, data):
        return [data[start : start + self._step] for start in range(0, len(data), self._step)]

    def _take_client_events(self):
        while (event := self.client.next_event()) is not None:
            self.events.append(event)
            if isinstance(event, BodyWanted):
                for number, piece in enumerate(self._content, 1):
                    self.client.send_body(piece, last=number == len(self._content))
            if isinstance(event, TLSMayBegin):
                self.server.forget()
                self.client.tls_started()

    def _answer(self, event):
        match event:
            case BodyPiece(data):
                self._body.append(data)
                return b""
            case Bdat():
                return b""
            case BodyEnd(fault):
                return self._end(fault)
            case ChunkEnd(last):
                return self._end(None) if last else self.server.answer(replies.CHUNK_OK)
            case _:
                return self._answer_command(event)

    def _answer_command(self, event):
        match event:
            case Rejected(reply, _closes):
                return self.server.answer(reply)
            case Hello():
                return self.server.answer(replies.Reply(250, "", "\n".join(["mx.example", *self._offers])))
            case Rcpt(recipient):
                if recipient in self._refuse:
                    return self.server.answer(replies.NO_SUCH_USER)
                self._recipients.append(recipient)
                return self.server.answer(replies.RECIPIENT_OK)
            case Data():
                return self.server.answer(replies.START_DATA)
            case StartTLS():
                return self.server.answer(replies.READY_FOR_TLS)
            case Quit():
                return self.server.answer(replies.GOODBYE)
            case _:
                return self.server.answer(replies.SENDER_OK)

    def _end(self, fault):
        content, self._body = b"".join(self._body), []
        recipients, self._recipients = tuple(self._recipients), []
        reply = replies.OK if fault is None else replies.BARE_IN_MESSAGE
        if fault is None:
            self.messages.append((recipients, content))
        if self._lmtp:
            return self.server.answer_each([reply] * len(recipients))
        return self.server.answer(reply)

    @property
    def has_refused(self):
        return any(isinstance(event, NoBody) for event in self.events)
