"""Hosts that are trusted to hand on the mail of others as it is: a former provider, a university, a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailsys.interfaces import Session
from mailsys.net.limits import Network, is_within
from mailsys.net.origin import plain_host


@dataclass(frozen=True, slots=True)
class Forwarders:
    """``trusted`` are networks, and domains with all below them."""

    trusted: Sequence[Network | str] = ()

    def brought(self, session: Session) -> bool:
        """Did one of them bring the message?

        A domain is shown by the client's confirmed name or by SPF, never by a signature, which anybody can
        copy together with what was signed.
        """
        if not self.trusted:
            return False
        networks = tuple([one for one in self.trusted if not isinstance(one, str)])
        if is_within(plain_host(session.peer.host), networks):
            return True
        shown = [*session.findings.get("iprev", ()), *session.findings.get("spf", ())]
        names = [one.domain for one in shown if one.passes]
        domains = [one for one in self.trusted if isinstance(one, str)]
        return any(name == domain or name.endswith(f".{domain}") for name in names for domain in domains)
