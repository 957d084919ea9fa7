"""Sending as a station: made from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mailsys.config.endpoint import address_of
from mailsys.config.schema import Configuration, Listener, Send
from mailsys.interfaces import IResolver, IWorkers
from mailsys.message.address import Address
from mailsys.net.client_tls import ClientTLS
from mailsys.net.outgoing import IConnectingReactor
from mailsys.send.addresses import OwnHost
from mailsys.send.deadlines import Deadlines
from mailsys.send.delivery import Delivery
from mailsys.send.exchange import Exchanges
from mailsys.send.kept import KeptDialogues
from mailsys.send.opening import Opener
from mailsys.send.routes import Routes

PASSWORD_OCTETS = 4096
_MAIL_COMES_IN = ("smtp", "submission", "lmtp")


def make_delivery(
    configuration: Configuration,
    reactor: IConnectingReactor,
    resolver: IResolver,
    workers: IWorkers,
    kept: KeptDialogues,
    shuffle: Callable[[list[Any]], None],
    nonce: Callable[[], bytes],
) -> Delivery:
    """Everything that takes mail to other hosts.  ``kept`` may serve one delivery after the other.

    ``shuffle`` puts a list into random order; ``nonce`` gives ``scram_client.NONCE_OCTETS`` of chance.
    Raises OSError when ``send.authorities`` cannot be used.
    """
    send = configuration.send
    own = OwnHost(configuration.hostname, where_mail_comes_in(configuration.listen))
    exchanges = Exchanges(resolver, own, shuffle, send.port, send.allow_private)
    opener = Opener(
        reactor,
        configuration.hostname,
        ClientTLS(send.authorities),
        Deadlines(),
        workers,
        nonce,
        send.source_addresses,
    )
    return Delivery(make_routes(send), exchanges, opener, kept, workers)


def make_routes(send: Send) -> Routes:
    """Where mail goes, as the configuration has it."""
    path = send.smarthost_password_file
    return Routes(send.smarthost, send.routes, (lambda: read_password(path)) if path else None)


def destination_of(routes: Routes) -> Callable[[Address], str]:
    """What tells one destination from another: the route's host, or the domain whose MX are asked."""

    def destination(recipient: Address) -> str:
        hop = routes.next_hop(recipient.domain)
        return recipient.domain if hop.scheme == "mx" else str(hop)

    return destination


def where_mail_comes_in(listeners: Sequence[Listener]) -> tuple[tuple[str, int], ...]:
    """Addresses and ports at which we take mail ourselves."""
    found = [address_of(one.endpoint) for one in listeners if one.service in _MAIL_COMES_IN]
    return tuple((host, port) for kind, host, port in filter(None, found) if kind != "unix")


def read_password(path: str) -> str:
    """The first line of a file; raises OSError.  Blocks."""
    with open(path, "rb") as file:
        line = file.read(PASSWORD_OCTETS).split(b"\n")[0].removesuffix(b"\r")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise OSError(f"{path} is not UTF-8") from None
