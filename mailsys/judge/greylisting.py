"""Asks a host that nobody vouches for to come again in a minute (RFC 6647).

A host is of good standing, and is never asked, if SPF passes, if it calls itself by the name that DNS
confirms, if an allow list has it, if its network came again before, or if the sender is known to the
recipient.  What comes again in time opens the way for its whole network.
"""

from __future__ import annotations

import hashlib
import sqlite3

from twisted.logger import Logger

from mailsys.interfaces import ACCEPT, Disposition, ISenderHistory, Session, Verdict
from mailsys.judge.memory.greylist import Greylist
from mailsys.judge.silent import SilentJudge
from mailsys.judge.strangers import Strangers
from mailsys.message.address import Address
from mailsys.message.reply import Reply
from mailsys.net.origin import origin_of, shown

log = Logger(namespace="mailsys.judge")


class Greylisting(SilentJudge):
    """Lets hosts without good standing wait for ``wait_seconds``."""

    name = "greylisting"

    def __init__(
        self, greylist: Greylist, history: ISenderHistory, strangers: Strangers, wait_seconds: float
    ) -> None:
        self._greylist = greylist
        self._history = history
        self._strangers = strangers
        self._wait_seconds = wait_seconds

    async def recipient(self, session: Session, recipient: Address) -> Verdict:
        """Defer with 451 4.7.1 and when to come again, or accept."""
        network = _network(session.peer.host)
        if not network or not self._strangers.knows_not(session):
            return ACCEPT
        if reason := standing(session):
            return Verdict(Disposition.ACCEPT, reason)
        if await self._history.knows(session, session.reverse_path, [recipient]):
            return Verdict(Disposition.ACCEPT, "the sender has written before")
        try:
            left = await self._greylist.wait_seconds(
                network, _what(network, session.reverse_path, recipient), self._wait_seconds
            )
        except (OSError, sqlite3.Error) as error:
            log.warn("Greylisting cannot remember anything: {error}", error=error)
            return Verdict(Disposition.ACCEPT, "it cannot be told who came before")
        if not left:
            return Verdict(Disposition.ACCEPT, f"{network} came again")
        words = f"Nobody vouches for your host yet; try again in {max(1, round(left))} seconds"
        return Verdict(Disposition.DEFER, "nobody vouches for it yet", Reply(451, "4.7.1", words))


def standing(session: Session) -> str:
    """Why this host need not wait, in words; empty if it has to."""
    if sender := next((one for one in session.findings.get("spf", ()) if one.passes), None):
        return f"SPF passes for {sender.domain}"
    if listed := next((one for one in session.findings.get("dnswl", ()) if one.passes), None):
        return f"{listed.domain} has it"
    name = next((one.domain for one in session.findings.get("iprev", ()) if one.passes), "")
    return f"it is {name}, as it says" if name and name == session.greeting.lower().rstrip(".") else ""


def _network(host: str) -> str:
    """Its /24, or its /64 of IPv6: neighbours of one provider send for one another."""
    origin = origin_of(host)
    return shown(origin.address if len(origin.address) > 4 else origin.network) if origin else ""


def _what(network: str, sender: Address | None, recipient: Address) -> str:
    """Who wants to write to whom, in few octets whatever the addresses are."""
    words = f"{network} {sender.folded() if sender else ''} {recipient.folded()}"
    return hashlib.sha256(words.encode()).hexdigest()[:32]
