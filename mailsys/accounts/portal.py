"""Twisted's way to let somebody in: checkers know who it is, the realm knows what is theirs.

Further checkers (PAM, LDAP) are asked in their order.  An avatar's id is the address of the
account, in UTF-8; nobody is let in without a name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, maybeDeferred
from zope.interface import Attribute, Interface, implementer

from mailsys.interfaces import Account, IDirectory
from mailsys.message.address import parse_address

_Avatar = tuple[type[Interface], object, Callable[[], None]]


class IMailUser(Interface):
    """The avatar of somebody who logged in."""

    account: Account = Attribute("whose mail it is")


@implementer(IMailUser)
@dataclass(frozen=True, slots=True)
class MailUser:
    """Somebody who logged in."""

    account: Account


@implementer(IRealm)
class MailUsers:
    """Gives an active account to those who proved that it is theirs."""

    def __init__(self, directory: IDirectory) -> None:
        self._directory = directory

    def requestAvatar(
        self, avatar_id: bytes | tuple[()], mind: object, *interfaces: type[Interface]
    ) -> Deferred[_Avatar]:
        """Fire with a MailUser, or fail with UnauthorizedLogin when there is no active account."""
        if IMailUser not in interfaces:
            raise NotImplementedError("only IMailUser is known here")
        return Deferred.fromCoroutine(self._avatar(avatar_id))

    async def _avatar(self, avatar_id: bytes | tuple[()]) -> _Avatar:
        if not isinstance(avatar_id, bytes):
            raise UnauthorizedLogin  # cred's anonymous
        account = await self._directory.account(parse_address(avatar_id.decode()))
        if account is None or not account.active:
            raise UnauthorizedLogin
        return IMailUser, MailUser(account), _log_out


@implementer(ICredentialsChecker)
class InOrder:
    """Several checkers of names and passwords: the first that knows the password decides."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, checkers: Sequence[ICredentialsChecker]) -> None:
        self._checkers = checkers

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """Fire with the first answer; fail with UnauthorizedLogin when all refuse."""
        return Deferred.fromCoroutine(self._first(credentials))

    async def _first(self, credentials: Any) -> bytes | tuple[()]:
        for checker in self._checkers:
            try:
                return await maybeDeferred(checker.requestAvatarId, credentials)
            except UnauthorizedLogin:
                continue
        raise UnauthorizedLogin


def open_portal(directory: IDirectory, checkers: Sequence[ICredentialsChecker]) -> Portal:
    """The portal through which all logins go."""
    return Portal(MailUsers(directory), [InOrder(checkers)])


def _log_out() -> None:
    """Nothing is held for somebody who is logged in."""
