"""Who may log in."""

from __future__ import annotations

from zope.interface import Interface

from mailsys.interfaces.connections import Session
from mailsys.interfaces.routing import Account


class LoginUnavailable(Exception):  # noqa: N818
    """Nobody can be checked for the moment (too many at once)."""


class ILogins(Interface):
    """Who may log in."""

    async def check(name: str, password: str, session: Session) -> Account | None:
        """The account, or None for a wrong name or password, told alike and in the same time."""
