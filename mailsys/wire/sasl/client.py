"""SASL as a client speaks it, and PLAIN and LOGIN (RFC 4422, RFC 4616).

These two show the password to whoever is at the other end, so they are for verified TLS only; whoever
begins an exchange sees to that.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password, for logging in at another host."""

    name: str
    password: str = field(repr=False)


class ClientExchange(Protocol):
    """One attempt to log in with one mechanism.

    ``is_satisfied`` says that the server may say yes now: what it had to show, it has shown.
    """

    name: str
    is_satisfied: bool

    def initial(self) -> bytes | None:
        """Return the initial response, None when the server speaks first."""

    def respond(self, challenge: bytes | None) -> bytes | None:
        """Answer a challenge, which is None if it was no base64; None when there is no answer to it.

        May take long: from a worker thread.
        """


class PlainExchange:
    """RFC 4616: all in the initial response."""

    name = "PLAIN"
    is_satisfied = True

    def __init__(self, login: Login) -> None:
        self._login = login

    def initial(self) -> bytes | None:
        """Return name and password."""
        return f"\0{self._login.name}\0{self._login.password}".encode()

    def respond(self, challenge: bytes | None) -> bytes | None:
        """Nothing is left to say."""
        return None


class LoginExchange:
    """Name, then password, whatever the challenges say: never standardised, still all that some offer."""

    name = "LOGIN"
    is_satisfied = True

    def __init__(self, login: Login) -> None:
        self._left = [login.name.encode(), login.password.encode()]

    def initial(self) -> bytes | None:
        """Wait to be asked."""
        return None

    def respond(self, challenge: bytes | None) -> bytes | None:
        """Give the next of the two."""
        return self._left.pop(0) if self._left else None


def decode_challenge(text: str) -> bytes | None:
    """What stands in a 334, or None when it is no base64; some servers write a challenge as plain words."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def encode_response(response: bytes) -> str:
    """In base64 for the wire."""
    return base64.b64encode(response).decode()
