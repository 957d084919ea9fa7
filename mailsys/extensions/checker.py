"""Checkers of credentials of plugins, which join the portal behind our own."""

from __future__ import annotations

from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, maybeDeferred
from zope.interface import implementer

from mailsys.extensions.guard import Guard
from mailsys.interfaces import DirectoryUnavailable, LoginUnavailable, PluginFailed
from mailsys.message.address import AddressError, parse_address


@implementer(ICredentialsChecker)
class GuardedChecker:
    """Asks the plugin, within its deadline; the avatar's id is the address of an account."""

    def __init__(self, checker: Any, guard: Guard) -> None:
        self.credentialInterfaces = checker.credentialInterfaces
        self._checker = checker
        self._guard = guard

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """Fire with the address, or fail: UnauthorizedLogin, or LoginUnavailable, which names the plugin."""
        return Deferred.fromCoroutine(self._ask(credentials))

    async def _ask(self, credentials: Any) -> bytes | tuple[()]:
        declared = (UnauthorizedLogin, LoginUnavailable, DirectoryUnavailable)
        try:
            return await self._guard.ask(
                "requestAvatarId",
                lambda: maybeDeferred(self._checker.requestAvatarId, credentials),
                _fault,
                declared,
            )
        except PluginFailed as failed:
            raise LoginUnavailable(str(failed)) from failed


def _fault(avatar_id: Any) -> str:
    """The id must be the address of an account, folded: cred's anonymous and made-up ids let nobody in."""
    if not isinstance(avatar_id, bytes):
        return "an avatar's id that is no address in UTF-8"
    try:
        address = parse_address(avatar_id.decode())
    except (AddressError, UnicodeDecodeError):
        return "an avatar's id that is no address"
    return "" if address == address.folded() else "an avatar's id that is not folded"
