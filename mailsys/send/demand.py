"""What must hold of TLS before a message, or a password, goes to a host."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Protection(Enum):
    """The later ones are stricter."""

    OPPORTUNISTIC = 0  # TLS with anybody if it works, none if it does not (RFC 7435)
    ENCRYPTED = 1  # TLS with anybody
    VERIFIED = 2  # TLS with a host whose certificate is good for its name


@dataclass(frozen=True, slots=True)
class TlsDemand:
    """How much protection is demanded, and by whom, as in "the route" or "the login"."""

    protection: Protection = Protection.OPPORTUNISTIC
    by: str = ""

    @property
    def allows_none(self) -> bool:
        """May a message go without TLS?"""
        return self.protection is Protection.OPPORTUNISTIC


ANYTHING = TlsDemand()
