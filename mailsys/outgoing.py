"""How mail leaves: builds the resolver, the delivery and the queue, and introduces them to each other."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from typing import Any

from mailsys.config.schema import Configuration
from mailsys.disk import Disk
from mailsys.interfaces import IDelivery, IDiagnosis, IJournal, ISigner, IWorkers, IZoneResolver
from mailsys.journal.ids import transaction_id
from mailsys.message.srs import SenderRewriting
from mailsys.net.dns.resolver import open_resolver
from mailsys.notices.notices import Notices
from mailsys.queue.forwarding import Forwarding
from mailsys.queue.home import HomeOrAway
from mailsys.queue.laying import Home
from mailsys.queue.runner import QueueLimits
from mailsys.queue.schedule import lifetime
from mailsys.queue.station import Queue, QueueSettings
from mailsys.send.kept import KeptDialogues
from mailsys.send.station import destination_of, make_delivery, make_routes
from mailsys.wire.sasl.scram_client import NONCE_OCTETS


class Outgoing:
    """In this order: ``prepare``, the intake's replay and start, ``start``, ``stop``, ``close``.

    ``home`` is set before the start: where mail is laid whose recipient lives here.
    """

    home: Home

    def __init__(
        self,
        configuration: Configuration,
        disk: Disk,
        reactor: Any,
        *,
        journal: IJournal,
        workers: IWorkers,
        now: Callable[[], float],
        new_id: Callable[[], str],
        first_domain: Callable[[], Awaitable[str | None]],
        rewriting: SenderRewriting,
        signer: ISigner,
        diagnosis: IDiagnosis,
    ) -> None:
        self._reactor = reactor
        self._rewriting = rewriting
        self._workers = workers
        self._kept = KeptDialogues(reactor)
        self._dns = configuration.dns
        self.resolver: IZoneResolver = self._open_resolver()
        given_up_after = lifetime(configuration.send.retry)
        self._notices = Notices(
            configuration.hostname, first_domain, lambda: transaction_id(new_id(), 1), workers, now,
            given_up_after, signer,
        )  # fmt: skip
        self.queue = Queue(
            disk,
            configuration.data,
            _settings(configuration),
            delivery=self._delivery(configuration),
            notices=self._notices,
            journal=journal,
            workers=workers,
            destination_of=destination_of(make_routes(configuration.send)),
            reactor=reactor,
            now=now,
            chance=random.random,
            diagnosis=diagnosis,
        )

    def configure(self, configuration: Configuration) -> None:
        """Take the settings for attempts to come; where data lies must be as it was."""
        self._notices.lifetime_seconds = lifetime(configuration.send.retry)
        destination = destination_of(make_routes(configuration.send))
        self.queue.configure(_settings(configuration), self._delivery(configuration), destination)

    def configure_resolver(self, configuration: Configuration) -> None:
        """Ask other servers from now on, if others are named.  Before ``configure``."""
        if configuration.dns != self._dns:
            self._dns = configuration.dns
            self.resolver = self._open_resolver()

    async def prepare(self) -> None:
        """Make ready what the intake's replay needs; raises OSError."""
        await self.queue.prepare()

    async def start(self) -> None:
        """Begin to deliver, before any session hands anything in; raises OSError."""
        await self.queue.start()

    async def stop(self) -> None:
        """Deliver no more, and take leave of other hosts."""
        await self.queue.stop()
        self._kept.quit_all()

    async def close(self) -> None:
        """Close the queue's files.  After the intake has stopped."""
        await self.queue.close()

    def _open_resolver(self) -> IZoneResolver:
        dns = self._dns
        return open_resolver(self._reactor, self._workers, dns.servers, trust_ad=dns.trust_ad)

    def _delivery(self, configuration: Configuration) -> IDelivery:
        away = make_delivery(
            configuration,
            self._reactor,
            self.resolver,
            self._workers,
            self._kept,
            random.SystemRandom().shuffle,
            lambda: os.urandom(NONCE_OCTETS),
        )
        forwarding = Forwarding(lambda: self.home.router, self._rewriting, away)
        return HomeOrAway(lambda: self.home, forwarding)


def _settings(configuration: Configuration) -> QueueSettings:
    queue = configuration.queue
    limits = QueueLimits(queue.deliveries, queue.deliveries_per_destination)
    return QueueSettings(configuration.send.retry, limits, queue.keep, queue.delay_notice)
