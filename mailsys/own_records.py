"""What the host knows of its own records in DNS: what they should be, and who looks at them."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Sequence
from typing import Any

from mailsys.accounts.directory import Directory
from mailsys.config.schema import Configuration
from mailsys.dkim.key_file import KeyFiles, StoredKey
from mailsys.interfaces import IDiagnosis, IResolver, IWorkers, IZoneResolver
from mailsys.judge.spf.evaluation import Query, check_host
from mailsys.message.address import Address
from mailsys.net.dns.resolver import open_resolver
from mailsys.net.dns.servers import DNS_PORT
from mailsys.notices.diagnosis import Diagnosis, Surroundings
from mailsys.publish.comparison import SPFCheck
from mailsys.publish.everywhere import not_yet_everywhere
from mailsys.publish.host import host_of
from mailsys.publish.wanted import published_keys


class OwnRecords:
    """``resolver`` gives the one in use; ``configuration`` is the one in force."""

    def __init__(
        self,
        configuration: Configuration,
        directory: Directory,
        reactor: Any,
        workers: IWorkers,
        resolver: Callable[[], IZoneResolver],
    ) -> None:
        self.configuration = configuration
        self._directory = directory
        self._reactor = reactor
        self._workers = workers
        self._resolver = resolver
        self._files = KeyFiles(configuration.data)
        self.diagnosis: IDiagnosis = Diagnosis(self._surroundings, reactor)

    async def not_yet_published(self, keys: Sequence[StoredKey]) -> str:
        """Which name server does not show these keys yet, in words."""
        return await not_yet_everywhere(published_keys(keys), self._resolver(), self._resolver_at)

    def _resolver_at(self, address: str) -> IResolver:
        """One that asks this name server alone, and remembers nothing."""
        return open_resolver(self._reactor, self._workers, [(address, DNS_PORT)], trust_ad=False)

    def _surroundings(self) -> Surroundings:
        host, resolver = host_of(self.configuration), self._resolver()
        return Surroundings(
            host, resolver, spf_check(resolver, host.hostname), self._keys, self._directory.is_local
        )

    async def _keys(self, domain: str) -> Sequence[StoredKey]:
        if not self.configuration.dkim.sign:
            return ()
        return await self._workers.run(self._files.read, domain)


def spf_check(resolver: IResolver, hostname: str) -> SPFCheck:
    """What SPF says of mail from an address for a domain, as who compares records asks it."""

    async def check(address: str, domain: str) -> tuple[str, str]:
        sender = Address("postmaster", domain)
        query = Query(ipaddress.ip_address(address), hostname, sender, hostname, time.time())
        result = await check_host(query, resolver)
        return result.word.value, result.reason

    return check
