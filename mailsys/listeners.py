"""The open ports of a host: bound while it may do that, and silent until it can serve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from mailsys.config.endpoint import with_backlog
from mailsys.config.schema import Configuration, Limits, Listener
from mailsys.interfaces import IConversation
from mailsys.message import reply as replies
from mailsys.net.factory import ConversationFactory
from mailsys.net.limits import ConnectionLimits
from mailsys.net.tls import HostTLS, ListenerTLS

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

    async def bind(self, configuration: Configuration, tls: HostTLS | None) -> None:
        """Open each port that is served here, and let nobody in yet; raises CannotListen."""
        for listener in configuration.listen:
            if listener.service in SERVED:
                self._open.append(await self._bind(listener, tls))
        if not self._open:
            raise CannotListen("No [[listen]] in the configuration opens a port.")

    async def _bind(self, listener: Listener, tls: HostTLS | None) -> OpenPort:
        factory = ConversationFactory(
            self._reactor,
            listener.service,
            self._limits,
            BUSY[listener.service],
            None if listener.tls == "none" or tls is None else ListenerTLS(tls, self._reactor),
            implicit_tls=listener.tls == "implicit",
        )
        where = f"{listener.service} cannot listen at {listener.endpoint}"
        try:
            port = await serverFromString(self._reactor, with_backlog(listener.endpoint)).listen(factory)
        except Exception as error:
            raise CannotListen(f"{where}: {error}") from error
        port.stopReading()
        return OpenPort(listener, port, factory)

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
