"""Carries conversations over many sockets at a time, in one thread, with as little work as it can."""

from __future__ import annotations

import errno
import os
import selectors
import socket
from collections.abc import Iterator
from time import monotonic

from bench.conversation import Conversation, Refused, Request

REPLY_OCTETS = 64 * 1024 * 1024  # a longer reply is taken for endless
RECEIVE_OCTETS = 256 * 1024
MOST_TROUBLES = 5

_READ = selectors.EVENT_READ
_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE


class Connection:
    """One socket with its conversation, and what is on the way in and out."""

    __slots__ = ("conversation", "reply", "request", "socket", "unsent")

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.request: Request = next(conversation)
        self.reply = bytearray()
        self.unsent = memoryview(b"")
        self.socket: socket.socket


class Connections:
    """Has ``at_once`` conversations going until there are no more.

    ``troubles`` are the first reasons why conversations failed.
    """

    def __init__(self, host: str, port: int, conversations: Iterator[Conversation], at_once: int) -> None:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        self._family, self._address = found[0], found[4]
        self._conversations = conversations
        self._at_once = at_once
        self._selector = selectors.DefaultSelector()
        self._open: set[Connection] = set()
        self._received = memoryview(bytearray(RECEIVE_OCTETS))
        self.troubles: list[str] = []

    def run(self, seconds: float) -> None:
        """Return when all are done, or after so many seconds."""
        deadline = monotonic() + seconds
        self._fill()
        while self._open:
            left = deadline - monotonic()
            if left <= 0:
                self._trouble(f"not done after {seconds:.0f} s")
                break
            for key, events in self._selector.select(left):
                self._serve(key.data, events)
        for connection in list(self._open):
            self._close(connection)
        self._selector.close()

    def _fill(self) -> None:
        while len(self._open) < self._at_once:
            conversation = next(self._conversations, None)
            if conversation is None:
                return
            self._connect(Connection(conversation))

    def _connect(self, connection: Connection) -> None:
        """Begin to connect; in both protocols the server speaks first."""
        connection.socket = peer = socket.socket(self._family, socket.SOCK_STREAM)
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        result = peer.connect_ex(self._address)
        if result not in (0, errno.EINPROGRESS):
            peer.close()
            self._trouble(os.strerror(result))
            return
        self._open.add(connection)
        self._selector.register(peer, _READ, connection)

    def _serve(self, connection: Connection, events: int) -> None:
        try:
            if events & _READ:
                self._read(connection)
            else:
                self._send(connection, connection.unsent)
        except BlockingIOError:
            pass  # it was not ready after all
        except StopIteration:
            self._close(connection)
        except (Refused, OSError) as error:
            self._trouble(str(error))
            self._close(connection)
        self._fill()

    def _read(self, connection: Connection) -> None:
        """Raises StopIteration when the conversation has ended, Refused, OSError."""
        count = connection.socket.recv_into(self._received)
        if not count:
            raise Refused("the server closed the connection")
        reply = connection.reply
        reply += self._received[:count]
        if connection.request.is_whole(reply):
            connection.request = connection.conversation.send(bytes(reply))
            if connection.unsent:
                raise Refused("the server answered before it had heard everything")
            reply.clear()
            self._send(connection, memoryview(connection.request.octets))
        elif len(reply) > REPLY_OCTETS:
            raise Refused("the reply has no end")

    def _send(self, connection: Connection, octets: memoryview) -> None:
        """Send what the socket takes now, the rest when it can be written to."""
        was_behind = bool(connection.unsent)
        try:
            connection.unsent = octets[connection.socket.send(octets) :]
        except BlockingIOError:
            connection.unsent = octets
        is_behind = bool(connection.unsent)
        if is_behind != was_behind:
            self._selector.modify(connection.socket, _BOTH if is_behind else _READ, connection)

    def _close(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._selector.unregister(connection.socket)
        connection.socket.close()
        connection.conversation.close()

    def _trouble(self, text: str) -> None:
        if len(self.troubles) < MOST_TROUBLES and text not in self.troubles:
            self.troubles.append(text)
