"""The AUTHORIZATION state: from the greeting to an open mailbox (RFC 1939 4, RFC 5034)."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailsys.interfaces import (
    Account,
    IJournal,
    ILogins,
    IMailbox,
    IMailStore,
    LoginUnavailable,
    MailboxInUse,
    Session,
)
from mailsys.journal import events
from mailsys.read.pop3.dialogue import Dialogue, SentAway
from mailsys.wire import sasl
from mailsys.wire.pop3 import responses
from mailsys.wire.pop3.commands import Auth, Capa, Command, Pass, Quit, Stls, User, Utf8
from mailsys.wire.pop3.responses import Response
from mailsys.wire.pop3.server import SaslLine
from mailsys.wire.sasl import Challenge, Credentials, Exchange, Failed, Refusal, Step

INBOX = "INBOX"
MOST_FAILURES = 5  # of one connection
LONGEST_PAUSE_SECONDS = 8.0

_REFUSALS: Mapping[Refusal, Response] = {
    Refusal.CANCELLED: responses.LOGIN_CANCELLED,
    Refusal.BAD_BASE64: responses.BAD_SASL,
    Refusal.MALFORMED: responses.BAD_SASL,
    Refusal.OTHER_IDENTITY: responses.BAD_CREDENTIALS,
}

log = Logger(namespace="mailsys.read")


class Authorization:
    """One client's attempts to log in."""

    def __init__(
        self,
        dialogue: Dialogue,
        session: Session,
        logins: ILogins,
        store: IMailStore,
        journal: IJournal,
        clock: IReactorTime,
    ) -> None:
        self._dialogue = dialogue
        self._session = session
        self._logins = logins
        self._store = store
        self._journal = journal
        self._clock = clock
        self._name: str | None = None  # from USER, until PASS
        self._exchange: Exchange | None = None  # from AUTH, while it goes on
        self._failures = 0

    async def run(self) -> IMailbox | None:
        """Return the mailbox, open for this session alone, or None after QUIT."""
        while True:
            command = await self._dialogue.next()
            if isinstance(command, Quit):
                self._dialogue.say(responses.GOODBYE)
                return None
            mailbox = await self._obey(command)
            if mailbox is not None:
                return mailbox

    async def _obey(self, command: Command | SaslLine) -> IMailbox | None:
        match command:
            case User(name):
                self._name = name
                self._dialogue.say(responses.NAME_TAKEN)
            case Pass(password):
                return await self._take_password(password)
            case Auth(mechanism, initial):
                return await self._begin(mechanism, initial)
            case SaslLine(line) if self._exchange is not None:
                return await self._take_step(sasl.step(self._exchange, line))
            case Stls():
                await self._start_tls()
            case Capa():
                self._dialogue.list_capabilities()
            case Utf8():
                # RFC 6856 2.1: names and messages are UTF-8 here with this command and without.
                self._dialogue.say(responses.UTF8_ON)
        return None

    async def _start_tls(self) -> None:
        self._name = None
        await self._dialogue.start_tls()
        self._session.tls = self._dialogue.tls

    async def _take_password(self, password: str) -> IMailbox | None:
        name, self._name = self._name, None
        if name is None:
            self._dialogue.say(responses.NAME_FIRST)
            return None
        return await self._log_in(name, password)

    async def _begin(self, mechanism: str, initial: bytes | None) -> IMailbox | None:
        """AUTH; without a mechanism some old clients ask which there are."""
        if not mechanism:
            self._dialogue.send(responses.listing("Mechanisms follow", sasl.MECHANISMS))
        elif mechanism not in sasl.MECHANISMS:
            self._dialogue.say(responses.UNKNOWN_MECHANISM)
        else:
            self._exchange = sasl.MECHANISMS[mechanism]()
            return await self._take_step(sasl.begin(self._exchange, initial))
        return None

    async def _take_step(self, step: Step) -> IMailbox | None:
        match step:
            case Challenge():
                self._dialogue.challenge(step)
            case Failed(refusal):
                self._fail(_REFUSALS[refusal])
            case Credentials(name, password):
                return await self._log_in(name, password)
        return None

    async def _log_in(self, name: str, password: str) -> IMailbox | None:
        try:
            account = await self._logins.check(name, password, self._session)
        except LoginUnavailable:
            self._dialogue.say(responses.LOGIN_UNAVAILABLE)
            return None
        if account is not None:
            self._session.login = account.address
        self._journal.record(events.login(self._session, name, account is not None, self._clock.seconds()))
        if account is None:
            await self._dialogue.pause(min(2.0**self._failures, LONGEST_PAUSE_SECONDS))
            self._fail(responses.BAD_CREDENTIALS)
            return None
        return await self._open(account)

    def _fail(self, response: Response) -> None:
        self._dialogue.say(response)
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            raise SentAway(response)

    async def _open(self, account: Account) -> IMailbox | None:
        """Open the mailbox; while that is not possible the client may try again (RFC 2449 8.1.2)."""
        try:
            mailbox = await self._store.open(account, INBOX, exclusive=True)
        except MailboxInUse:
            self._dialogue.say(responses.IN_USE)
        except OSError as error:
            log.error(
                "Mailbox {account} cannot be opened: {error}", account=str(account.address), error=error
            )
            self._dialogue.say(responses.MAILBOX_UNREADABLE)
        else:
            return mailbox
        self._session.login = None
        return None
