"""Who may log in, for every service alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface import implementer

from mailsys.accounts.attempt import Attempt, Desk
from mailsys.accounts.exchange import LoginExchange
from mailsys.accounts.scram import BEGINNING
from mailsys.interfaces import (
    Account,
    DirectoryUnavailable,
    IConnection,
    ILoginExchange,
    ILogins,
    Session,
)
from mailsys.wire import sasl

WITHOUT_SASL = "password"  # USER and PASS in POP3, LOGIN in IMAP, a form


@implementer(ILogins)
class Logins:
    """``default_domain`` completes names without @; empty means the domain that was added first.

    A name is an account's own address: no alias, and none with a tag.  ``offers_binding`` is for -PLUS.
    """

    def __init__(
        self,
        desk: Desk,
        random_bytes: Callable[[int], bytes],
        default_domain: str = "",
        *,
        offers_binding: bool = True,
    ) -> None:
        self._desk = desk
        self._random_bytes = random_bytes
        self._default_domain = default_domain
        self._offers_binding = offers_binding

    def mechanisms(self, connection: IConnection, plaintext: str) -> Sequence[str]:
        """The mechanisms to offer there now."""
        return sasl.offered(
            is_allowed=sasl.passwords_allowed(
                plaintext, is_secure=bool(connection.tls), is_loopback=connection.peer.is_loopback
            ),
            has_keys=self._has_keys(),
            is_bound=self._offers_binding and connection.channel_binding("tls-server-end-point") is not None,
        )

    def _has_keys(self) -> bool:
        """SCRAM is of use only if nobody is kept out by it: a program that sees it tries nothing else."""
        try:
            return not self._desk.has_sources and self._desk.directory.all_have_scram_keys(BEGINNING)
        except DirectoryUnavailable:
            return False

    def begin(
        self, mechanism: str, offered: Sequence[str], session: Session, connection: IConnection
    ) -> ILoginExchange:
        """An attempt with one of the mechanisms that were offered."""
        exchange = sasl.exchange(mechanism, tuple(offered), connection.channel_binding, self._random_bytes)
        return LoginExchange(exchange, self._attempt(session, mechanism))

    async def check(self, name: str, password: str, session: Session) -> Account:
        """The account of a name and a password; raises LoginFailed."""
        return await self._attempt(session, WITHOUT_SASL).password(name, password)

    async def is_current(self, session: Session) -> bool:
        """May this session go on?  While the accounts cannot be read, nothing is known against it."""
        if session.login is None:
            return False
        try:
            # Of accounts from further sources there is no stamp, neither then nor now.
            return self._desk.directory.stamp(session.login) == session.login_stamp
        except DirectoryUnavailable:
            return True

    def _attempt(self, session: Session, mechanism: str) -> Attempt:
        return Attempt(self._desk, session, mechanism, self._default_domain)
