"""Lets the reactor serve a listening socket that is not ours alone: it outlives us, name and all."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure


def adopt(reactor: Any, inherited: socket.socket, factory: Factory) -> Any:
    """Serve the socket, which is the reactor's from then on; return its IListeningPort.

    It is closed in the end, but not shut down.
    """
    if inherited.family == socket.AF_UNIX:
        port = InheritedLocalPort(inherited, factory, reactor)
        port.startListening()
        return port
    try:
        return reactor.adoptStreamPort(inherited.fileno(), inherited.family, factory)
    finally:
        inherited.close()  # the reactor has a duplicate


class InheritedLocalPort(unix.Port):
    """A local socket; Twisted's own port would set the mode of its name, and remove it in the end."""

    _shouldShutdown = False  # noqa: N815 - Twisted's name

    def __init__(self, inherited: socket.socket, factory: Factory, reactor: Any) -> None:
        super().__init__(inherited.getsockname(), factory, reactor=reactor)
        self._inherited = inherited
        self._factory = factory

    def startListening(self) -> None:
        """Begin to accept what comes; it listens already."""
        tcp._reservedFD.reserve()
        self._factory.doStart()
        self.socket = self._inherited
        self.fileno = self.socket.fileno  # type: ignore[method-assign]
        self.connected = True
        self.numberAccepts = 100
        self.startReading()  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Failure) -> None:
        """Close our end."""
        tcp.Port.connectionLost(self, reason)
