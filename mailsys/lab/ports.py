"""Finds ports that nobody uses, on all addresses of the lab, and keeps other labs from them.

From the choice to the moment at which the hosts listen some seconds go by.  Meanwhile names in the kernel
(abstract ones, unix(7)) tell that the ports are taken; they end with the process, however it ends.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from mailsys.config.ports import STANDARD_PORTS
from mailsys.lab.failure import LabFailed

DNS = 53  # what the lab's name server has from the base
# Below the range from which Linux takes ports for outgoing connections.
FIRST_BASE, LAST_BASE, STEP = 20000, 31000, 1000


def choose_port_base(addresses: Iterable[str], wanted: int | None = None) -> int:
    """As :func:`kept_port_base`, for who has the addresses alone and need not keep anybody from the ports."""
    with kept_port_base(addresses, wanted) as base:
        return base


@contextmanager
def kept_port_base(addresses: Iterable[str], wanted: int | None = None) -> Iterator[int]:
    """The wanted base, or else the first whose ports are free on each address; raises LabFailed.

    Whoever asks in this way gets another one, until the end.
    """
    addresses = tuple(addresses)
    bases = [wanted] if wanted is not None else range(FIRST_BASE, LAST_BASE + 1, STEP)
    taken = ""
    for base in bases:
        with ExitStack() as names:
            taken = _keep(names, addresses, base) or _first_taken(addresses, base)
            if not taken:
                yield base
                return
    if wanted is not None:
        raise LabFailed(f"{taken} is in use: choose another --port-base, or none to have one found.")
    raise LabFailed(f"No free ports from {FIRST_BASE} on: end other labs, or name a base with --port-base.")


def _keep(names: ExitStack, addresses: Sequence[str], base: int) -> str:
    """Take the base, or say that another lab has it."""
    for address in addresses:
        name = names.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        try:
            name.bind(f"\0mailsys-ports-{address}-{base}")
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"Port base {base} of {address}"
            raise LabFailed(f"Port base {base} cannot be taken: {error.strerror}.") from error
    return ""


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
