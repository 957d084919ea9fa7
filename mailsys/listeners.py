"""The open ports of a host: bound while it may do that, and silent until it can serve."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from mailsys.config.endpoint import address_of, with_backlog
from mailsys.config.schema import Configuration, Limits, Listener
from mailsys.interfaces import IConversation
from mailsys.message import reply as replies
from mailsys.net.factory import ConversationFactory
from mailsys.net.inherited import adopt
from mailsys.net.limits import ConnectionLimits
from mailsys.net.tls import HostTLS, ListenerTLS
from mailsys.process import InheritedSockets

BUSY = {
    "smtp": replies.BUSY.render(),
    "lmtp": replies.BUSY.render(),
    "pop3": b"-ERR [SYS/TEMP] Too many connections\r\n",
}
SERVED = tuple(BUSY)

Converse = Callable[[str], Callable[[], IConversation]]  # from a service to what makes its conversations

log = Logger(namespace="mailsys")


class CannotListen(Exception):  # noqa: N818 - a sentence for the operator
    """A port cannot be opened; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class OpenPort:
    """A listener that is bound."""

    listener: Listener
    port: Any  # IListeningPort; TCP's also has stopReading and startReading
    factory: ConversationFactory


class Listeners:
    """All ports of a host, and the connections that came through them."""

    def __init__(self, reactor: Any, limits: Limits) -> None:
        self._reactor = reactor
        self._limits = ConnectionLimits(limits.connections, limits.connections_per_address)
        self._open: list[OpenPort] = []

    async def bind(
        self,
        configuration: Configuration,
        tls: HostTLS | None,
        inherited: InheritedSockets,
    ) -> None:
        """Open each port that is served here, and let nobody in yet; raises CannotListen.

        A socket that was handed over is used in place of one of our own.
        """
        for listener in configuration.listen:
            if listener.service in SERVED:
                self._open.append(await self._bind(listener, tls, inherited))
        for address in inherited.close():
            log.warn("A socket at {address} was handed over, but no [[listen]] serves it", address=address)
        if not self._open:
            raise CannotListen("No [[listen]] in the configuration opens a port.")

    async def _bind(self, listener: Listener, tls: HostTLS | None, inherited: InheritedSockets) -> OpenPort:
        factory = ConversationFactory(
            self._reactor,
            listener.service,
            self._limits,
            BUSY[listener.service],
            None if listener.tls == "none" or tls is None else ListenerTLS(tls, self._reactor),
            implicit_tls=listener.tls == "implicit",
        )
        try:
            port = await self._open_port(listener.endpoint, factory, inherited)
        except Exception as error:
            where = f"{listener.service} cannot listen at {listener.endpoint}"
            raise CannotListen(f"{where}: {_reason(listener.endpoint, error)}.") from error
        port.stopReading()
        return OpenPort(listener, port, factory)

    async def _open_port(
        self, endpoint: str, factory: ConversationFactory, inherited: InheritedSockets
    ) -> Any:
        address = address_of(endpoint)
        if address is not None and (handed_over := inherited.take(*address)) is not None:
            return adopt(self._reactor, handed_over, factory)
        return await serverFromString(self._reactor, with_backlog(endpoint)).listen(factory)

    @property
    def connections(self) -> int:
        """How many are open."""
        return sum(len(opened.factory.connections) for opened in self._open)

    def let_in(self, converse: Converse) -> None:
        """From now on, serve."""
        for opened in self._open:
            service, endpoint = opened.listener.service, opened.listener.endpoint
            opened.factory.converse = converse(service)
            opened.port.startReading()
            log.info("{service} listens at {endpoint}", service=service, endpoint=endpoint)

    def renew(self, limits: Limits, converse: Converse) -> None:
        """Serve the connections to come with these; those that are open keep theirs."""
        self._limits.total = limits.connections
        self._limits.per_address = limits.connections_per_address
        for opened in self._open:
            opened.factory.converse = converse(opened.listener.service)

    async def close(self) -> None:
        """Let nobody in any more.  A port that cannot be closed in order does not keep us from the rest."""
        for opened in self._open:
            port: IListeningPort = opened.port
            try:
                if (stopping := port.stopListening()) is not None:
                    await stopping
            except Exception:  # such as a local socket in a folder where we may no longer remove it
                log.failure("{endpoint} was not closed in order", endpoint=opened.listener.endpoint)

    def end_connections(self) -> None:
        """Tell everybody who is connected that the host stops; what was sent may still leave."""
        for opened in self._open:
            opened.factory.end_all()


def _reason(endpoint: str, error: Exception) -> str:
    """In the system's words, or in those that help."""
    system = error.socketError if isinstance(error, CannotListenError) else error
    words = str(getattr(system, "strerror", None) or error)
    if endpoint.startswith("unix:"):
        return words
    match getattr(system, "errno", None):
        case errno.EADDRINUSE:
            return "another program has this port ('ss -tlnp' shows which)"
        case errno.EACCES:
            return "only root may open it, or whom the service manager allows to (CAP_NET_BIND_SERVICE)"
        case errno.EADDRNOTAVAIL:
            return "this machine does not have this address"
    return words
