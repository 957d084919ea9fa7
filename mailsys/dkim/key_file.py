"""The keys of a domain on the disk: one file a domain, ``DATA/dkim/DOMAIN.json``, for its owner's eyes only.

A pair (RSA and Ed25519) is first ``next``: its records are to be published, and it signs nothing.  Then it
is ``active`` and signs, and at last ``retired``: it signs no more, and its records are still wanted by mail
that is on its way.  docs/dkim.rst describes the file.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mailsys.disk import Disk, give_to_owner, make_durable_directories, write_new_file
from mailsys.dkim.sign import SigningKey

FOLDER = "dkim"
RSA_BITS = 2048
_VERSION = 1
_SUFFIX = ".json"
_LOCK = ".lock"
_EXPONENT = 65537


class BadKeyFile(Exception):  # noqa: N818 - a sentence for the operator
    """A file is not what we wrote; the message names it."""


class State(Enum):
    """What a key is for at present."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """``record`` is the text to be published at ``name``; ``since`` is when its state began (1970)."""

    domain: str
    selector: str
    algorithm: str
    state: State
    since: float
    record: str
    private: str  # PEM, PKCS #8

    @property
    def name(self) -> str:
        """Where its record stands in DNS."""
        return f"{self.selector}._domainkey.{self.domain}"

    def signing_key(self) -> SigningKey:
        """The key itself; raises BadKeyFile."""
        try:
            # The file is ours; the checks that are left out take 30 ms, and find what we did not do.
            key = load_pem_private_key(self.private.encode(), None, unsafe_skip_rsa_key_validation=True)
        except ValueError as error:
            raise BadKeyFile(f"the key {self.selector} of {self.domain} is damaged: {error}") from error
        if not isinstance(key, rsa.RSAPrivateKey | Ed25519PrivateKey):
            raise BadKeyFile(f"the key {self.selector} of {self.domain} is of an unknown kind")
        return SigningKey(self.domain, self.selector, self.algorithm, key)


def make_pair(domain: str, stem: str, state: State, now: float) -> tuple[StoredKey, StoredKey]:
    """New keys, whose selectors begin with ``stem``.  Takes some 50 ms."""
    rsa_key = rsa.generate_private_key(_EXPONENT, RSA_BITS)
    spki = rsa_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    small = Ed25519PrivateKey.generate()
    raw = small.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)  # RFC 8463 4
    return (
        _stored(domain, f"{stem}-rsa", "rsa-sha256", state, now, rsa_key, f"v=DKIM1; k=rsa; p={_text(spki)}"),
        _stored(
            domain,
            f"{stem}-ed25519",
            "ed25519-sha256",
            state,
            now,
            small,
            f"v=DKIM1; k=ed25519; p={_text(raw)}",
        ),
    )


def _stored(
    domain: str,
    selector: str,
    algorithm: str,
    state: State,
    now: float,
    key: rsa.RSAPrivateKey | Ed25519PrivateKey,
    record: str,
) -> StoredKey:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return StoredKey(domain, selector, algorithm, state, now, record, pem.decode())


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


class KeyFiles:
    """The files of all domains, in the folder ``dkim`` of the data folder.  All may wait for a disk."""

    def __init__(self, data: str, disk: Disk | None = None) -> None:
        self.folder = os.path.join(data, FOLDER)
        self._disk = disk or Disk()

    def domains(self) -> list[str]:
        """Those that have keys; raises OSError."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))

    def stamp(self, domain: str) -> tuple[int, int] | None:
        """What changes whenever the file does; None without one.  Raises OSError."""
        try:
            status = os.stat(self._path(domain))
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_ino

    def read(self, domain: str) -> tuple[StoredKey, ...]:
        """The keys of a domain, the oldest first; none without a file.  Raises OSError, BadKeyFile."""
        path = self._path(domain)
        try:
            with open(path, encoding="utf-8") as file:
                return tuple([_from_json(domain, one) for one in _rows(json.load(file))])
        except FileNotFoundError:
            return ()
        except (ValueError, KeyError, TypeError) as error:
            raise BadKeyFile(f"{path} is damaged: {error}") from error

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Nobody else changes keys meanwhile; raises OSError."""
        make_durable_directories(self._disk, self.folder)
        self._give_folder_to_owner()
        descriptor = os.open(
            os.path.join(self.folder, _LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            give_to_owner(descriptor, self.folder)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def write(self, domain: str, keys: tuple[StoredKey, ...]) -> None:
        """Replace the keys of a domain, all or nothing, synced; within ``changing``.  Raises OSError."""
        path = self._path(domain)
        new = f"{path}.new"
        octets = json.dumps({"version": _VERSION, "keys": [_to_json(one) for one in keys]}, indent=1).encode()
        if os.path.exists(new):
            self._disk.unlink(new)  # left by somebody who was killed
        write_new_file(self._disk, new, [[octets, b"\n"]])
        descriptor = self._disk.open(new)
        try:
            give_to_owner(descriptor, self.folder)
            self._disk.sync(descriptor)
        finally:
            self._disk.close(descriptor)
        self._disk.rename(new, path)
        self._disk.sync_directory(self.folder)

    def remove(self, domain: str) -> None:
        """Forget the keys of a domain, if it has any; within ``changing``.  Raises OSError."""
        try:
            self._disk.unlink(self._path(domain))
        except FileNotFoundError:
            return
        self._disk.sync_directory(self.folder)

    def _path(self, domain: str) -> str:
        return os.path.join(self.folder, f"{domain}{_SUFFIX}")

    def _give_folder_to_owner(self) -> None:
        descriptor = self._disk.open(self.folder)
        try:
            give_to_owner(descriptor, os.path.dirname(self.folder))
        finally:
            self._disk.close(descriptor)


def _rows(whole: Any) -> list[Any]:
    if whole["version"] != _VERSION:
        raise ValueError(f"it is of version {whole['version']}, made by a newer mailsys")
    rows = whole["keys"]
    if not isinstance(rows, list):
        raise ValueError("keys is no list")
    return rows


def _to_json(key: StoredKey) -> dict[str, Any]:
    return {
        "selector": key.selector,
        "algorithm": key.algorithm,
        "state": key.state.value,
        "since": key.since,
        "record": key.record,
        "private": key.private,
    }


def _from_json(domain: str, row: Any) -> StoredKey:
    return StoredKey(
        domain,
        str(row["selector"]),
        str(row["algorithm"]),
        State(row["state"]),
        float(row["since"]),
        str(row["record"]),
        str(row["private"]),
    )
