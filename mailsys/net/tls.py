"""Our certificate, as Twisted wants it: TLS 1.2 or newer (RFC 8996, RFC 9325)."""

from __future__ import annotations

from cryptography import x509
from OpenSSL.crypto import FILETYPE_PEM, X509, PKey, load_privatekey
from OpenSSL.SSL import Error as SSLError
from twisted.internet.ssl import CertificateOptions, TLSVersion


class CertificateError(Exception):
    """Certificate or key cannot be used; the text says why."""


def load_certificate(certificate_path: str, key_path: str) -> CertificateOptions:
    """Read a certificate chain and its key, both PEM; raises CertificateError."""
    try:
        with open(certificate_path, "rb") as file:
            chain = [X509.from_cryptography(found) for found in x509.load_pem_x509_certificates(file.read())]
        with open(key_path, "rb") as file:
            key: PKey = load_privatekey(FILETYPE_PEM, file.read(), passphrase=b"")
        options = CertificateOptions(
            privateKey=key,
            certificate=chain[0],
            extraCertChain=chain[1:],
            raiseMinimumTo=TLSVersion.TLSv1_2,
        )
        options.getContext().check_privatekey()
    except (OSError, ValueError, SSLError) as error:
        raise CertificateError(f"certificate {certificate_path} with key {key_path}: {error}") from error
    return options
