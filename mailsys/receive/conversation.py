"""One SMTP or LMTP connection, from greeting to goodbye.

The machine (``wire.smtp.server``) says what the peer did; ``ANSWERS`` names the function that
answers it.  One event is answered before the next is looked at, so replies come in order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import (
    ConnectionEnded,
    HostStops,
    IConnection,
    IConversation,
    Session,
    TimedOut,
)
from mailsys.journal.ids import transaction_id
from mailsys.message import reply as replies
from mailsys.message.address import Address
from mailsys.message.envelope import Body
from mailsys.message.reply import Reply
from mailsys.receive import later, story
from mailsys.receive.asking import ask_for_with_wish, ask_to_send, refusal_of
from mailsys.receive.conduct import Conduct
from mailsys.receive.handover import hand_over
from mailsys.receive.login import Authentication
from mailsys.receive.pace import Pace
from mailsys.receive.reception import Reception
from mailsys.receive.transaction import Transaction
from mailsys.wire.data import DataFault
from mailsys.wire.smtp import commands
from mailsys.wire.smtp.extensions import Offer, hello_reply
from mailsys.wire.smtp.server import (
    BodyEnd,
    BodyPiece,
    ChunkEnd,
    Event,
    LoginResponse,
    Rejected,
    SMTPServer,
)

OVERDRAFT = 2  # how many times the largest message we read before we hang up

log = Logger(namespace="mailsys.receive")


@implementer(IConversation)
class Conversation:
    """What is said on one connection; made new for each."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._settings = reception.settings
        self._machine = SMTPServer(
            lmtp=reception.is_lmtp, chunk_limit=OVERDRAFT * reception.settings.message_octets
        )
        self._connection: IConnection
        self._session: Session
        self._transaction: Transaction | None = None
        self._authentication: Authentication
        self._messages = 0
        self._verb = ""  # of the last greeting
        self._conduct = Conduct(reception.settings.errors, reception.settings.error_pause)
        self._pace = Pace(reception.settings.pace, reception.clock.seconds)
        self._closing = False

    async def run(self, connection: IConnection) -> None:
        """Speak until the peer leaves, or has to."""
        self._connection = connection
        self._session = Session(self._reception.new_id(), connection.peer, tls=connection.tls)
        self._authentication = Authentication(self._reception, self._session, connection)
        try:
            await self._greet()
            while not self._closing:
                await self._next()
        except TimedOut:
            self._lose_message()
            self._say(replies.TIMEOUT)
            self._hang_up(replies.TIMEOUT)
        except HostStops:
            self._lose_message()
            self._say(replies.SHUTTING_DOWN)
        except ConnectionEnded:
            self._lose_message()
        except Exception:
            log.failure("Session {id} with {host} broke", id=self._session.id, host=connection.peer.host)
            self._say(replies.LOCAL_ERROR)
        finally:
            await self._drop()
            connection.close()

    # ------------------------------------------------------------------ the loop

    async def _greet(self) -> None:
        pause = self._reception.judges.pause_seconds(self._session)
        if pause:
            try:
                self._machine.receive_data(await self._connection.receive(pause))
                self._session.spoke_early = True
            except TimedOut:
                pass
        verdict = await self._reception.judges.connection(self._session)
        self._session.checked = verdict.checked
        refusal = refusal_of(verdict)
        if refusal is not None:
            story.refused(self._reception, self._session, None, "CONNECT", refusal, verdict.reason)
            self._say(refusal)
            self._closing = True
        else:
            self._say(Reply(220, "", f"{self._settings.hostname} {self._banner} mailsys"))

    @property
    def _banner(self) -> str:
        return "LMTP" if self._reception.is_lmtp else "ESMTP"

    async def _next(self) -> None:
        event = self._machine.next_event()
        if event is None:
            if not self._connection.has_received:
                self._conduct.waits()
            data = await self._pace.hear(self._connection, in_body=self._machine.in_body)
            self._machine.receive_data(data)
            return
        if self._session.login is not None and await self._is_over(event):
            self._say(replies.NO_LONGER_LOGGED_IN)
            self._hang_up(replies.NO_LONGER_LOGGED_IN)
            return
        answer = await ANSWERS[type(event)](self, event)
        self._pace.command_done()
        if answer is not None:
            if pause := self._conduct.answered(answer):
                await self._reception.pause(pause)
            self._send(self._machine.answer(answer))
            self._look_at_conduct(answer)
        if self._transaction is not None and not self._machine.in_transaction:
            await self._drop()
        if self._connection.congested:
            await self._connection.drained()
        if self._conduct.should_give_way():
            await self._reception.pause(0)

    async def _is_over(self, event: Event) -> bool:
        return not isinstance(event, BodyPiece) and await self._authentication.is_over()

    def _send(self, data: bytes) -> None:
        self._connection.send(data)

    def _say(self, reply: Reply) -> None:
        """Say something that answers no command."""
        self._connection.send(reply.render())

    def _look_at_conduct(self, reply: Reply) -> None:
        if reply.code == 421:
            self._closing = True
        if not self._closing and self._conduct.is_too_much:
            self._say(replies.TOO_MANY_ERRORS)
            self._hang_up(replies.TOO_MANY_ERRORS)

    def _hang_up(self, reply: Reply) -> None:
        """End the connection for what the peer did, and let the journal know."""
        self._closing = True
        story.refused(self._reception, self._session, None, "SESSION", reply)

    def _lose_message(self) -> None:
        """The session ends: if that is in the middle of a message, its recipients may ask for it."""
        transaction = self._transaction
        if transaction is not None and transaction.octets and not transaction.is_handed_over:
            story.lost_message(self._reception, self._session, transaction)

    async def _drop(self) -> None:
        transaction, self._transaction = self._transaction, None
        if transaction is None:
            return
        try:
            await transaction.drop()
        except OSError:
            log.failure("The spool file of {id} stays until the next start", id=transaction.id)

    # ------------------------------------------------------------------ greeting and TLS

    async def _hello(self, hello: commands.Hello) -> Reply:
        if self._session.greeting:
            self._conduct.junk()
        self._session.greeting = hello.name
        self._verb = hello.verb
        self._set_protocol(hello.verb)
        offer = Offer(
            hostname=self._settings.hostname,
            message_octets=self._settings.message_octets,
            recipients=self._settings.recipients,
            notices=self._reception.offers_notices(self._session),
            later=later.offer(self._reception),
            starttls=self._connection.can_start_tls(),
            mechanisms=self._authentication.offered(),
        )
        return hello_reply(hello.verb, offer)

    def _set_protocol(self, verb: str) -> None:
        """RFC 3848: S after TLS, A after a login; a plain HELO is SMTP."""
        base = {"HELO": "SMTP", "EHLO": "ESMTP", "LHLO": "LMTP"}[verb]
        tls = "S" if self._session.tls and base != "SMTP" else ""
        self._session.protocol = base + tls + ("A" if self._session.login and base != "SMTP" else "")

    async def _start_tls(self, _command: commands.StartTLS) -> Reply | None:
        if self._session.tls:
            return replies.BAD_SEQUENCE.with_text("TLS is on already")
        if not self._connection.can_start_tls():
            return replies.NOT_IMPLEMENTED
        self._send(self._machine.answer(replies.READY_FOR_TLS))
        self._machine.forget()
        await self._connection.start_tls()
        self._session.tls = self._connection.tls
        self._session.greeting = ""
        self._session.login = None
        return None

    # ------------------------------------------------------------------ AUTH

    async def _auth(self, command: commands.Auth) -> Reply | None:
        return self._after_login(await self._authentication.begin(command))

    async def _login_response(self, response: LoginResponse) -> Reply | None:
        return self._after_login(await self._authentication.go_on(response.line))

    def _after_login(self, result: Reply | bytes) -> Reply | None:
        if isinstance(result, bytes):
            self._send(self._machine.challenge(result))
            return None
        self._set_protocol(self._verb)
        if self._authentication.had_its_tries:
            self._closing = True
        return result

    # ------------------------------------------------------------------ the transaction

    async def _mail(self, mail: commands.Mail) -> Reply:
        self._conduct.junk()
        refusal, verdict = await ask_to_send(self._reception, self._session, mail)
        if refusal is not None:
            return refusal
        self._pace.message_begun()
        self._messages += 1
        message_id = transaction_id(self._session.id, self._messages)
        collector = self._reception.collector(message_id)
        self._transaction = Transaction(message_id, mail, collector, self._settings.message_octets)
        self._transaction.not_before = later.leaves_at(mail, self._reception.now())
        self._transaction.note_checked(verdict.checked)
        return replies.SENDER_OK

    async def _rcpt(self, rcpt: commands.Rcpt) -> Reply:
        transaction = self._begun()
        recipient = rcpt.recipient or await self._postmaster()
        if recipient is None:
            return replies.NO_SUCH_USER
        reply = await ask_for_with_wish(
            self._reception, self._session, transaction, recipient, rcpt, self._conduct
        )
        if reply.code == 421:
            self._hang_up(reply)
        return reply

    async def _postmaster(self) -> Address | None:
        domain = await self._settings.first_domain()
        return Address("postmaster", domain) if domain else None

    async def _data(self, _command: commands.Data) -> Reply:
        if self._begun().mail.body is Body.BINARY_MIME:
            return replies.BAD_SEQUENCE.with_text("BINARYMIME needs BDAT")  # RFC 3030 section 3
        return replies.START_DATA

    async def _bdat(self, _command: commands.Bdat) -> None:
        """Its octets follow; they are answered at their end."""

    async def _body_piece(self, piece: BodyPiece) -> None:
        transaction = self._transaction
        if transaction is None:
            return
        if self._machine.state is not commands.State.DATA:
            transaction.scan.feed(piece.data)
        await transaction.add(piece.data)
        if transaction.octets > OVERDRAFT * self._settings.message_octets:
            self._say(replies.TOO_BIG)
            self._hang_up(replies.TOO_BIG)

    async def _body_end(self, end: BodyEnd) -> Reply | None:
        return await self._finish(end.fault)

    async def _chunk_end(self, end: ChunkEnd) -> Reply | None:
        transaction = self._begun()
        if end.last:
            return await self._finish(transaction.chunk_fault())
        if transaction.is_too_big:
            return replies.TOO_BIG
        return replies.NO_STORAGE if transaction.is_broken else replies.CHUNK_OK

    async def _finish(self, fault: DataFault | None) -> Reply | None:
        transaction = self._begun()
        answers = await hand_over(self._reception, self._session, transaction, fault)
        if any(answer.is_positive for answer in answers):
            self._conduct.message_taken()
            self._pace.message_accepted()
            self._reception.strangers.message_accepted(self._session)
        if not self._reception.is_lmtp:
            return answers[0]
        self._send(self._machine.answer_each(answers))
        return None

    def _begun(self) -> Transaction:
        """The transaction, which the machine has seen begin."""
        if self._transaction is None:
            raise AssertionError("the machine is in a transaction and the conversation is not")
        return self._transaction

    # ------------------------------------------------------------------ the rest

    async def _rset(self, _command: commands.Rset) -> Reply:
        self._conduct.junk()
        return replies.OK

    async def _noop(self, _command: commands.Noop) -> Reply:
        self._conduct.junk()
        return replies.OK

    async def _vrfy(self, _command: commands.Vrfy) -> Reply:
        self._conduct.junk()
        return replies.CANNOT_VERIFY

    async def _expn(self, _command: commands.Expn) -> Reply:
        return replies.NOT_IMPLEMENTED

    async def _help(self, _command: commands.Help) -> Reply:
        self._conduct.junk()
        return replies.HELP

    async def _quit(self, _command: commands.Quit) -> Reply:
        self._closing = True
        return replies.GOODBYE

    async def _rejected(self, rejected: Rejected) -> Reply:
        if rejected.closes:
            self._hang_up(rejected.reply)
        return rejected.reply


ANSWERS: Mapping[type, Callable[[Conversation, Any], Awaitable[Reply | None]]] = {
    commands.Hello: Conversation._hello,
    commands.Mail: Conversation._mail,
    commands.Rcpt: Conversation._rcpt,
    commands.Data: Conversation._data,
    commands.Bdat: Conversation._bdat,
    commands.Rset: Conversation._rset,
    commands.Vrfy: Conversation._vrfy,
    commands.Expn: Conversation._expn,
    commands.Help: Conversation._help,
    commands.Noop: Conversation._noop,
    commands.Quit: Conversation._quit,
    commands.StartTLS: Conversation._start_tls,
    commands.Auth: Conversation._auth,
    LoginResponse: Conversation._login_response,
    BodyPiece: Conversation._body_piece,
    BodyEnd: Conversation._body_end,
    ChunkEnd: Conversation._chunk_end,
    Rejected: Conversation._rejected,
}
