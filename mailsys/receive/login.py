"""AUTH: one exchange on one connection, where users send (RFC 4954).

Nowhere else is it offered: a login would lead nowhere there, and show whose passwords can be guessed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from mailsys.interfaces import Account, IConnection, ILoginExchange, LoginFailed, LoginFault, Session
from mailsys.message import reply as replies
from mailsys.message.reply import Reply
from mailsys.receive.reception import Reception
from mailsys.wire.sasl import MECHANISMS
from mailsys.wire.smtp.commands import Auth

FAULTS: Mapping[LoginFault, Reply] = {
    LoginFault.CANCELLED: replies.LOGIN_CANCELLED,
    LoginFault.NOT_BASE64: replies.BAD_BASE64,
    LoginFault.MALFORMED: replies.BAD_CREDENTIALS,
    LoginFault.WRONG: replies.BAD_CREDENTIALS,
    LoginFault.BLOCKED: replies.LOGIN_BLOCKED,
    LoginFault.UNAVAILABLE: replies.LOGIN_UNAVAILABLE,
}


class Authentication:
    """The logins of one connection, which is over when ``had_its_tries``."""

    def __init__(self, reception: Reception, session: Session, connection: IConnection) -> None:
        self._logins = reception.logins
        self._is_for_users = reception.is_submission
        self._plaintext = reception.settings.plaintext
        self._session = session
        self._connection = connection
        self._exchange: ILoginExchange | None = None
        self.had_its_tries = False

    def offered(self) -> tuple[str, ...]:
        """The mechanisms for this connection at this moment; none once somebody has logged in."""
        if self._session.login is not None or not self._is_for_users:
            return ()
        return tuple(self._logins.mechanisms(self._connection, self._plaintext))

    async def begin(self, command: Auth) -> Reply | bytes:
        """Take AUTH; return a reply, or a challenge in base64."""
        if not self._is_for_users:
            return replies.NO_LOGIN_HERE
        offered = self.offered()
        if self._session.login is not None:
            return replies.ALREADY_LOGGED_IN
        if command.mechanism not in MECHANISMS or (offered and command.mechanism not in offered):
            return replies.UNKNOWN_MECHANISM
        if not offered:
            return replies.LOGIN_NEEDS_TLS
        self._exchange = self._logins.begin(command.mechanism, offered, self._session, self._connection)
        return await self._take(self._exchange.begin(command.initial))

    async def go_on(self, line: bytes) -> Reply | bytes:
        """Take the response to a challenge; return a reply, or the next challenge in base64."""
        if self._exchange is None:
            return replies.BAD_SEQUENCE
        return await self._take(self._exchange.go_on(line))

    async def is_over(self) -> bool:
        """Has somebody logged in whose password was changed, or account disabled, since then?"""
        return self._session.login is not None and not await self._logins.is_current(self._session)

    async def _take(self, step: Awaitable[bytes | Account]) -> Reply | bytes:
        try:
            result = await step
        except LoginFailed as failed:
            self._exchange = None
            self.had_its_tries = failed.is_last
            return FAULTS[failed.fault]
        if isinstance(result, Account):
            self._exchange = None
            return replies.LOGGED_IN
        return result
