"""Which servers are asked, and in which order."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Sequence

from twisted.logger import Logger

from mailsys.net.dns.exchange import Server

RESOLV_CONF = "/etc/resolv.conf"
MOST_OCTETS = 64 * 1024  # of resolv.conf
MOST_SERVERS = 4
DNS_PORT = 53
AVOID_SECONDS = 30.0  # a server that did not reply is asked last for so long
_NOBODY: tuple[Server, ...] = (("127.0.0.1", DNS_PORT),)  # as resolv.conf(5) has it

log = Logger(namespace="mailsys.dns")


class Servers:
    """The configured servers, or without any those of ``path``, which is read again when it changes.

    ``now`` gives seconds of any clock that does not jump.
    """

    def __init__(
        self, configured: Sequence[Server], now: Callable[[], float], path: str = RESOLV_CONF
    ) -> None:
        self._configured = tuple(configured)
        self._now = now
        self._path = path
        self._seen: object = None
        self._found = _NOBODY
        self._avoided: dict[Server, float] = {}

    def in_order(self) -> list[Server]:
        """Those that replied lately first, else as they are named."""
        now = self._now()
        self._avoided = {server: until for server, until in self._avoided.items() if until > now}
        return sorted(self._configured or self._of_the_system(), key=self._avoided.__contains__)

    def did_not_reply(self, server: Server) -> None:
        """Ask it last for a while."""
        self._avoided[server] = self._now() + AVOID_SECONDS

    def _of_the_system(self) -> tuple[Server, ...]:
        try:
            state = os.stat(self._path)
            seen = state.st_mtime_ns, state.st_ino, state.st_size
            if seen != self._seen:
                with open(self._path, encoding="utf-8", errors="replace") as file:
                    self._found = read_resolv_conf(file.read(MOST_OCTETS)) or _NOBODY
                self._seen = seen
        except OSError as error:
            if self._seen is not error.errno:
                log.warn("{path} cannot be read: {error}", path=self._path, error=error)
                self._seen = error.errno
        return self._found


def read_resolv_conf(text: str) -> tuple[Server, ...]:
    """The servers of ``nameserver`` lines; what is no address is left out."""
    servers: list[Server] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and _is_address(words[1]):
            servers.append((words[1], DNS_PORT))
    return tuple(servers[:MOST_SERVERS])


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
