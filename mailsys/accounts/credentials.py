"""What is stored instead of a password: our own hash and SCRAM keys, or a hash from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from mailsys.accounts import foreign, passwords, scram
from mailsys.accounts.saslprep import prepared

PASSWORD_OCTETS = 1024  # longer ones are refused: hashing them would be work for a stranger

RandomBytes = Callable[[int], bytes]


class PasswordError(ValueError):
    """The password cannot be used; the text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Credential:
    """One row of ``credentials``: ``kind`` is argon2id, scrypt, foreign or scram-sha-256."""

    kind: str
    value: str

    @property
    def is_foreign(self) -> bool:
        """Was it made by another program?"""
        return self.kind == "foreign"


def is_acceptable(password: str) -> bool:
    """Can this be anybody's password?  Not when it is empty, longer than 1 kB, or holds a NUL."""
    try:
        return 0 < len(password.encode()) <= PASSWORD_OCTETS and "\0" not in password
    except UnicodeEncodeError:  # a lone surrogate: the client did not send UTF-8
        return False


def own_credentials(password: str, random_bytes: RandomBytes = os.urandom) -> tuple[Credential, ...]:
    """Derive what we store for a new password; takes about 50 ms.  Raises PasswordError."""
    if not is_acceptable(password):
        raise PasswordError("A password has 1 to 1024 octets and no NUL character.")
    octets = prepared(password)
    return (
        Credential(*passwords.hash_password(octets, random_bytes)),
        Credential("scram-sha-256", scram.stored_keys(octets, random_bytes(scram.SALT_OCTETS))),
    )


def foreign_credentials(text: str, random_bytes: RandomBytes = os.urandom) -> tuple[Credential, ...]:
    """Read ``{SCHEME}hash``.  A password in clear is hashed; it is never stored as it is.

    Raises ForeignHashError, PasswordError.
    """
    known = foreign.parse(text)
    if known.plaintext is not None:
        return own_credentials(known.plaintext, random_bytes)
    return (Credential("foreign", text),)


def matches(credential: Credential, password: str) -> bool:
    """Is this acceptable password the right one?  Takes up to some seconds for a foreign hash.

    A foreign hash is compared with the octets as the client sent them, ours with the prepared ones.
    Raises ValueError when what is stored is damaged, or cannot be computed on this machine.
    """
    if credential.is_foreign:
        return foreign.parse(credential.value).matches(password.encode())
    return passwords.verify_password(prepared(password), credential.kind, credential.value)


def is_outdated(credential: Credential) -> bool:
    """Should it be replaced at the next login?"""
    return credential.is_foreign or passwords.needs_rehash(credential.kind, credential.value)


def nobodys(random_bytes: RandomBytes = os.urandom) -> Credential:
    """A credential that no password matches and that takes as long to check as a real one."""
    return Credential(*passwords.unmatchable(random_bytes))
