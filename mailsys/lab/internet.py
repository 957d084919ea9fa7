"""All hosts of the lab together with their DNS: made, started, and always stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from mailsys.lab.broken import BROKEN, BrokenHosts, records
from mailsys.lab.child import Child
from mailsys.lab.host import Host
from mailsys.lab.joining import join, relay
from mailsys.lab.names import NameServerProcess, published
from mailsys.lab.organisation import Organisation

SMALL = 2  # the third organisation sends over the first


class Internet:
    """Use it in a ``with``: whatever happens inside, no host outlives it.

    The name server has ``dns_port``.  With ``with_broken`` there are also hosts that do something wrong.
    """

    def __init__(
        self,
        organisations: Sequence[Organisation],
        directory: Path,
        dns_port: int,
        *,
        with_broken: bool = False,
    ) -> None:
        self.hosts = tuple(Host(one, directory / one.name) for one in organisations)
        self.names = NameServerProcess(directory, dns_port)
        self.broken = BrokenHosts(directory, organisations[0].port("smtp")) if with_broken else None

    def __enter__(self) -> Internet:
        """Nothing runs yet."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Make and start each host, and return when all answer; raises LabFailed."""
        for host in self.hosts:
            host.make()
            join(host, self.names)
        if len(self.hosts) > SMALL:
            relay(self.hosts[SMALL], self.hosts[0])
        self.names.write(self._zone())
        self.names.start()
        if self.broken:
            self.broken.start()
        for host in self.hosts:
            host.start()
        self.names.wait_until_ready()
        if self.broken:
            self.broken.wait_until_ready()
        for host in self.hosts:
            host.wait_until_ready()

    def _zone(self) -> Iterator[str]:
        """The lines of everybody, as each says by itself."""
        for number, host in enumerate(self.hosts):
            yield from published(host, self.hosts[0].organisation if number == SMALL else None)
        for one in BROKEN if self.broken else ():
            yield from records(one)

    def watch(self) -> None:
        """Wait until a process ends by itself, and raise LabFailed; a signal ends it sooner."""
        while True:
            time.sleep(1)
            for child in self._children:
                child.check_alive()

    def stop(self) -> None:
        """End everybody, all at the same time; interrupted, end them at once."""
        try:
            for child in self._children:
                child.end()
            for child in self._children:
                child.stop()
        finally:
            for child in self._children:
                child.kill()

    @property
    def _children(self) -> tuple[Child, ...]:
        return (*self.hosts, self.names, *([self.broken] if self.broken else []))
