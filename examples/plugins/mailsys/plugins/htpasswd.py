"""Accounts and passwords from a file that Apache's ``htpasswd`` writes: bcrypt, apr1 (MD5) and SHA.

    [auth]
    sources = ["htpasswd"]
    [plugins.htpasswd]
    file = "/etc/apache2/people"
    domain = "example.org"

``ann`` in the file is ann@example.org.  The file is read again when it changes.  Hashes that htpasswd
itself calls insecure (crypt, plain text) let nobody in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailsys.accounts.md5_crypt import md5_crypt
from mailsys.config.settings import DOMAIN, PATH, SIZE, Wrong, setting
from mailsys.interfaces import Account, DirectoryUnavailable, IAccounts, PluginMaker, Services
from mailsys.message.address import Address, AddressError, parse_address

htpasswd = PluginMaker(IAccounts, "htpasswd", __name__, "knows accounts and passwords of an htpasswd file")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the file is, whose names it has, and how large each mailbox may be."""

    file: str = setting(PATH)
    domain: str = setting(DOMAIN)
    quota: int = setting(SIZE, "1G")

    def __post_init__(self) -> None:
        if not self.domain:
            raise Wrong("has no domain", 'write the one that its names belong to: domain = "example.org"')


@implementer(IAccounts, ICredentialsChecker)
class Htpasswd:
    """Both who there is and what their password is."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, settings: Settings, services: Services) -> None:
        self._settings = settings
        self._workers = services.workers
        self._version: tuple[int, ...] = ()
        self._hashes: Mapping[Address, str] = {}

    async def account(self, address: Address) -> Account | None:
        """Whoever stands in the file."""
        known = address in await self._read()
        return Account(address, self._settings.quota) if known else None

    def requestAvatarId(self, credentials: UsernamePassword) -> Deferred[bytes | tuple[()]]:
        """Fire with the address, or fail with UnauthorizedLogin."""
        return Deferred.fromCoroutine(self._check(credentials.username, credentials.password))

    async def _check(self, name: bytes, password: bytes) -> bytes:
        try:
            address = parse_address(name.decode()).folded()
        except (AddressError, UnicodeDecodeError):
            raise UnauthorizedLogin from None
        stored = (await self._read()).get(address, "")
        if not await self._workers.run(matches, stored, password):
            raise UnauthorizedLogin
        return str(address).encode()

    async def _read(self) -> Mapping[Address, str]:
        try:
            self._version, self._hashes = await self._workers.run(self._read_if_changed)
        except (OSError, UnicodeDecodeError) as error:
            raise DirectoryUnavailable(f"{self._settings.file}: {error}") from error
        return self._hashes

    def _read_if_changed(self) -> tuple[tuple[int, ...], Mapping[Address, str]]:
        status = os.stat(self._settings.file)
        version = (status.st_mtime_ns, status.st_size, status.st_ino)
        if version == self._version:
            return version, self._hashes
        found: dict[Address, str] = {}
        with open(self._settings.file, encoding="utf-8") as file:
            for line in file:
                name, _, stored = line.strip().partition(":")
                if stored and not name.startswith("#"):
                    try:
                        found[parse_address(f"{name}@{self._settings.domain}").folded()] = stored
                    except AddressError:
                        pass  # a name that no mail address can have is nobody's here
        return version, found


def matches(stored: str, password: bytes) -> bool:
    """Is it the password?  In a worker thread: bcrypt takes long on purpose."""
    if b"\0" in password:
        return False
    if stored.startswith(("$2y$", "$2a$", "$2b$")):
        import bcrypt

        return bcrypt.checkpw(password[:72], stored.encode())
    if stored.startswith("$apr1$"):
        salt = stored.split("$")[2]
        found = md5_crypt(password, salt.encode(), b"$apr1$")
        return hmac.compare_digest(f"$apr1${salt}${found}".encode(), stored.encode())
    digest = base64.b64encode(hashlib.sha1(password).digest()).decode()  # noqa: S324 - Apache's {SHA}
    return hmac.compare_digest(f"{{SHA}}{digest}".encode(), stored.encode())


def make(settings: Settings, services: Services) -> Htpasswd:
    """The source."""
    return Htpasswd(settings, services)
