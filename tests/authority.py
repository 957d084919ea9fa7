"""A certificate authority for tests: a root, one below it, and what they issue."""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


class Authority:
    """``folder/root.pem`` is what a client trusts."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self._root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = _name("Test Root")
        self.name = _name("Test Issuer", organisation="Test Authority")
        self.root = self._sign(root, root, self._root_key, self._root_key, is_issuer=True)
        self.intermediate = self._sign(self.name, root, self._key, self._root_key, is_issuer=True)
        self.trusted = self.folder / "root.pem"
        self.trusted.write_bytes(_pem(self.root))

    def issue(self, name, *names, folder=None, **options):
        """Write a chain and its key as ``name``.pem and ``name``.key; returns their paths."""
        paths = [Path(folder or self.folder) / f"{name}.{suffix}" for suffix in ("pem", "key")]
        for path, pem in zip(paths, self.make(*names, **options), strict=True):
            path.write_bytes(pem)
        return tuple(map(str, paths))

    def make(self, *names, days=90, age=1, key=None, alone=False, digest=None):
        """The chain and the key as PEM; valid since ``age`` days and for ``days`` from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        own = self._sign(
            _name((names or ("nobody.test",))[0]), self.name, key, self._key,
            names=names, days=days, age=age, digest=digest,
        )  # fmt: skip
        chain = _pem(own) if alone else _pem(own) + _pem(self.intermediate)
        return chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @staticmethod
    def _sign(subject, issuer, key, by, *, names=(), days=90, age=1, is_issuer=False, digest=None):
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - age * DAY)
            .not_valid_after(NOW + days * DAY)
            .add_extension(x509.BasicConstraints(ca=is_issuer, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(list(map(_general_name, names))), critical=False
            )
        return builder.sign(by, digest or SHA256())


def rsa_key(bits):
    """A private key of RSA."""
    return rsa.generate_private_key(65537, bits)


def _name(text, organisation=None):
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, text)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _general_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate):
    return certificate.public_bytes(Encoding.PEM)
