"""Who is asked who they are: all but users, trusted networks, and programs that speak LMTP.

What is known of others is known by where they come from.  That says nothing of mail that somebody else has
taken in before us: a program on this machine, or a host that hands it on by LMTP and has judged it itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailsys.interfaces import Session
from mailsys.net.limits import Network, is_within
from mailsys.net.origin import plain_host


@dataclass(frozen=True, slots=True)
class Strangers:
    """``exempt`` are networks whose mail is not judged by its origin."""

    exempt: tuple[Network, ...] = ()

    def knows_not(self, session: Session) -> bool:
        """Is this client a stranger?"""
        host = session.peer.host
        if session.peer.service != "smtp" or session.login is not None or not host:
            return False
        return not is_within(plain_host(host), self.exempt)
