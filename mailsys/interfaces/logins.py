"""Who may log in.  Every service asks here, so that who guesses is counted in one place."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from zope.interface import Interface

from mailsys.interfaces.connections import IConnection, Session
from mailsys.interfaces.routing import Account


class LoginUnavailable(Exception):  # noqa: N818
    """Nobody can be checked for the moment (too many at once); for checkers to raise."""


class LoginFault(Enum):
    """What the client is told, in the words of its protocol; the journal knows more."""

    CANCELLED = "the client gave up"
    NOT_BASE64 = "a line was not base64"
    MALFORMED = "a line was not what the mechanism asks for"
    WRONG = "name or password is wrong"
    BLOCKED = "there were too many wrong passwords"
    UNAVAILABLE = "nobody can be checked for the moment"


class LoginFailed(Exception):  # noqa: N818
    """An attempt is over.  ``is_last``: this client has had its tries, and is to be sent away."""

    def __init__(self, fault: LoginFault, *, is_last: bool = False) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.is_last = is_last


class ILoginExchange(Interface):
    """A login in several steps (SASL), of one client.

    Each step returns what to say to the client, in base64, or at the end the account; it raises
    LoginFailed, when the time has come to say so.
    """

    async def begin(initial: bytes | None) -> bytes | Account:
        """Start, with the initial response as it stood behind the mechanism's name."""

    async def go_on(line: bytes) -> bytes | Account:
        """Take the line that answered the last challenge."""


class ILogins(Interface):
    """Who may log in.

    A login that succeeds is noted in the session.  Each attempt is counted, and told to the journal.
    """

    def mechanisms(connection: IConnection, plaintext: str) -> Sequence[str]:
        """The SASL mechanisms to offer there now; ``plaintext`` is the setting: never, loopback, always.

        Without any, a name and a password must not come over this connection in another way either.
        """

    def begin(
        mechanism: str, offered: Sequence[str], session: Session, connection: IConnection
    ) -> ILoginExchange:
        """An attempt with one of the mechanisms that were offered."""

    async def check(name: str, password: str, session: Session) -> Account:
        """The account of a name and a password that came without SASL; raises LoginFailed.

        Unknown names, wrong passwords and accounts that are disabled fail alike and in the same time.
        """

    async def is_current(session: Session) -> bool:
        """May this session go on?  Not when its password was changed or its account disabled meanwhile."""
