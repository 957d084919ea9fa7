"""SASL as a client speaks it: PLAIN and LOGIN (RFC 4422, RFC 4616).

Both show the password to whoever is at the other end, so they are for verified TLS only; whoever
begins an exchange sees to that.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password, for logging in at another host."""

    name: str
    password: str = field(repr=False)


class ClientExchange(Protocol):
    """One attempt to log in with one mechanism."""

    name: str

    def initial(self) -> bytes | None:
        """Return the initial response, None when the server speaks first."""

    def respond(self, challenge: bytes) -> bytes | None:
        """Answer a challenge; None when the mechanism has nothing more to say."""


class PlainExchange:
    """RFC 4616: all in the initial response."""

    name = "PLAIN"

    def __init__(self, login: Login) -> None:
        self._login = login

    def initial(self) -> bytes | None:
        """Return name and password."""
        return f"\0{self._login.name}\0{self._login.password}".encode()

    def respond(self, challenge: bytes) -> bytes | None:
        """Nothing is left to say."""
        return None


class LoginExchange:
    """Name, then password, whatever the challenges say: never standardised, still all that some offer."""

    name = "LOGIN"

    def __init__(self, login: Login) -> None:
        self._left = [login.name.encode(), login.password.encode()]

    def initial(self) -> bytes | None:
        """Wait to be asked."""
        return None

    def respond(self, challenge: bytes) -> bytes | None:
        """Give the next of the two."""
        return self._left.pop(0) if self._left else None


# The mechanisms we speak, the best first.
MECHANISMS: Mapping[str, Callable[[Login], ClientExchange]] = {"PLAIN": PlainExchange, "LOGIN": LoginExchange}


def choose_exchange(offered: Collection[str], login: Login) -> ClientExchange | None:
    """The best mechanism that both sides speak."""
    return next((make(login) for name, make in MECHANISMS.items() if name in offered), None)


def decode_challenge(text: str) -> bytes | None:
    """What stands in a 334, or None when it is no base64; some servers write a challenge as plain words."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def encode_response(response: bytes) -> str:
    """In base64 for the wire."""
    return base64.b64encode(response).decode()
