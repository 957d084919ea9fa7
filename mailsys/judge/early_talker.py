"""Who speaks before the greeting is no mail server: RFC 5321 4.3.1 has the client wait for it.

Programs that send spam in bulk often do not, so the greeting is held back for a moment, and who
speaks in that moment is refused.  Loopback and the trusted networks are greeted at once; nobody
listens for what they say before, and it is taken for their first command.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from zope.interface import implementer

from mailsys.interfaces import ACCEPT, Disposition, IGreetingPause, Peer, Session, Verdict
from mailsys.judge.silent import SilentJudge
from mailsys.message.reply import Reply

_SPOKE_EARLY = Reply(554, "5.5.1", "You spoke before the greeting")
_HAD_TO_WAIT = Verdict(Disposition.ACCEPT, "waited for the greeting")


@implementer(IGreetingPause)
class EarlyTalker(SilentJudge):
    """Holds the greeting back for ``seconds``, and refuses who does not wait for it."""

    name = "early_talker"

    def __init__(self, seconds: float, trusted_networks: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._seconds = seconds
        self._trusted_networks = tuple(trusted_networks)

    def pause_seconds(self, session: Session) -> float:
        """How long this peer waits for its greeting."""
        peer = session.peer
        return 0.0 if peer.is_loopback or self._is_trusted(peer) else self._seconds

    async def connection(self, session: Session) -> Verdict:
        """Reject with 554 5.5.1 a peer that had to wait and did not."""
        if session.spoke_early:
            return Verdict(Disposition.REJECT, _SPOKE_EARLY.text, _SPOKE_EARLY)
        return _HAD_TO_WAIT if self.pause_seconds(session) else ACCEPT

    def _is_trusted(self, peer: Peer) -> bool:
        if not self._trusted_networks:
            return False
        address = ip_address(peer.host)
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self._trusted_networks)
