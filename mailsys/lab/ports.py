"""Finds ports that nobody uses, on all addresses of the lab."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

from mailsys.config.ports import STANDARD_PORTS
from mailsys.lab.failure import LabFailed

DNS = 53  # what the lab's name server has from the base
# Below the range from which Linux takes ports for outgoing connections.
FIRST_BASE, LAST_BASE, STEP = 20000, 31000, 1000


def choose_port_base(addresses: Iterable[str], wanted: int | None) -> int:
    """The wanted base, or else the first whose ports are free on each address; raises LabFailed."""
    addresses = tuple(addresses)
    if wanted is not None:
        if taken := _first_taken(addresses, wanted):
            raise LabFailed(f"{taken} is in use: choose another --port-base, or none to have one found.")
        return wanted
    for base in range(FIRST_BASE, LAST_BASE + 1, STEP):
        if not _first_taken(addresses, base):
            return base
    raise LabFailed(f"No free ports from {FIRST_BASE} on: end other labs, or name a base with --port-base.")


def _first_taken(addresses: Iterable[str], base: int) -> str:
    for address in addresses:
        for port in (*STANDARD_PORTS.values(), DNS):
            if not _is_free(address, base + port):
                return f"Port {base + port} of {address}"
    return ""


def _is_free(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As a server does, so that a connection of yesterday in TIME_WAIT does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise LabFailed(f"Port {port} of {address} cannot be used: {error.strerror}.") from error
        return True
