"""Who may log in, for every service alike: completes the name, and asks the portal."""

from __future__ import annotations

from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from zope.interface import implementer

from mailsys.accounts.credentials import is_acceptable
from mailsys.accounts.directory import Directory
from mailsys.accounts.portal import IMailUser
from mailsys.interfaces import Account, DirectoryUnavailable, ILogins, LoginUnavailable, Session

NAME_OCTETS = 320


@implementer(ILogins)
class Logins:
    """``default_domain`` completes names without @; empty means the domain that was added first.

    A name is an account's own address: no alias, and none with a tag.
    """

    def __init__(self, portal: Portal, directory: Directory, default_domain: str = "") -> None:
        self._portal = portal
        self._directory = directory
        self._default_domain = default_domain

    async def check(self, name: str, password: str, session: Session) -> Account | None:
        """The account, or None for a wrong name or password; raises LoginUnavailable."""
        # Refused without a look at the accounts, so the time tells nothing about them.
        if not _is_name(name) or not is_acceptable(password):
            return None
        try:
            login = UsernamePassword((await self._completed(name)).encode(), password.encode())
            _interface, user, _log_out = await self._portal.login(login, None, IMailUser)
        except UnauthorizedLogin:
            return None
        except DirectoryUnavailable as error:
            raise LoginUnavailable("the accounts cannot be read") from error
        return IMailUser(user).account

    async def _completed(self, name: str) -> str:
        if "@" in name:
            return name
        domain = self._default_domain or await self._directory.first_domain()
        return f"{name}@{domain}" if domain else name


def _is_name(name: str) -> bool:
    try:
        return 0 < len(name.encode()) <= NAME_OCTETS
    except UnicodeEncodeError:  # a lone surrogate: the client did not send UTF-8
        return False
