"""What a login can be bound to: data that both ends of one TLS connection know, and no one in between."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL.SSL import Connection

EXPORTER_LABEL = b"EXPORTER-Channel-Binding"  # RFC 9266 2
EXPORTER_OCTETS = 32
_WEAK = (hashes.MD5, hashes.SHA1)


def channel_binding(tls: Connection, kind: str) -> bytes | None:
    """The data of this kind for the server's end of a connection, or None."""
    if kind == "tls-server-end-point":
        return _certificate_digest(tls)
    if kind == "tls-exporter" and tls.get_protocol_version_name() == "TLSv1.3":
        # In TLS 1.2 the same label may be the same for two connections (RFC 9266 4.2).
        return tls.export_keying_material(EXPORTER_LABEL, EXPORTER_OCTETS, b"")
    return None


def _certificate_digest(tls: Connection) -> bytes | None:
    """RFC 5929 4.1: with the hash of its signature, or SHA-256 in place of MD5 and SHA-1."""
    ours = tls.get_certificate()
    if ours is None:
        return None
    certificate = ours.to_cryptography()
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:  # such as Ed25519, for which RFC 5929 names no hash
        return None
    name = "sha256" if isinstance(algorithm, _WEAK) else algorithm.name
    return hashlib.new(name, certificate.public_bytes(Encoding.DER)).digest()
