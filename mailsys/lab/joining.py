"""How a host becomes part of the lab's internet: its DNS, its own address, and where it sends."""

from __future__ import annotations

import json

from mailsys.lab.host import Host
from mailsys.lab.names import ADDRESS, NameServerProcess

# So short that a person can watch it, and so long that a mistake is no disaster.
RETRY = "20s 30s 1m then 1m until 1h"


def join(host: Host, names: NameServerProcess, retry: str = RETRY) -> None:
    """Let the host find the others by DNS, and leave from its own address."""
    where = host.organisation
    host.set("dns", f'servers = ["{ADDRESS}:{names.port}"]')
    host.set(
        "send",
        "# This is the lab: everybody lives on loopback, at ports of its own.",
        f"port = {where.port('smtp')}",
        "allow_private = true",
        f'source_addresses = ["{where.address}"]',
        f'retry = "{retry}"',
    )
    host.set("judge", 'greylist_wait = "2s"')


def relay(small: Host, large: Host) -> None:
    """Let a small host hand all its mail for others to a large one, which trusts its address."""
    way = f"smtp://{large.organisation.hostname}:{large.organisation.port('smtp')}"
    small.set("send", f"smarthost = {json.dumps(way)}")
    large.set("receive", f'trusted_networks = ["{small.organisation.address}"]')
