"""TLS on our listeners: the certificates in force, and for each listener tickets of its own."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from mailsys.tls.certificate import HostCertificate
from mailsys.tls.context import listener_context
from mailsys.tls.table import CertificateTable

TICKET_KEY_SECONDS = 24 * 3600.0


class HostTLS:
    """The certificates in force, for all listeners of the host; changed in the reactor's thread."""

    def __init__(self, certificates: Sequence[HostCertificate]) -> None:
        self.table = CertificateTable(certificates)
        self.generation = 0

    def renew(self, certificates: Sequence[HostCertificate]) -> None:
        """Put these in force for the handshakes to come.

        Tickets stay good only if the certificates are the same as before.  A client that comes back with
        one binds its login to the certificate of the first handshake (RFC 5929 4), which we have
        no more when it was renewed.
        """
        table = CertificateTable(certificates)
        self.generation += _own(table) != _own(self.table)
        self.table = table

    def replace(self, old: HostCertificate, new: HostCertificate) -> None:
        """Put one in force in place of another; nothing happens if that is no longer there."""
        self.renew([new if one is old else one for one in self.table.certificates])

    def context(self, name: bytes | None) -> SSL.Context:
        """What to serve a client with that asks for this name."""
        return self.table.choose(name).context


@implementer(IOpenSSLServerConnectionCreator)
class ListenerTLS:
    """One listener's TLS.

    Its key for tickets is made anew every day, and with each new certificate; the tickets of the key
    before are worth no more than none then.  What was recorded stays secret when a key is lost
    later, as no file ever holds it.
    """

    def __init__(self, host: HostTLS, clock: IReactorTime) -> None:
        self._host = host
        self._clock = clock
        self._make_context()

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """For one more connection; Twisted calls it when the handshake begins."""
        if self._host.generation != self._generation or self._clock.seconds() >= self._until:
            self._make_context()
        return SSL.Connection(self._context, None)

    def _make_context(self) -> None:
        self._context = listener_context(self._host.context)
        self._generation = self._host.generation
        self._until = self._clock.seconds() + TICKET_KEY_SECONDS


def _own(table: CertificateTable) -> list[x509.Certificate]:
    return [certificate.own for certificate in table.certificates]
