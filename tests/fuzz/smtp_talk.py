"""An SMTP or LMTP machine with somebody who answers it, and a simple model of what must hold.

The model knows only what RFC 5321 says of a session's state; the machine must never give an event that
the model does not allow, and drop what the model drops.
"""

import re

from mailsys.message import reply as replies
from mailsys.message.reply import Reply
from mailsys.wire.smtp.commands import (
    Auth,
    Bdat,
    Data,
    Expn,
    Hello,
    Mail,
    Quit,
    Rcpt,
    Rset,
    StartTLS,
    State,
    Vrfy,
)
from mailsys.wire.smtp.server import (
    COMMAND_OCTETS,
    LOGIN_OCTETS,
    BodyEnd,
    BodyPiece,
    ChunkEnd,
    LoginResponse,
    Rejected,
    SMTPServer,
)

REPLY_LINE = re.compile(rb"\d{3}[ -][^\r\n]{0,506}\r\n|\d{3} [^\r\n]{0,12283}\r\n")
ANSWERS = (Reply(250, "2.0.0", "Yes"), Reply(451, "4.3.0", "Later"), Reply(550, "5.7.1", "No"))


class Model:
    """What is known of a session: greeted, a sender, recipients, chunks."""

    def __init__(self):
        self.greeted = False
        self.drop()

    def drop(self):
        self.mail = False
        self.recipients = 0
        self.chunks = False

    def allows(self, event):
        """Is this command legal now?"""
        match event:
            case Mail() | Auth() | StartTLS():
                return self.greeted and not self.mail
            case Rcpt():
                return self.mail and not self.chunks
            case Data():
                return self.recipients > 0 and not self.chunks
            case Bdat():
                return self.recipients > 0
            case Vrfy() | Expn():
                return self.greeted
        return True

    def answered(self, event, reply):
        """A command was answered."""
        match event:
            case Hello() if reply.is_positive:
                self.drop()
                self.greeted = True
            case Mail() if reply.is_positive:
                self.mail = True
            case Rcpt() if reply.is_positive:
                self.recipients += 1
            case Rset() if reply.is_positive:
                self.drop()
            case BodyEnd():
                self.drop()
            case ChunkEnd(last):
                self.chunks = True
                if last or not reply.is_positive:
                    self.drop()


class Talk:
    """Feeds the machine; ``story`` is all that happened, with the pieces of a body put together.

    ``moods`` decides by the number of the event how it is answered, so that two talks with the same
    bytes get the same answers.
    """

    def __init__(self, *, lmtp=False, moods=(0,)):
        self.machine = SMTPServer(lmtp=lmtp, chunk_limit=100_000, line_limit=5000)
        self.lmtp = lmtp
        self.moods = moods
        self.model = Model()
        self.story = []
        self.closed = False
        self.refused_chunk = False

    def feed(self, data):
        if self.closed:
            return
        self.machine.receive_data(data)
        while not self.closed and (event := self.machine.next_event()) is not None:
            self.take(event)
            if self.machine.state is State.ENDED:
                self.closed = True
        if not self.closed:
            limit = LOGIN_OCTETS if self.machine.state is State.LOGIN else COMMAND_OCTETS
            assert len(self.machine._buffer) <= limit, "what waits is bounded"
            assert self.machine.in_transaction == self.model.mail

    def take(self, event):
        match event:
            case BodyPiece(data):
                assert self.model.mail or not data
                if data:
                    self.tell_body(data)
            case Rejected(reply, closes):
                self.reject(event, reply, closes)
            case Bdat():
                assert self.model.allows(event)
                self.story.append((event, b""))
            case _:
                assert self.model.allows(event), f"{event} without its beginning"
                self.answer(event)

    def tell_body(self, data):
        if self.story and isinstance(self.story[-1][0], str):
            data = self.story.pop()[1] + data
        self.story.append(("body", data))

    def reject(self, event, reply, closes):
        assert reply.code >= 400
        before = self.machine.state
        said = self.machine.answer(reply)
        self.check_reply(said)
        self.story.append((event, said))
        if reply == replies.TOO_MANY_CHUNKS and before in (State.RCPT, State.CHUNKS):
            self.model.drop()  # a chunk that is refused takes the transaction with it
        self.closed = closes

    def answer(self, event):
        reply = ANSWERS[self.moods[len(self.story) % len(self.moods)]]
        said = self.say(event, reply)
        self.check_reply(said)
        self.story.append((event, said))
        self.model.answered(event, reply)

    def say(self, event, reply):
        machine = self.machine
        match event:
            case Data() if reply.is_positive:
                return machine.answer(replies.START_DATA)
            case StartTLS() if reply.is_positive:
                said = machine.answer(replies.READY_FOR_TLS)
                machine.forget()
                self.model = Model()
                return said
            case Auth() | LoginResponse() if reply.is_positive and len(self.story) % 3:
                return machine.challenge(b"VXNlcm5hbWU6")
            case BodyEnd() if self.lmtp:
                return machine.answer_each([reply] * self.model.recipients)
            case ChunkEnd(True) if self.lmtp and reply.is_positive:
                return machine.answer_each([reply] * self.model.recipients)
            case Quit():
                return machine.answer(replies.GOODBYE)
        return machine.answer(reply)

    def check_reply(self, said):
        assert said
        for line in said.splitlines(keepends=True):
            assert REPLY_LINE.fullmatch(line), line


def is_early(story):
    """Did it end since more came than the client may send at once?  That does depend on the segments."""
    return bool(story) and isinstance(story[-1][0], Rejected) and story[-1][0].reply.enhanced == "5.5.0"
