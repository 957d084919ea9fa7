"""Connects with a server: finds its addresses, and begins with verified TLS where that is to be."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from mailsys.agent.account import Account, CannotRead, Security
from mailsys.agent.dialogue import Dialogue, E, Machine
from mailsys.interfaces import IWorkers
from mailsys.journal.printable import printable
from mailsys.net.client_tls import ClientTLS
from mailsys.net.house import Patience
from mailsys.net.outgoing import CannotConnect, Dialler, IConnectingReactor

ADDRESSES = 8  # of a server, that are tried


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What reading needs of the machine.

    ``nonce`` gives octets of chance for a login; ``workers`` ask the system for addresses and reckon proofs.
    """

    reactor: IConnectingReactor
    tls: ClientTLS
    workers: IWorkers
    nonce: Callable[[], bytes]

    async def connect(self, account: Account, machine: Machine[E]) -> Dialogue[E]:
        """Connect, with TLS at once if it is to be; raises CannotRead."""
        addresses = await self.workers.run(_addresses, account.host, account.port)
        dialler = Dialler(self.reactor, Patience())
        try:
            connection = await dialler.connect(addresses, account.port, account.protocol.value)
        except CannotConnect as error:
            raise CannotRead(
                f"There is no connection with {account.server}: {printable(str(error))}."
            ) from None
        dialogue = Dialogue(self.reactor, connection, machine, account.server)
        if account.security is Security.IMPLICIT:
            await dialogue.begin_tls(self.tls.handshake(account.host))
        return dialogue


def _addresses(host: str, port: int) -> list[str]:
    """What the system knows of a name; raises CannotRead."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "it is no name of a host"
        raise CannotRead(f'No address was found for "{printable(host)}": {why}.') from None
    return list(dict.fromkeys(str(address[4][0]) for address in found))[:ADDRESSES]
