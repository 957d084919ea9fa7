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

from mailsys.config import is_built
from mailsys.config.endpoint import address_of, with_backlog
from mailsys.config.schema import SERVICES, Configuration, Listener
from mailsys.interfaces import IConversation
from mailsys.message import reply as replies
from mailsys.net.descriptors import Descriptors, needed_for
from mailsys.net.factory import ConversationFactory, Farewells
from mailsys.net.house import Patience
from mailsys.net.inherited import adopt
from mailsys.net.limits import Allowance, ConnectionLimits, Rules
from mailsys.net.refusals import Note, SparingNote
from mailsys.net.tls import HostTLS, ListenerTLS
from mailsys.process import InheritedSockets, file_limit
from mailsys.wire.imap import responses as imap
from mailsys.wire.pop3 import responses as pop3

_SMTP = Farewells(replies.BUSY.render(), replies.ENOUGH_CONNECTIONS.render())
_POP3 = Farewells(pop3.BUSY.render(), pop3.ENOUGH_CONNECTIONS.render())
_IMAP = Farewells(imap.BUSY.untagged(), imap.ENOUGH_CONNECTIONS.untagged())
FAREWELLS = {"smtp": _SMTP, "lmtp": _SMTP, "submission": _SMTP, "pop3": _POP3, "imap": _IMAP}
OF_PEOPLE = ("submission", "pop3", "imap", "web")  # many of whom may share one address

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

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._limits = ConnectionLimits(reactor.seconds, Rules())
        self._open: list[OpenPort] = []

    async def bind(
        self,
        configuration: Configuration,
        tls: HostTLS | None,
        inherited: InheritedSockets,
    ) -> None:
        """Open each port that is served here, and let nobody in yet; raises CannotListen.

        A socket that was handed over is used in place of one of our own.  How many
        files the process may have open is to be settled before.
        """
        for listener in configuration.listen:
            if is_built(listener):
                self._open.append(await self._bind(listener, tls, inherited))
        for address in inherited.close():
            log.warn("A socket at {address} was handed over, but no [[listen]] serves it", address=address)
        if not self._open:
            raise CannotListen("No [[listen]] in the configuration opens a port.")
        self._obey(configuration)

    async def _bind(self, listener: Listener, tls: HostTLS | None, inherited: InheritedSockets) -> OpenPort:
        factory = ConversationFactory(
            self._reactor,
            listener.service,
            self._limits,
            FAREWELLS[listener.service],
            None if listener.tls == "none" or tls is None else ListenerTLS(tls, self._reactor),
            implicit_tls=listener.tls == "implicit",
            proxies=listener.proxy_from,
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

    def describe(self) -> list[dict[str, str]]:
        """What is served where."""
        listeners = [opened.listener for opened in self._open]
        return [{"service": listener.service, "endpoint": listener.endpoint} for listener in listeners]

    def let_in(self, converse: Converse, note: Note) -> None:
        """From now on, serve; ``note`` hears of those who are turned away."""
        on_refused = SparingNote(self._reactor.seconds, note)
        for opened in self._open:
            opened.factory.on_refused = on_refused
            service, endpoint = opened.listener.service, opened.listener.endpoint
            opened.factory.converse = converse(service)
            opened.port.startReading()
            log.info("{service} listens at {endpoint}", service=service, endpoint=endpoint)

    def renew(self, configuration: Configuration, converse: Converse) -> None:
        """Serve the connections to come with these; those that are open keep theirs."""
        self._obey(configuration)
        for opened in self._open:
            opened.factory.converse = converse(opened.listener.service)

    def _obey(self, configuration: Configuration) -> None:
        """Take over the limits, as far as the system lets us have so many connections."""
        descriptors = Descriptors(file_limit())
        wanted, possible = configuration.limits.connections, descriptors.for_connections
        if wanted > possible:
            log.warn(
                "limits.connections is {wanted}, but this process may have only {files} files open: at most"
                " {possible} connections are let in; for all of them it would need {needed} (LimitNOFILE of"
                " systemd, or ulimit -n)",
                wanted=wanted, files=descriptors.limit, possible=possible, needed=needed_for(wanted),
            )  # fmt: skip
        self._limits.rules = rules_of(configuration, min(wanted, possible))
        limits = configuration.limits
        for opened in self._open:
            opened.factory.descriptors = descriptors
            opened.factory.patience = Patience(limits.handshake_seconds, limits.reply_seconds)

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


def rules_of(configuration: Configuration, total: int) -> Rules:
    """Who is let in, as the configuration says."""
    limits = configuration.limits
    rates = limits.new_connections_per_address, limits.new_connections_per_network
    hosts = Allowance(limits.connections_per_address, limits.connections_per_network, *rates)
    people = Allowance(limits.user_connections_per_address, limits.user_connections_per_network, *rates)
    allowances = {service: people if service in OF_PEOPLE else hosts for service in SERVICES}
    return Rules(total, allowances, configuration.receive.trusted_networks)
