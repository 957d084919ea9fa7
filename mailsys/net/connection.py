"""One connection of a listener: bytes to and from a conversation, once its peer is let in.

A conversation is one coroutine a connection, so it does one thing at a time: it waits for bytes,
answers, waits until the peer has taken the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mailsys.interfaces import ConnectionEnded, IConnection, IConversation, Peer, TimedOut
from mailsys.net.credentials import user_of
from mailsys.net.house import House, Patience
from mailsys.net.limits import Place
from mailsys.net.origin import plain_host
from mailsys.net.stream import Stream
from mailsys.wire.proxy import MalformedHeader, read_proxy_header

PROXY_SECONDS = 10.0  # a proxy has its header ready when it connects
# Whom a proxy does not name may be anybody: with its own address he would be one of this machine, or of
# a network that is trusted.  This address is nobody's, and a stranger's in all limits.
UNTOLD = "0.0.0.0", 0  # noqa: S104 - nothing is bound to it

log = Logger(namespace="mailsys.net")


@implementer(IConnection)
class Connection(Stream):
    """Made by the factory for each connection; gives the conversation what ``IConnection`` says."""

    def __init__(
        self,
        clock: IReactorTime,
        peer: Peer,
        converse: Callable[[], IConversation],
        tls: IOpenSSLServerConnectionCreator | None,
        *,
        house: House,
        place: Place,
        patience: Patience = Patience(),  # noqa: B008 - it never changes
        implicit_tls: bool = False,
        is_proxied: bool = False,
        is_local: bool = False,
    ) -> None:
        super().__init__(clock, peer, tls, patience)
        self.place = place
        self._converse = converse
        self._house = house
        self._implicit_tls = implicit_tls
        self._is_proxied = is_proxied
        self._is_local = is_local

    # ------------------------------------------------------------------ what Twisted calls

    def connectionMade(self) -> None:
        """Begin the conversation."""
        super().connectionMade()
        if self._is_local and not self._is_proxied:
            self.peer = replace(self.peer, uid=user_of(self.transport))
        Deferred.fromCoroutine(self._run()).addErrback(self._broke)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Leave the listener's house."""
        super().connectionLost(reason)
        self._house.forget(self)

    # ------------------------------------------------------------------ what the service calls

    def end(self) -> None:
        """The host stops: the conversation is told at its next wait, and what was sent may leave."""
        self._stopping = True
        self._wake(self._waiter)

    # ------------------------------------------------------------------ inside

    async def _run(self) -> None:
        try:
            if not await self._is_let_in():
                return
            if self._implicit_tls:
                early = b"".join(self._received)  # what came in one piece with the header of a proxy
                self._forget_received()
                await self._shake_hands(early)
            await self._converse().run(self)
        except TimedOut:
            self.transport.abortConnection()
        except ConnectionEnded:
            pass
        finally:
            self.close()

    def tls_failed(self, why: str) -> None:
        """Nothing could be said."""
        self._house.turned_away(self, f"TLS did not come about{why}")

    def _broke(self, failure: Failure) -> None:
        log.failure("A conversation with {host} broke", failure, host=self.peer.host)

    async def _is_let_in(self) -> bool:
        farewell = self._house.objection_to(self)
        if farewell is None and self._is_proxied:
            await self._meet_the_peer()
            farewell = self._house.introduce(self)
        if farewell is not None:
            self.send(farewell)
        return farewell is None

    async def _meet_the_peer(self) -> None:
        """A proxy says first whose connection it is; from then on, that is the peer."""
        data, until = b"", self._clock.seconds() + PROXY_SECONDS
        try:
            while (found := read_proxy_header(data)) is None:
                data += await self.receive(until - self._clock.seconds())
            header, rest = found
            self.peer = self._peer_behind(*(header.source or UNTOLD))
        except MalformedHeader as reason:
            self._house.turned_away(self, str(reason))
            raise ConnectionEnded from reason
        except TimedOut:
            self._house.turned_away(self, f"no PROXY header came within {PROXY_SECONDS:.0f} s")
            raise
        if rest:
            self._received.insert(0, rest)
            self._octets += len(rest)

    def _peer_behind(self, host: str, port: int) -> Peer:
        """Who is on this machine may do more; only a proxy that is here as well can know that."""
        peer = Peer(plain_host(host), port, self.peer.service)
        if peer.is_loopback and not self.peer.is_loopback:
            raise MalformedHeader("a proxy elsewhere speaks for a loopback address")
        return peer
