"""AUTH: one exchange on one connection (RFC 4954)."""

from __future__ import annotations

from collections.abc import Mapping

from mailsys.interfaces import Account, ILogins, LoginUnavailable, Session
from mailsys.message import reply as replies
from mailsys.message.reply import Reply
from mailsys.wire import sasl
from mailsys.wire.sasl import Challenge, Credentials, Exchange, Failed, Refusal, Step

REFUSALS: Mapping[Refusal, Reply] = {
    Refusal.CANCELLED: replies.LOGIN_CANCELLED,
    Refusal.BAD_BASE64: replies.BAD_BASE64,
    Refusal.MALFORMED: replies.BAD_CREDENTIALS,
    Refusal.OTHER_IDENTITY: replies.BAD_CREDENTIALS,
}


def mechanisms_for(session: Session, plaintext: str) -> tuple[str, ...]:
    """The mechanisms we offer on this connection; ``plaintext`` is the setting of that name."""
    is_secure, is_loopback = bool(session.tls), session.peer.is_loopback
    allowed = sasl.passwords_allowed(plaintext, is_secure=is_secure, is_loopback=is_loopback)
    return tuple(sasl.MECHANISMS) if allowed else ()


class LoginExchange:
    """Goes from AUTH to a reply or the next challenge; ``account`` is set after success."""

    def __init__(self, exchange: Exchange, logins: ILogins, session: Session) -> None:
        self._exchange = exchange
        self._logins = logins
        self._session = session
        self.account: Account | None = None
        self.name = ""

    async def begin(self, initial: bytes | None) -> Reply | bytes:
        """Return a reply, or the base64 of a challenge."""
        return await self._take(sasl.begin(self._exchange, initial))

    async def go_on(self, line: bytes) -> Reply | bytes:
        """Return a reply, or the base64 of a challenge."""
        return await self._take(sasl.step(self._exchange, line))

    async def _take(self, step: Step) -> Reply | bytes:
        match step:
            case Challenge():
                return sasl.encode(step)
            case Failed(refusal):
                return REFUSALS[refusal]
            case Credentials(name, password):
                return await self._check(name, password)

    async def _check(self, name: str, password: str) -> Reply:
        self.name = name
        try:
            self.account = await self._logins.check(name, password, self._session)
        except LoginUnavailable:
            return replies.LOGIN_UNAVAILABLE
        return replies.BAD_CREDENTIALS if self.account is None else replies.LOGGED_IN
