"""Our certificate, as Twisted wants it: TLS 1.2 or newer (RFC 8996, RFC 9325)."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL.crypto import X509, PKey
from OpenSSL.SSL import Error as SSLError
from twisted.internet.ssl import CertificateOptions, TLSVersion


class CertificateError(Exception):
    """Certificate or key cannot be used; the text says why."""


def load_certificate(certificate_path: str, key_path: str) -> CertificateOptions:
    """Read a certificate chain and its key, both PEM; raises CertificateError."""
    try:
        with open(certificate_path, "rb") as file:
            chain = [X509.from_cryptography(found) for found in x509.load_pem_x509_certificates(file.read())]
        options = CertificateOptions(
            privateKey=_read_key(key_path),
            certificate=chain[0],
            extraCertChain=chain[1:],
            raiseMinimumTo=TLSVersion.TLSv1_2,
        )
        options.getContext().check_privatekey()
    except SSLError:
        why = "they do not belong together, or OpenSSL does not take them"
        raise CertificateError(f"certificate {certificate_path} with key {key_path}: {why}") from None
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"certificate {certificate_path} with key {key_path}: {error}") from error
    return options


def _read_key(path: str) -> PKey:
    """A TypeError says that it is locked, or of a kind that is of no use here."""
    with open(path, "rb") as file:
        return PKey.from_cryptography_key(load_pem_private_key(file.read(), None))  # type: ignore[arg-type]
