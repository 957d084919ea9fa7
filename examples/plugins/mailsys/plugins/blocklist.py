"""A judge that asks a file whom not to take mail from: addresses, domains and networks, one a line.

    [judge]
    judges = ["early_talker", "blocklist", "one_from", "hop_count"]
    [plugins.blocklist]
    file = "blocklist.txt"

The file is read again when it changes.  While it cannot be read, mail is put off, for nobody knows
what would stand in it; ``on_trouble = "accept"`` lets it pass.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from twisted.logger import Logger
from zope.interface import implementer

from mailsys.config.settings import PATH, WAIT, one_of, setting
from mailsys.interfaces import (
    ACCEPT,
    Disposition,
    IJudge,
    IReconfigurable,
    PluginMaker,
    Services,
    Session,
    Verdict,
)
from mailsys.judge.silent import SilentJudge
from mailsys.message.address import Address, AddressError, parse_address, parse_domain
from mailsys.message.reply import Reply

blocklist = PluginMaker(IJudge, "blocklist", __name__, "refuses whom a file names")

BLOCKED = Reply(550, "5.7.1", "Mail from you is not accepted here")
log = Logger()


@dataclass(frozen=True, slots=True)
class Settings:
    """``look_every`` is how often at most the file's time is looked at."""

    file: str = setting(PATH)
    look_every: float = setting(WAIT, "5s")
    on_trouble: str = setting(one_of("defer", "accept"), "defer")


@dataclass(frozen=True, slots=True)
class Blocked:
    """What stands in the file."""

    networks: list[IPv4Network | IPv6Network] = field(default_factory=list)
    addresses: set[Address] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)

    def add(self, line: str) -> None:
        """One line; raises ValueError."""
        if "@" in line:
            self.addresses.add(parse_address(line).folded())
            return
        try:
            self.networks.append(ip_network(line))
        except ValueError:
            self.domains.add(parse_domain(line))


@implementer(IReconfigurable)
class Blocklist(SilentJudge):
    """Looks at the peer when it connects, and at the sender at MAIL."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self.name = services.name
        self._settings = settings
        self._services = services
        self._version: tuple[int, ...] = ()
        self._blocked = read(settings.file)  # what cannot be read now keeps the host from starting
        self._looked_at = services.clock.seconds()

    def reconfigure(self, settings: Settings) -> None:
        """SIGHUP: perhaps another file."""
        self._blocked, self._settings, self._version = read(settings.file), settings, ()

    async def connection(self, session: Session) -> Verdict:
        """Refuse a network."""
        if not session.peer.host:
            return ACCEPT  # a local socket
        peer = ip_address(session.peer.host)
        return await self._verdict(lambda blocked: any(peer in network for network in blocked.networks))

    async def sender(self, session: Session, reverse_path: Address | None) -> Verdict:
        """Refuse an address, a domain, and all below that domain."""
        if reverse_path is None:
            return ACCEPT
        labels = reverse_path.domain.split(".")
        domains = {".".join(labels[start:]) for start in range(len(labels))}
        address = reverse_path.folded()
        return await self._verdict(
            lambda blocked: address in blocked.addresses or not domains.isdisjoint(blocked.domains)
        )

    async def _verdict(self, is_blocked) -> Verdict:  # type: ignore[no-untyped-def]
        try:
            await self._look()
        except (OSError, ValueError) as error:
            log.error("{file} cannot be used: {error}", file=self._settings.file, error=error)
            if self._settings.on_trouble == "defer":
                return Verdict(Disposition.DEFER, f"{self._settings.file} cannot be used: {error}")
        if is_blocked(self._blocked):
            return Verdict(Disposition.REJECT, f"blocked by {self._settings.file}", BLOCKED)
        return ACCEPT

    async def _look(self) -> None:
        """Read the file in a thread, if it has changed; the old list stays until then."""
        now = self._services.clock.seconds()
        if self._version and now - self._looked_at < self._settings.look_every:
            return
        status = await self._services.workers.run(os.stat, self._settings.file)
        version = (status.st_mtime_ns, status.st_size, status.st_ino)
        if version != self._version:
            self._blocked = await self._services.workers.run(read, self._settings.file)
        self._version, self._looked_at = version, now


def read(path: str) -> Blocked:
    """The whole file; raises OSError, or ValueError that names the line."""
    blocked = Blocked()
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if text := line.partition("#")[0].strip():
                try:
                    blocked.add(text)
                except (AddressError, ValueError) as error:
                    raise ValueError(f"{path}, line {number}: {error}") from None
    return blocked


def make(settings: Settings, services: Services) -> Blocklist:
    """The judge."""
    return Blocklist(settings, services)
