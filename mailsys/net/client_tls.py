"""TLS as a client: TLS 1.2 or newer, and a finding on the other end's certificate (RFC 8996, RFC 9325).

A handshake goes on whatever the certificate is: between mail hosts TLS with a stranger is better than
none (RFC 7435 3).  What was found out is told afterwards, before anything is said inside; whoever
demands a verified peer ends the connection then.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from weakref import WeakKeyDictionary

from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

# Of OpenSSL's many reasons those that are seen, in words.
_REASONS = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    19: "the certificate comes from an authority that this host does not trust",
    20: "the certificate comes from an authority that this host does not trust",
    21: "the certificate comes from an authority that this host does not trust",
    23: "the certificate was revoked",
    26: "the certificate is not for servers",
}
_OTHER_NAME = "the certificate is for another name"
_NO_CERTIFICATE = "there is no certificate"


class ClientTLS:
    """What all our handshakes share: versions, and whom we trust.

    ``roots`` is a PEM file of authorities that are trusted besides the system's, or empty.  Raises
    OSError when it cannot be read.
    """

    def __init__(self, roots: str = "") -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        # Some servers answer a ticket of their own with an alert; and a ticket tells who comes back.
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_verify(SSL.VERIFY_PEER, self._note)
        context.set_default_verify_paths()
        if roots:
            try:
                context.load_verify_locations(roots)
            except SSL.Error:
                raise OSError(f"{roots} holds no certificates that can be used") from None
        self._context = context
        self._handshakes: WeakKeyDictionary[SSL.Connection, Handshake] = WeakKeyDictionary()

    def handshake(self, name: str) -> Handshake:
        """Prepare one with the host of this name or IP address."""
        return Handshake(self._begin, name)

    def _begin(self, handshake: Handshake) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        self._handshakes[connection] = handshake
        return connection

    def _note(
        self, connection: SSL.Connection, certificate: X509, number: int, depth: int, good: int
    ) -> bool:
        """OpenSSL asks at each certificate, and at each thing that it finds wrong: the first counts."""
        handshake = self._handshakes[connection]
        handshake.was_looked_at = True
        if not good:
            handshake.fault = handshake.fault or number
        return True


@implementer(IOpenSSLClientConnectionCreator)
class Handshake:
    """One handshake: what Twisted needs for it, and afterwards what was found out."""

    def __init__(self, begin: Callable[[Handshake], SSL.Connection], name: str) -> None:
        self.was_looked_at = False
        self.fault = 0  # OpenSSL's number of the first thing wrong with the chain
        self._begin = begin
        self._name = name
        self._connection: SSL.Connection | None = None

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Twisted calls it when the handshake begins."""
        connection = self._begin(self)
        if not _is_address(self._name):  # RFC 6066 3: no literal addresses
            connection.set_tlsext_host_name(self._name.encode("ascii", "replace"))
        self._connection = connection
        return connection

    def why_not_verified(self) -> str:
        """After the handshake: what is wrong with the certificate, empty when nothing is (RFC 9525 6)."""
        if self._connection is None or not self.was_looked_at:
            return _NO_CERTIFICATE
        if self.fault:
            return _REASONS.get(
                self.fault, f"the certificate was not believed (OpenSSL's reason {self.fault})"
            )
        try:
            verify = verify_ip_address if _is_address(self._name) else verify_hostname
            verify(self._connection, self._name)
        except (VerificationError, CertificateError, ValueError):  # the last is for names that are none
            return _OTHER_NAME
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
