"""A certificate of this host, with those of its issuers and its key, read from two PEM files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import (
    PrivateKeyTypes,
    PublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from OpenSSL import SSL

from mailsys.tls.context import certificate_context
from mailsys.tls.faults import CertificateError, Fault, unreadable
from mailsys.tls.files import CertificateFiles, Stamp

PEM_OCTETS = 1024 * 1024  # longer files are not read

T = TypeVar("T")
Chain = list[x509.Certificate]


@dataclass(frozen=True, slots=True, eq=False)
class HostCertificate:
    """One that can be served with.  ``names`` are the host names in it, ``addresses`` the IP addresses.

    ``stamp`` is what its files looked like before they were read.
    """

    files: CertificateFiles
    stamp: Stamp
    chain: tuple[x509.Certificate, ...]
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    context: SSL.Context

    @property
    def own(self) -> x509.Certificate:
        """The host's own, first of the chain."""
        return self.chain[0]

    @property
    def is_self_signed(self) -> bool:
        """Did the host issue it to itself?"""
        return self.own.issuer == self.own.subject


def read_certificate(files: CertificateFiles) -> HostCertificate:
    """Read both files; blocks.  Raises CertificateError with all that is wrong."""
    stamp = files.stamp()
    faults: list[Fault] = []
    chain = _collect(faults, _read_chain, files.certificate)
    key = _collect(faults, _read_key, files.key)
    if chain is None or key is None:
        raise CertificateError(faults)
    _check_pair(files, chain[0], key)
    names, addresses = _names(chain[0])
    return HostCertificate(files, stamp, tuple(chain), names, addresses, _make_context(files, chain, key))


def read_certificates(
    wanted: Sequence[CertificateFiles], in_force: Sequence[HostCertificate] = ()
) -> tuple[HostCertificate, ...]:
    """Read all of them; blocks.  Raises CertificateError.

    Of those in force, one whose files we may no longer read, having given up root, stays as it is.
    """
    held = {certificate.files: certificate for certificate in in_force}
    return tuple(_read_or_keep(files, held.get(files)) for files in wanted)


def _read_or_keep(files: CertificateFiles, held: HostCertificate | None) -> HostCertificate:
    try:
        return read_certificate(files)
    except CertificateError as error:
        if held is None or not error.is_denied:
            raise
        return held


class _Unusable(Exception):  # noqa: N818 - becomes a fault
    """What one file holds is of no use."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _collect(faults: list[Fault], read: Callable[[str], T], path: str) -> T | None:
    try:
        return read(path)
    except _Unusable as unusable:
        faults.append(unusable.fault)
        return None


def _read_chain(path: str) -> Chain:
    pem = _read("certificate", path)
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        right = "name a PEM file, ours first and then those of its issuers"
        raise _Unusable(Fault("certificate", path, "holds no certificate", right)) from None


def _read_key(path: str) -> PrivateKeyTypes:
    pem = _read("key", path)
    try:
        return load_pem_private_key(pem, None)
    except TypeError:
        right = "name a PEM file without one"
        raise _Unusable(Fault("key", path, "is locked with a password", right)) from None
    except (ValueError, UnsupportedAlgorithm):
        right = "name the PEM file of the certificate's key"
        raise _Unusable(Fault("key", path, "holds no private key", right)) from None


def _read(setting: str, path: str) -> bytes:
    if not path:
        right = f"name the file of the {setting}, too; each needs the other"
        raise _Unusable(Fault(setting, path, "is missing", right))
    try:
        with open(path, "rb") as file:
            pem = file.read(PEM_OCTETS + 1)
    except OSError as error:
        raise _Unusable(unreadable(setting, path, error)) from None
    if len(pem) > PEM_OCTETS:
        right = f"name the file of the {setting}"
        raise _Unusable(Fault(setting, path, "is longer than a megabyte", right))
    return pem


def _check_pair(files: CertificateFiles, own: x509.Certificate, key: PrivateKeyTypes) -> None:
    if _octets(own.public_key()) != _octets(key.public_key()):
        right = f"name the key with which the first certificate in {files.certificate} was made"
        raise CertificateError([Fault("key", files.key, "does not belong to the certificate", right)])


def _octets(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _make_context(files: CertificateFiles, chain: Chain, key: PrivateKeyTypes) -> SSL.Context:
    try:
        return certificate_context(chain, key)
    except (SSL.Error, TypeError, ValueError) as error:
        reasons = error.args[0] if isinstance(error, SSL.Error) and error.args else []
        why = ", ".join(reason[-1] for reason in reasons if reason[-1]) or "its kind is unknown to TLS"
        right = "name one with ECDSA P-256, or with RSA of 2048 bits or more, and SHA-256"
        fault = Fault("certificate", files.certificate, f"is refused by OpenSSL ({why})", right)
        raise CertificateError([fault]) from None


def _names(own: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """From subjectAltName alone; the common name says nothing (RFC 9525 2)."""
    try:
        found = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return (), ()
    names = [name.lower().rstrip(".") for name in found.get_values_for_type(x509.DNSName)]
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return tuple(dict.fromkeys(names)), tuple(dict.fromkeys(addresses))
