"""One host that mail can be handed to, with all that is needed to speak with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailsys.send.demand import ANYTHING, TlsDemand
from mailsys.wire.sasl.client import Login


@dataclass(frozen=True, slots=True)
class Host:
    """``scheme`` is smtp, smtps or lmtp; ``addresses`` are IP addresses, the better first.

    ``is_route`` says that the configuration names it; only then there may be a ``login``.
    ``password_in_clear`` says that the way to the host is one that nobody else can listen to.
    """

    name: str
    port: int
    addresses: tuple[str, ...] = field(compare=False)
    scheme: str = "smtp"
    is_route: bool = False
    login: Login | None = None
    demand: TlsDemand = ANYTHING
    password_in_clear: bool = False

    @property
    def is_lmtp(self) -> bool:
        """Is LMTP spoken there?"""
        return self.scheme == "lmtp"

    def at(self, address: str) -> str:
        """For people: ``mx.example.org [192.0.2.1]:25``."""
        return f"{self.name} [{address}]:{self.port}" if self.name != address else f"[{address}]:{self.port}"

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"
