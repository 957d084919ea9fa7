"""A POP3 conversation from greeting to goodbye."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import (
    ConnectionEnded,
    HostStops,
    IConnection,
    IConversation,
    IJournal,
    ILogins,
    IMailbox,
    IMailStore,
    IWorkers,
    Session,
    TimedOut,
)
from mailsys.journal import events
from mailsys.read.pop3.authorization import Authorization
from mailsys.read.pop3.dialogue import Dialogue, SentAway
from mailsys.read.pop3.transaction import Transaction
from mailsys.wire.pop3 import responses

log = Logger(namespace="mailsys.read")


@implementer(IConversation)
@dataclass(frozen=True, slots=True, kw_only=True)
class POP3Conversation:
    """What all POP3 connections of a listener share; keeps nothing of any of them.

    ``plaintext`` is the setting of that name: never, loopback or always.  ``idle_seconds`` is the
    autologout timer, which RFC 1939 3 wants to be 10 minutes at least.  Until somebody has logged in
    there is nobody to log out, and ``login_seconds`` is all the time that there is.
    """

    hostname: str
    store: IMailStore
    logins: ILogins
    journal: IJournal
    workers: IWorkers
    clock: IReactorTime
    now: Callable[[], float]  # seconds since 1970
    new_session_id: Callable[[], str]
    plaintext: str = "loopback"
    idle_seconds: float = 600.0
    login_seconds: float = 180.0

    async def run(self, connection: IConnection) -> None:
        """Speak until the end; a fault of ours ends this session and no other."""
        session = Session(self.new_session_id(), connection.peer, protocol="POP3", tls=connection.tls)
        times = self.login_seconds, self.idle_seconds
        dialogue = Dialogue(connection, self.clock, self._mechanisms, *times)
        try:
            dialogue.send(responses.greeting(self.hostname))
            await self._serve(dialogue, session)
        except HostStops:
            dialogue.say(responses.SHUTTING_DOWN)
            raise
        except SentAway as ended:
            said = str(ended.response)
            self._note_end(session, said)
            raise
        except TimedOut:  # RFC 1939 3: nothing is said
            self._note_end(session, "silent, or without a login, for too long")
            raise
        except (ConnectionEnded, CancelledError):
            raise
        except Exception:
            log.failure("POP3 session {id} broke", id=session.id)
            dialogue.say(responses.LOCAL_ERROR)
        finally:
            connection.close()

    def _mechanisms(self, connection: IConnection) -> Sequence[str]:
        return self.logins.mechanisms(connection, self.plaintext)

    def _note_end(self, session: Session, said: str) -> None:
        self.journal.record(events.refused(session.id, session, "SESSION", said, self.now()))

    async def _serve(self, dialogue: Dialogue, session: Session) -> None:
        mailbox = await Authorization(dialogue, session, self.logins, self.store).run()
        if mailbox is not None:
            await self._give_out(mailbox, dialogue, session)

    async def _give_out(self, mailbox: IMailbox, dialogue: Dialogue, session: Session) -> None:
        """Serve an open mailbox, and give it up before the client hears goodbye."""
        with closing(mailbox):
            transaction = Transaction(
                dialogue, mailbox, self.workers, is_current=lambda: self.logins.is_current(session)
            )
            try:
                farewell = await transaction.run()
            finally:
                self._tell_what_was_done(session, transaction)
        dialogue.say(farewell)

    def _tell_what_was_done(self, session: Session, transaction: Transaction) -> None:
        event = events.mailbox_read(
            session,
            transaction.retrieved,
            transaction.deleted,
            self.now(),
            fetched=transaction.fetched,
            removed=transaction.removed,
        )
        self.journal.record(event)
