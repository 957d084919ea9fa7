"""Logins that were right a moment ago, so that programs that poll every minute cost no hash."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from twisted.internet.interfaces import IReactorTime

from mailsys.accounts.credentials import Credential
from mailsys.message.address import Address

SECONDS = 300.0
MOST = 10_000


class RecentLogins:
    """Remembers that a password matched a credential, by a digest under a key of this process.

    The stored hash is part of what is digested: once a password is changed, the old one is unknown.
    """

    def __init__(self, clock: IReactorTime, key: bytes) -> None:
        self._clock = clock
        self._key = key
        self._until: OrderedDict[bytes, float] = OrderedDict()  # the oldest first

    def add(self, address: Address, credential: Credential, password: str) -> None:
        """Remember for five minutes from now."""
        digest = self.digest(address, credential, password)
        self._until[digest] = self._clock.seconds() + SECONDS
        self._until.move_to_end(digest)
        if len(self._until) > MOST:
            self._until.popitem(last=False)

    def has(self, address: Address, credential: Credential, password: str) -> bool:
        """Did it match within the last five minutes?"""
        digest = self.digest(address, credential, password)
        until = self._until.get(digest)
        if until is None:
            return False
        if 0 < until - self._clock.seconds() <= SECONDS:  # the clock may have been set back
            return True
        del self._until[digest]
        return False

    def digest(self, address: Address, credential: Credential, password: str) -> bytes:
        """What stands for these three, under the key of this process."""
        # None of the parts can hold a NUL but the last.
        parts = "\0".join((str(address), credential.kind, credential.value, password))
        return hashlib.blake2b(parts.encode(), key=self._key, digest_size=32).digest()
