"""The AUTHORIZATION state: from the greeting to an open mailbox (RFC 1939 4, RFC 5034)."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from twisted.logger import Logger

from mailsys.interfaces import (
    Account,
    ILoginExchange,
    ILogins,
    IMailbox,
    IMailStore,
    LoginFailed,
    LoginFault,
    MailboxInUse,
    Session,
)
from mailsys.read.pop3.dialogue import Dialogue, HadItsTries
from mailsys.wire.pop3 import responses
from mailsys.wire.pop3.commands import Auth, Capa, Command, Pass, Quit, Stls, User, Utf8
from mailsys.wire.pop3.responses import Response
from mailsys.wire.pop3.server import SaslLine

INBOX = "INBOX"

_FAULTS: Mapping[LoginFault, Response] = {
    LoginFault.CANCELLED: responses.LOGIN_CANCELLED,
    LoginFault.NOT_BASE64: responses.BAD_SASL,
    LoginFault.MALFORMED: responses.BAD_SASL,
    LoginFault.WRONG: responses.BAD_CREDENTIALS,
    LoginFault.BLOCKED: responses.LOGIN_BLOCKED,
    LoginFault.UNAVAILABLE: responses.LOGIN_UNAVAILABLE,
}

log = Logger(namespace="mailsys.read")


class Authorization:
    """One client's attempts to log in."""

    def __init__(self, dialogue: Dialogue, session: Session, logins: ILogins, store: IMailStore) -> None:
        self._dialogue = dialogue
        self._session = session
        self._logins = logins
        self._store = store
        self._name: str | None = None  # from USER, until PASS
        self._exchange: ILoginExchange | None = None  # from AUTH, while it goes on

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
                return await self._take(self._exchange.go_on(line))
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
        self._session.tls = self._dialogue.connection.tls

    async def _take_password(self, password: str) -> IMailbox | None:
        name, self._name = self._name, None
        if name is None:
            self._dialogue.say(responses.NAME_FIRST)
            return None
        return await self._take(self._logins.check(name, password, self._session))

    async def _begin(self, mechanism: str, initial: bytes | None) -> IMailbox | None:
        """AUTH; without a mechanism some old clients ask which there are."""
        offered = self._dialogue.mechanisms
        if not mechanism:
            self._dialogue.send(responses.listing("Mechanisms follow", offered))
        elif mechanism not in offered:
            self._dialogue.say(responses.UNKNOWN_MECHANISM)
        else:
            connection = self._dialogue.connection
            self._exchange = self._logins.begin(mechanism, offered, self._session, connection)
            return await self._take(self._exchange.begin(initial))
        return None

    async def _take(self, step: Awaitable[bytes | Account]) -> IMailbox | None:
        """A step towards a login, or the whole of it."""
        try:
            result = await step
        except LoginFailed as failed:
            self._dialogue.say(_FAULTS[failed.fault])
            if failed.is_last:
                raise HadItsTries from failed
            return None
        if isinstance(result, Account):
            return await self._open(result)
        self._dialogue.challenge(result)
        return None

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
