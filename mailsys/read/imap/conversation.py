"""An IMAP conversation from greeting to goodbye."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.interfaces import (
    Account,
    ConnectionEnded,
    HostStops,
    IConnection,
    IConversation,
    IFolderStore,
    IJournal,
    ILogins,
    IWorkers,
    Session,
    TimedOut,
)
from mailsys.journal import events
from mailsys.read.imap.authorization import Authorization
from mailsys.read.imap.dialogue import Dialogue, SentAway
from mailsys.read.imap.first_folders import FirstFolders
from mailsys.read.imap.incoming import Incoming
from mailsys.read.imap.service import Service
from mailsys.read.imap.session import IMAPSession
from mailsys.wire.imap import responses
from mailsys.wire.imap.responses import ok

log = Logger(namespace="mailsys.read")


@implementer(IConversation)
@dataclass(frozen=True, slots=True, kw_only=True)
class IMAPConversation:
    """What all IMAP connections of a listener share; keeps nothing of any of them.

    ``plaintext`` is the setting of that name: never, loopback or always.  ``idle_seconds`` is the
    autologout timer, which RFC 9051 5.4 wants to be 30 minutes at least.  Until somebody has logged in
    there is nobody to log out, and ``login_seconds`` is all the time that there is.
    ``without`` are capabilities in capitals that are not announced, by address or ``*`` for every account.
    """

    hostname: str
    store: IFolderStore
    logins: ILogins
    journal: IJournal
    workers: IWorkers
    incoming: Incoming
    clock: IReactorTime
    now: Callable[[], float]  # seconds since 1970
    new_session_id: Callable[[], str]
    plaintext: str = "loopback"
    idle_seconds: float = 1800.0
    login_seconds: float = 180.0
    without: Mapping[str, frozenset[str]] = field(default_factory=dict)
    first_folders: FirstFolders = field(default_factory=FirstFolders)

    async def run(self, connection: IConnection) -> None:
        """Speak until the end; a fault of ours ends this session and no other."""
        session = Session(self.new_session_id(), connection.peer, protocol="IMAP", tls=connection.tls)
        dialogue = Dialogue(
            connection,
            self.clock,
            self._mechanisms,
            self.incoming.message_octets,
            self.login_seconds,
            self.idle_seconds,
        )
        try:
            greeting = ok(f"{self.hostname} is ready", f"CAPABILITY {dialogue.capabilities}")
            dialogue.tell(greeting)
            await self._serve(dialogue, session)
        except HostStops:
            dialogue.tell(responses.SHUTTING_DOWN)
            raise
        except SentAway as ended:
            self._note_end(session, str(ended.response))
            raise
        except TimedOut:
            self._note_end(session, "silent, or without a login, for too long")
            dialogue.tell(responses.AUTOLOGOUT)  # RFC 9051 5.4
            raise
        except (ConnectionEnded, CancelledError):
            raise
        except Exception:
            log.failure("IMAP session {id} broke", id=session.id)
            dialogue.tell(responses.LOCAL_ERROR)
        finally:
            connection.close()

    def _mechanisms(self, connection: IConnection) -> Sequence[str]:
        return self.logins.mechanisms(connection, self.plaintext)

    def _note_end(self, session: Session, said: str) -> None:
        self.journal.record(events.refused(session.id, session, "SESSION", said, self.now()))

    async def _serve(self, dialogue: Dialogue, session: Session) -> None:
        found = await Authorization(dialogue, session, self.logins).run()
        if found is None:
            return
        tag, account = found
        imap = self._session(dialogue, account)
        if not await self._prepare(imap, account):
            dialogue.say(tag, responses.UNAVAILABLE)
            raise SentAway(responses.UNAVAILABLE)
        dialogue.logged_in(self._withheld(account))
        dialogue.say(tag, ok("Logged in", f"CAPABILITY {dialogue.capabilities}"))
        try:
            await Service(imap, self.logins, session).run()
        finally:
            imap.leave()
            self._tell_what_was_done(session, imap)

    def _withheld(self, account: Account) -> frozenset[str]:
        nothing: frozenset[str] = frozenset()
        return self.without.get(str(account.address), nothing) | self.without.get("*", nothing)

    def _session(self, dialogue: Dialogue, account: Account) -> IMAPSession:
        return IMAPSession(
            dialogue=dialogue,
            account=account,
            store=self.store,
            folders=self.store.folders(account),
            workers=self.workers,
            incoming=self.incoming,
            now=self.now,
        )

    async def _prepare(self, imap: IMAPSession, account: Account) -> bool:
        try:
            await self.first_folders.ensure(account.address, imap.folders)
        except OSError as error:
            name = str(account.address)
            log.error("The folders of {account} cannot be used: {error}", account=name, error=error)
            return False
        return True

    def _tell_what_was_done(self, session: Session, imap: IMAPSession) -> None:
        counts = imap.counts
        event = events.folders_used(session, counts.fetched, counts.appended, counts.expunged, self.now())
        self.journal.record(event)
