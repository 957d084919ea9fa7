"""Connects with a server and logs in there: verified TLS first, and the best mechanism that both speak."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass

from mailsys.agent.account import Account, CannotRead, Security
from mailsys.agent.dialogue import Dialogue, E, Machine
from mailsys.interfaces import IWorkers
from mailsys.journal.printable import printable
from mailsys.net.client_tls import ClientTLS
from mailsys.net.house import Patience
from mailsys.net.outgoing import CannotConnect, Dialler, IConnectingReactor
from mailsys.wire.sasl.client import ClientExchange, Login
from mailsys.wire.sasl.client_choice import choose_exchange
from mailsys.wire.sasl.scram_client import ScramExchange

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


def may_go_in_clear(account: Account, peer_host: str) -> bool:
    """May a password leave without TLS?  Only if that was asked for, and only to this machine."""
    return account.security is Security.NONE and ipaddress.ip_address(peer_host).is_loopback


def choose(
    account: Account, offered: Collection[str], nonce: bytes, *, shows_password: bool
) -> ClientExchange | None:
    """How to log in; where the password must not be shown, only what does not show it."""
    if not shows_password:
        offered = {ScramExchange.name} & set(offered)
    return choose_exchange(offered, account.login, nonce)


def check_login(login: Login) -> None:
    """Raise CannotRead for a name or password that no line can hold."""
    for what, text in (("name", login.name), ("password", login.password)):
        if not text or any(ord(character) < 32 or ord(character) == 127 for character in text):
            raise CannotRead(f"The {what} to log in with is empty or holds control characters.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise CannotRead(f"The {what} to log in with is not UTF-8.") from None


def _addresses(host: str, port: int) -> list[str]:
    """What the system knows of a name; raises CannotRead."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "it is no name of a host"
        raise CannotRead(f'No address was found for "{printable(host)}": {why}.') from None
    return list(dict.fromkeys(str(address[4][0]) for address in found))[:ADDRESSES]
