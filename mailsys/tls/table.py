"""Which certificate a client gets: by the name that it asks for (SNI, RFC 6066 section 3)."""

from __future__ import annotations

from collections.abc import Sequence

from mailsys.tls.certificate import HostCertificate

NAME_OCTETS = 255  # no host name is longer


class CertificateTable:
    """Certificates by the names in them, fixed once it is made: a name is looked up and does nothing else.

    The first certificate is for those who ask for no name, or for one that we do not have.  Of several
    with the same name the first is taken.
    """

    def __init__(self, certificates: Sequence[HostCertificate]) -> None:
        self.certificates = tuple(certificates)
        self._by_name = {
            name: certificate
            for certificate in reversed(self.certificates)
            for name in certificate.names
            if name
        }

    def choose(self, name: bytes | None) -> HostCertificate:
        """The certificate for a name as it stands in a hello; anything may be in it."""
        return self.find(_as_host_name(name)) or self.certificates[0]

    def find(self, name: str) -> HostCertificate | None:
        """The certificate that is valid for a host name in lower case, if there is one.

        A wildcard stands for one whole label, the first (RFC 9525 6.3).
        """
        _label, _dot, parent = name.partition(".")
        return self._by_name.get(name) or self._by_name.get(f"*.{parent}")


def _as_host_name(name: bytes | None) -> str:
    if not name or len(name) > NAME_OCTETS:
        return ""
    return name.decode("ascii", "replace").lower().removesuffix(".")
