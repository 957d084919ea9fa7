"""Sockets that whoever started us opened and keeps (sd_listen_fds(3)), so that ports survive a restart."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from mailsys.process.user import CannotBecome

FIRST = 3  # SD_LISTEN_FDS_START
MOST = 256


def first_environment() -> Mapping[str, str]:
    """What the process was started with.

    ``os.environ`` is not enough: Twisted takes the variables out of it when its endpoints are imported, which
    under ``twistd`` is long before us.
    """
    try:
        with open("/proc/self/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return os.environ
    return dict(os.fsdecode(entry).split("=", 1) for entry in entries if b"=" in entry)


class InheritedSockets:
    """Listening sockets; ``take`` gives each away once.  Those that nobody took are closed by ``close``."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._sockets = sockets

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> InheritedSockets:
        """What ``$LISTEN_FDS`` speaks of, if it means this process; raises CannotBecome."""
        count = environment.get("LISTEN_FDS", "")
        if not count or environment.get("LISTEN_PID") != str(os.getpid()):
            return cls([])
        if not count.isdigit() or len(count) > len(str(MOST)) or int(count) > MOST:
            raise CannotBecome(f"LISTEN_FDS={count[:20]!r} is not a number of sockets up to {MOST}.")
        return cls([_adopt(FIRST + number) for number in range(int(count))])

    def take(self, kind: str, host: str, port: int) -> socket.socket | None:
        """The socket of a listener, or None: ``kind`` is tcp, tcp6 or unix; ``host`` is a path for unix.

        An empty ``host`` is any address.  One socket for both families (``[::]``, not bound to IPv6
        alone) is also the one of a listener for any IPv4 address: there is none at that port beside it.
        """
        wanted = [(kind, host, port)]
        if kind == "tcp" and not host:
            wanted.append(("both", "", port))
        elif kind == "tcp6" and not host:
            wanted.insert(0, ("both", "", port))
        for name in wanted:
            for one in self._sockets:
                if name == _name(one):
                    self._sockets.remove(one)
                    return one
        return None

    def close(self) -> list[str]:
        """Close the rest, and return their addresses for a person."""
        left = [_described(one) for one in self._sockets]
        for one in self._sockets:
            one.close()
        self._sockets = []
        return left


def _adopt(descriptor: int) -> socket.socket:
    try:
        adopted = socket.socket(fileno=descriptor)
        listens = adopted.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise CannotBecome(f"LISTEN_FDS: descriptor {descriptor} is no socket: {error.strerror}.") from None
    if not listens or adopted.type != socket.SOCK_STREAM:
        raise CannotBecome(
            f"LISTEN_FDS: the socket {_described(adopted)} does not listen for streams:"
            " write ListenStream= in the socket unit, and Accept=no."
        )
    adopted.setblocking(False)
    adopted.set_inheritable(False)
    return adopted


def _name(one: socket.socket) -> tuple[str, str, int]:
    """Kind, host and port, as a listener has them; the kind ``both`` takes IPv4 and IPv6."""
    address = one.getsockname()
    if one.family == socket.AF_UNIX:
        return "unix", os.fsdecode(address), 0
    host, port = address[:2]
    if one.family == socket.AF_INET:
        return "tcp", "" if host == "0.0.0.0" else host, port  # noqa: S104 - only compared
    only_v6 = one.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    return ("tcp6" if only_v6 or host != "::" else "both"), "" if host == "::" else host, port


def _described(one: socket.socket) -> str:
    kind, host, port = _name(one)
    return host if kind == "unix" else f"{f'[{host}]' if ':' in host else host or '*'}:{port}"
