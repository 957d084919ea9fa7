"""The files of ``[tls]``: are they there, and do they belong together?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailsys.config.mistake import Mistake, shown
from mailsys.config.schema import Tls
from mailsys.config.values import Wrong

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

PEM_OCTETS = 1024 * 1024  # longer files are not read


def check_certificate(tls: Tls) -> Iterator[Mistake]:
    """Every mistake of the two files."""
    if not tls.certificate and not tls.key:
        return
    certificates = key = None
    try:
        certificates = _read_certificates(tls.certificate)
    except Wrong as reason:
        yield Mistake("tls.certificate", shown(tls.certificate), reason.wrong, reason.right)
    try:
        key = _read_public_key(tls.key)
    except Wrong as reason:
        yield Mistake("tls.key", shown(tls.key), reason.wrong, reason.right)
    if certificates and key and _public_key(certificates[0]) != key:
        right = "name the key with which the first certificate of tls.certificate was made"
        yield Mistake("tls.key", shown(tls.key), "does not belong to the certificate", right)


def _read_certificates(path: str) -> list[Certificate]:
    from cryptography.x509 import load_pem_x509_certificates

    pem = _read(path, "the certificate")
    try:
        return load_pem_x509_certificates(pem)
    except ValueError:
        raise Wrong(
            "holds no certificate", "name a PEM file, ours first and then those of its issuers"
        ) from None


def _read_public_key(path: str) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    pem = _read(path, "the key")
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise Wrong("is locked with a password", "name a PEM file without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Wrong("holds no private key", "name the PEM file of the certificate's key") from None
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _public_key(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read(path: str, what: str) -> bytes:
    if not path:
        raise Wrong("is missing", f"name the file of {what}, too; each needs the other")
    try:
        with open(path, "rb") as file:
            pem = file.read(PEM_OCTETS + 1)
    except OSError as error:
        reason = (error.strerror or "error").lower()
        raise Wrong(
            f"cannot be read ({reason})", f"name the file of {what}, readable for this user"
        ) from None
    if len(pem) > PEM_OCTETS:
        raise Wrong("is longer than a megabyte", f"name the file of {what}")
    return pem
