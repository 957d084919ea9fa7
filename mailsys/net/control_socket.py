"""The control socket: how commands on this machine ask the running server (``docs/control-socket.rst``).

One JSON object in a line, each way, and the connection ends.  Only the server's own user and root are
let in, and what is no request ends that connection alone.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger

from mailsys.net.control_path import FRAME_OCTETS, NAME, ControlPath
from mailsys.net.credentials import user_of
from mailsys.net.inherited import adopt

CONNECTIONS = 16
PATIENCE_SECONDS = 10.0

log = Logger(namespace="mailsys")

# Takes the request's other members; returns what the command is answered, or raises CannotAnswer.
Answer = Callable[[Mapping[str, Any]], Awaitable[Any]]


class CannotAnswer(Exception):  # noqa: N818 - a sentence for a person
    """The request cannot be answered; the text says why, in one sentence."""


class ControlSocket:
    """Owns the socket in the data folder, which nobody else works on: see the claim."""

    def __init__(self, reactor: Any, data: str, answers: Mapping[str, Answer]) -> None:
        self._reactor = reactor
        self._data = data
        self._factory = ControlFactory(reactor, answers, {0, os.geteuid()})
        self._port: Any = None

    def open(self) -> None:
        """Take requests from now on; raises OSError."""
        listening = socket.socket(
            socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        try:
            with ControlPath(self._data) as path:
                _remove(path)
                os.fchmod(listening.fileno(), 0o600)  # which the name takes over when it is made
                listening.bind(path)
            listening.listen(CONNECTIONS)
        except BaseException:
            listening.close()
            raise
        self._port = adopt(self._reactor, listening, self._factory)

    async def close(self) -> None:
        """Take no more, and leave no name behind."""
        if self._port is None:
            return
        port, self._port = self._port, None
        await port.stopListening()
        for connection in list(self._factory.connections):
            connection.transport.loseConnection()
        try:
            _remove(os.path.join(self._data, NAME))
        except OSError as error:
            log.warn("The control socket's name stays: {reason}", reason=error.strerror)


class ControlFactory(Factory):
    """``users`` are let in."""

    noisy = False

    def __init__(self, clock: IReactorTime, answers: Mapping[str, Answer], users: set[int]) -> None:
        self.clock = clock
        self.answers = answers
        self.users = users
        self.connections: set[ControlConnection] = set()

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        """A connection, unless there are too many."""
        return ControlConnection(self) if len(self.connections) < CONNECTIONS else None


class ControlConnection(Protocol):
    """One request, one answer, and the end."""

    transport: Any

    def __init__(self, factory: ControlFactory) -> None:
        self._owner = factory
        self._received = b""
        self._is_asked = False
        self._alarm: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Let in whom we may."""
        uid = user_of(self.transport)
        if uid not in self._owner.users:
            log.warn("The control socket was refused to user {uid}", uid=uid)
            self.transport.abortConnection()
            return
        self._owner.connections.add(self)
        self._alarm = self._owner.clock.callLater(PATIENCE_SECONDS, self.transport.abortConnection)

    def connectionLost(self, reason: Any = None) -> None:
        """Forget it."""
        self._owner.connections.discard(self)
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()

    def dataReceived(self, data: bytes) -> None:
        """Keep it until the line is whole; what follows it is dropped."""
        if self._is_asked:
            return
        self._received += data
        line, end, _rest = self._received.partition(b"\n")
        if len(line) >= FRAME_OCTETS:
            self.transport.abortConnection()
        elif end:
            self._is_asked = True
            self._asked(line)

    def _asked(self, line: bytes) -> None:
        request = _read(line)
        if request is None:
            self.transport.abortConnection()
            return
        answer = self._owner.answers.get(str(request.get("command")))
        if answer is None:
            self._say({"ok": False, "error": "this server does not know the command"})
        else:
            Deferred.fromCoroutine(self._answer(answer, request))

    async def _answer(self, answer: Answer, request: Mapping[str, Any]) -> None:
        try:
            self._say({"ok": True, "result": await answer(request)})
        except CannotAnswer as reason:
            self._say({"ok": False, "error": str(reason)})
        except Exception:
            log.failure("The control command {command} failed", command=str(request.get("command")))
            self._say({"ok": False, "error": "something went wrong in the server, and its log tells more"})

    def _say(self, said: Mapping[str, Any]) -> None:
        self.transport.write(json.dumps(said).encode() + b"\n")
        self.transport.loseConnection()


def _read(line: bytes) -> Mapping[str, Any] | None:
    """A request, or None for anything else."""
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return request if isinstance(request, dict) else None


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
