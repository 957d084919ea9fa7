"""From the greeting to a login (RFC 9051 6.1 and 6.2, RFC 4959)."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from mailsys.interfaces import Account, ILoginExchange, ILogins, LoginFailed, LoginFault, Session
from mailsys.read.imap.dialogue import Dialogue, HadItsTries, Said
from mailsys.read.imap.identity import answer_id
from mailsys.wire.imap import responses
from mailsys.wire.imap.events import Request, SaslLine
from mailsys.wire.imap.responses import Response
from mailsys.wire.imap.session_commands import Authenticate, Capability, Id, Login, Logout, Noop, Starttls

_FAULTS: Mapping[LoginFault, Response] = {
    LoginFault.CANCELLED: responses.LOGIN_CANCELLED,
    LoginFault.NOT_BASE64: responses.BAD_SASL,
    LoginFault.MALFORMED: responses.BAD_SASL,
    LoginFault.WRONG: responses.BAD_CREDENTIALS,
    LoginFault.BLOCKED: responses.LOGIN_BLOCKED,
    LoginFault.UNAVAILABLE: responses.LOGIN_UNAVAILABLE,
}


class Authorization:
    """One client's attempts to log in."""

    def __init__(self, dialogue: Dialogue, session: Session, logins: ILogins) -> None:
        self._dialogue = dialogue
        self._session = session
        self._logins = logins
        self._exchange: ILoginExchange | None = None  # from AUTHENTICATE, while it goes on
        self._tag = ""  # of that command

    async def run(self) -> tuple[str, Account] | None:
        """Return who has logged in, and the tag that waits for its answer; None after LOGOUT."""
        while True:
            said = await self._dialogue.next()
            if isinstance(said, Request) and isinstance(said.command, Logout):
                self._dialogue.tell(responses.GOODBYE)
                self._dialogue.say(said.tag, responses.LOGGED_OUT)
                return None
            account = await self._obey(said)
            if account is not None:
                return self._tag, account

    async def _obey(self, said: Said) -> Account | None:
        match said:
            case SaslLine(line) if self._exchange is not None:
                return await self._take(self._exchange.go_on(line))
            case Request(tag, Login(name, password)):
                self._tag = tag
                return await self._take(self._logins.check(name, password, self._session))
            case Request(tag, Authenticate(mechanism, initial)):
                self._tag = tag
                return await self._begin(mechanism, initial)
            case Request(tag, Starttls()):
                await self._dialogue.start_tls(tag)
                self._session.tls = self._dialogue.connection.tls
            case Request(tag, Capability()):
                self._dialogue.send(f"* CAPABILITY {self._dialogue.capabilities}\r\n".encode())
                self._dialogue.say(tag, responses.DONE)
            case Request(tag, Id() as id):
                self._dialogue.send(answer_id(id, self._session))
                self._dialogue.say(tag, responses.DONE)
            case Request(tag, Noop()):
                self._dialogue.say(tag, responses.DONE)
        return None

    async def _begin(self, mechanism: str, initial: bytes | None) -> Account | None:
        offered = self._dialogue.mechanisms
        if mechanism not in offered:
            self._dialogue.say(self._tag, responses.UNKNOWN_MECHANISM)
            return None
        connection = self._dialogue.connection
        self._exchange = self._logins.begin(mechanism, offered, self._session, connection)
        return await self._take(self._exchange.begin(initial))

    async def _take(self, step: Awaitable[bytes | Account]) -> Account | None:
        """A step towards a login, or the whole of it."""
        try:
            result = await step
        except LoginFailed as failed:
            self._dialogue.say(self._tag, _FAULTS[failed.fault])
            if failed.is_last:
                raise HadItsTries from failed
            return None
        if isinstance(result, Account):
            return result
        self._dialogue.challenge(result)
        return None
