"""Connections, and what is known of a session on one."""

from __future__ import annotations

from dataclasses import dataclass, field

from zope.interface import Attribute, Interface

from mailsys.interfaces.findings import Findings
from mailsys.message.address import Address


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end: ``host`` is an IP address as text, or empty for a local socket.

    ``uid`` is the user of the process at the other end of a local socket, as the kernel knows it.
    """

    host: str
    port: int
    service: str  # as in the configuration: smtp, lmtp, pop3 …
    uid: int | None = None

    @property
    def is_loopback(self) -> bool:
        """Does it speak from this machine?"""
        return self.host.startswith("127.") or self.host in ("::1", "", "::ffff:127.0.0.1")


@dataclass(slots=True)
class Session:
    """What is known of a connection so far; ``id`` names it in journal and log."""

    id: str
    peer: Peer
    greeting: str = ""  # the name it gave in HELO, EHLO or LHLO
    protocol: str = "SMTP"  # RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPSA, LMTP …
    tls: str = ""  # "TLSv1.3 TLS_AES_256_GCM_SHA384", empty without TLS
    login: Address | None = None
    login_stamp: str = ""  # what it logged in with; it changes with the password
    failed_logins: int = 0
    spoke_early: bool = False  # sent something before our greeting
    checked: tuple[str, ...] = ()  # what the judges said of the connection, in words
    reverse_path: Address | None = None  # of the message at hand
    findings: Findings = field(default_factory=dict)  # of judges, since the last MAIL


class ConnectionEnded(Exception):  # noqa: N818 - it is an event, not an error
    """The peer has gone, or the connection was closed here; nothing more can be said."""


class TimedOut(ConnectionEnded):
    """The peer was silent for too long."""


class HostStops(ConnectionEnded):
    """The host is about to stop; a last word may be said."""


class IConnection(Interface):
    """One network connection, as a conversation uses it.  Given by ``mailsys.net``."""

    peer: Peer = Attribute("who is there")
    tls: str = Attribute("TLS version and cipher, or empty")
    congested: bool = Attribute("does much of what was sent wait for the peer to take it?")
    has_received: bool = Attribute("has something come already, so that ``receive`` would not wait?")

    def send(data: bytes) -> None:
        """Write; buffered without waiting.  Call ``drained`` before writing much."""

    async def receive(seconds: float) -> bytes:
        """Wait for bytes; raises ConnectionEnded, TimedOut or HostStops."""

    async def drained() -> None:
        """Wait until the peer has taken what was sent; raises ConnectionEnded or TimedOut."""

    async def start_tls() -> None:
        """Begin TLS as the server.  Bytes that came before it are the caller's to drop."""

    def can_start_tls() -> bool:
        """Is there a certificate, and no TLS yet?"""

    def channel_binding(kind: str) -> bytes | None:
        """What is true of this TLS connection alone; None without TLS, or for kinds that it has not.

        ``kind`` is tls-server-end-point (RFC 5929 4) or tls-exporter (RFC 9266).
        """

    def close() -> None:
        """Close after what was sent has left."""


class IConversation(Interface):
    """What is said on one connection, from greeting to goodbye."""

    async def run(connection: IConnection) -> None:
        """Speak until the end; may raise ConnectionEnded."""
