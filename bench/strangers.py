"""Senders whom the server does not know, so that all judges have work: their DNS, and their signatures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mailsys.dkim.body_hash import hash_body_here
from mailsys.dkim.sign import WANTED, SigningKey, signature_fields
from mailsys.dkim.signed_header import read_signed_header
from mailsys.lab.host import Host
from mailsys.lab.names import ADDRESS, NameServerProcess
from mailsys.lab.ports import DNS, choose_port_base
from mailsys.message.content import MemoryContent

DOMAIN, SELECTOR = "client.test", "bench"
KEY_BITS = 2048
VALID_SECONDS = 86_400


@contextmanager
def unknown_to(host: Host, folder: Path) -> Iterator[str]:
    """Let the host, which does not run yet, know nobody; the senders' key as PEM.  Raises LabFailed."""
    key = generate_private_key(65537, KEY_BITS)
    names = NameServerProcess(folder, choose_port_base([ADDRESS], None) + DNS)
    names.write(_zone(key))
    names.start()
    try:
        names.wait_until_ready()
        host.set("dns", f'servers = ["{ADDRESS}:{names.port}"]')
        host.set("judge", "exempt = []")
        yield key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    finally:
        names.stop()


def _zone(key: RSAPrivateKey) -> Iterator[str]:
    """All passes: SPF, DKIM, DMARC, and the name of 127.0.0.1."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    record = f"v=DKIM1; k=rsa; p={''.join(public.splitlines()[1:-1])}".replace(";", "\\;")
    yield f"{DOMAIN}. 3600 A 127.0.0.1"
    yield f"1.0.0.127.in-addr.arpa. 3600 PTR {DOMAIN}."
    yield f'{DOMAIN}. 3600 TXT "v=spf1 a -all"'
    yield f'_dmarc.{DOMAIN}. 3600 TXT "v=DMARC1\\; p=reject"'
    yield f'{SELECTOR}._domainkey.{DOMAIN}. 3600 TXT "{record[:250]}" "{record[250:]}"'


class Signer:
    """Signs with the key of ``unknown_to``, as the senders' host would."""

    def __init__(self, pem: str, now: float) -> None:
        key = load_pem_private_key(pem.encode(), None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("the senders' key is of another kind")
        self._keys = [SigningKey(DOMAIN, SELECTOR, "rsa-sha256", key)]
        self._now = int(now)

    def signed(self, message: bytes) -> bytes:
        """The message with its signature in front."""
        content = MemoryContent([message])
        header = read_signed_header(content)
        digest = hash_body_here(content, header.body_start, [WANTED])[WANTED].digest or b""
        fields = signature_fields(header, digest, self._keys, self._now, self._now + VALID_SECONDS)
        return b"".join(fields) + message
