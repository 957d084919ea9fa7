"""An account at some server, as its owner names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from mailsys.wire.sasl.client import Login


class Protocol(Enum):
    """How mail is read; the value is also the name of the service."""

    IMAP = "imap"
    POP3 = "pop3"


class Security(Enum):
    """When TLS begins.  Without TLS a password goes in clear to this machine only."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


IMPLICIT_PORTS = (993, 995)  # RFC 8314 3.2, 3.3


class CannotRead(Exception):  # noqa: N818 - a sentence for whoever reads
    """It cannot be done; the text is one plain sentence with nothing in it that moves a terminal."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where to read, and as whom."""

    protocol: Protocol
    host: str
    port: int
    security: Security
    login: Login = field(repr=False)

    @property
    def server(self) -> str:
        """The server, as a sentence names it."""
        return f"{self.host}:{self.port}"
