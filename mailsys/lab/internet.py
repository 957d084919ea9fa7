"""All hosts of the lab together: made, started, and always stopped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from mailsys.lab.host import Host
from mailsys.lab.organisation import Organisation


class Internet:
    """Use it in a ``with``: whatever happens inside, no host outlives it."""

    def __init__(self, organisations: Sequence[Organisation], directory: Path) -> None:
        self.hosts = tuple(Host(one, directory / one.name) for one in organisations)

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
            host.start()
        for host in self.hosts:
            host.wait_until_ready()

    def watch(self) -> None:
        """Wait until a host ends by itself, and raise LabFailed; a signal ends it sooner."""
        while True:
            time.sleep(1)
            for host in self.hosts:
                host.check_alive()

    def stop(self) -> None:
        """End every host, all at the same time; interrupted, end them at once."""
        try:
            for host in self.hosts:
                host.end()
            for host in self.hosts:
                host.stop()
        finally:
            for host in self.hosts:
                host.kill()
