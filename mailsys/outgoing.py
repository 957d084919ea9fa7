"""How mail leaves: builds the resolver, the delivery and the queue, and introduces them to each other."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from mailsys.config.endpoint import address_of
from mailsys.config.nexthop import MX
from mailsys.config.schema import Configuration
from mailsys.disk import Disk
from mailsys.interfaces import IJournal, IResolver, IWorkers
from mailsys.message.address import Address
from mailsys.net.client_tls import ClientTLS
from mailsys.net.dns.resolver import open_resolver
from mailsys.queue.notices import NoNotices
from mailsys.queue.runner import QueueLimits
from mailsys.queue.station import Queue, QueueSettings
from mailsys.send.addresses import OwnHost
from mailsys.send.deadlines import Deadlines
from mailsys.send.delivery import Delivery
from mailsys.send.exchange import Exchanges
from mailsys.send.kept import KeptDialogues
from mailsys.send.opening import Opener
from mailsys.send.routes import Routes

_FOR_MAIL = ("smtp", "submission")


class Outgoing:
    """In this order: ``prepare``, the intake's replay, ``start``, ``stop``, ``close``."""

    def __init__(
        self,
        configuration: Configuration,
        disk: Disk,
        reactor: Any,
        *,
        journal: IJournal,
        workers: IWorkers,
        now: Callable[[], float],
    ) -> None:
        self._reactor = reactor
        self._workers = workers
        self._kept = KeptDialogues(reactor)
        self._dns = configuration.dns
        self.resolver: IResolver = self._open_resolver()
        self.queue = Queue(
            disk,
            configuration.data,
            _settings(configuration),
            delivery=self._delivery(configuration),
            notices=NoNotices(),
            journal=journal,
            workers=workers,
            destination_of=_destinations(_routes(configuration)),
            reactor=reactor,
            now=now,
            chance=random.random,
        )

    def configure(self, configuration: Configuration) -> None:
        """Take the settings for attempts to come; where data lies must be as it was."""
        if configuration.dns != self._dns:
            self._dns = configuration.dns
            self.resolver = self._open_resolver()
        delivery, destination_of = self._delivery(configuration), _destinations(_routes(configuration))
        self.queue.configure(_settings(configuration), delivery, destination_of)

    async def prepare(self) -> None:
        """Make ready what the intake's replay needs; raises OSError."""
        await self.queue.prepare()

    async def start(self) -> None:
        """Begin to deliver, before the intake takes anything new; raises OSError."""
        await self.queue.start()

    async def stop(self) -> None:
        """Deliver no more, and take leave of other hosts."""
        await self.queue.stop()
        self._kept.quit_all()

    async def close(self) -> None:
        """Close the queue's files.  After the intake has stopped."""
        await self.queue.close()

    def _open_resolver(self) -> IResolver:
        dns = self._dns
        return open_resolver(self._reactor, self._workers, dns.servers, trust_ad=dns.trust_ad)

    def _delivery(self, configuration: Configuration) -> Delivery:
        send, own = configuration.send, _own_host(configuration)
        shuffle = random.SystemRandom().shuffle
        exchanges = Exchanges(self.resolver, own, shuffle, send.port, send.allow_private)
        opener = Opener(self._reactor, configuration.hostname, ClientTLS(), Deadlines())
        return Delivery(_routes(configuration), exchanges, opener, self._kept, self._workers)


def _settings(configuration: Configuration) -> QueueSettings:
    queue = configuration.queue
    limits = QueueLimits(queue.deliveries, queue.deliveries_per_destination)
    return QueueSettings(configuration.send.retry, limits, queue.keep, queue.delay_notice)


def _own_host(configuration: Configuration) -> OwnHost:
    places = [address_of(one.endpoint) for one in configuration.listen if one.service in _FOR_MAIL]
    listening = [(place[1], place[2]) for place in places if place is not None and place[0] != "unix"]
    return OwnHost(configuration.hostname, listening)


def _routes(configuration: Configuration) -> Routes:
    send = configuration.send
    path = send.smarthost_password_file

    def password() -> str:
        with open(path, encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")

    return Routes(send.smarthost, send.routes, password if path else None)


def _destinations(routes: Routes) -> Callable[[Address], str]:
    """Whose limits count: those of a relay for all that goes over it, else those of each domain."""

    def destination_of(recipient: Address) -> str:
        hop = routes.next_hop(recipient.domain)
        return recipient.domain if hop == MX else f"{hop.host}:{hop.port}"

    return destination_of
