"""SASL as a server speaks it: base64 lines and the exchanges of PLAIN and LOGIN (RFC 4422).

POP3 and SMTP frame these lines each in their own way (RFC 5034, RFC 4954); what is inside is the
same.  An exchange gets decoded responses and answers with a step: a challenge, credentials that
someone else must check, or a failure.  A mechanism that needs stored keys (SCRAM) adds a kind of
step that asks for them.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

RESPONSE_OCTETS = 12288  # RFC 4954 4: the longest line of an exchange, with its CRLF.


class Refusal(Enum):
    """Why an exchange failed before any password was looked at."""

    CANCELLED = "the client gave up"
    BAD_BASE64 = "not base64"
    MALFORMED = "not what the mechanism asks for"
    OTHER_IDENTITY = "wants to act as somebody else"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Say this to the client, in base64, and wait for its response."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the client claims; nobody has checked it yet."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failed:
    """The exchange is over."""

    refusal: Refusal


Step = Challenge | Credentials | Failed


class Exchange(Protocol):
    """One attempt to log in with one mechanism."""

    def begin(self, initial: bytes | None) -> Step:
        """Start, with the initial response if the client sent one."""

    def step(self, response: bytes) -> Step:
        """Go on with the response to the last challenge."""


class Plain:
    """RFC 4616: ``authzid NUL authcid NUL password`` in a single response."""

    def begin(self, initial: bytes | None) -> Step:
        """Ask for the response with an empty challenge if it did not come along."""
        return Challenge(b"") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        """Take the credentials apart."""
        parts = response.split(b"\0")
        if len(parts) != 3:
            return Failed(Refusal.MALFORMED)
        acting_as, name, password = parts
        if acting_as and acting_as != name:
            return Failed(Refusal.OTHER_IDENTITY)
        return _credentials(name, password)


class Login:
    """Name and password in two responses: never standardised, still what some programs speak."""

    def __init__(self) -> None:
        self._name: bytes | None = None

    def begin(self, initial: bytes | None) -> Step:
        """Ask for the name if it did not come along."""
        return Challenge(b"Username:") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        """Take the name first, then the password."""
        if self._name is None:
            self._name = response
            return Challenge(b"Password:")
        return _credentials(self._name, response)


def _credentials(name: bytes, password: bytes) -> Step:
    if not name or not password or b"\0" in name + password:
        return Failed(Refusal.MALFORMED)
    try:
        return Credentials(name.decode(), password.decode())
    except UnicodeDecodeError:
        return Failed(Refusal.MALFORMED)


# The mechanisms we offer, in the order in which we announce them.
MECHANISMS: Mapping[str, Callable[[], Exchange]] = {"PLAIN": Plain, "LOGIN": Login}


def passwords_allowed(plaintext: str, *, is_secure: bool, is_loopback: bool) -> bool:
    """May a password come over this connection?  ``plaintext`` is the setting: never, loopback or always."""
    return is_secure or plaintext == "always" or (plaintext == "loopback" and is_loopback)


def begin(exchange: Exchange, initial: bytes | None) -> Step:
    """Start an exchange with the initial response as it stood behind AUTH, in base64 or ``=``."""
    if initial is None:
        return exchange.begin(None)
    decoded = b"" if initial == b"=" else decode(initial)
    return Failed(decoded) if isinstance(decoded, Refusal) else exchange.begin(decoded)


def step(exchange: Exchange, line: bytes) -> Step:
    """Go on with the line that answered a challenge, in base64; ``*`` cancels."""
    decoded = Refusal.CANCELLED if line == b"*" else decode(line)
    return Failed(decoded) if isinstance(decoded, Refusal) else exchange.step(decoded)


def decode(line: bytes) -> bytes | Refusal:
    """Base64 with its padding and nothing else (RFC 4648 4); an empty line is an empty response."""
    if len(line) > RESPONSE_OCTETS:
        return Refusal.BAD_BASE64
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        return Refusal.BAD_BASE64


def encode(challenge: Challenge) -> bytes:
    """The challenge in base64, without line end."""
    return base64.b64encode(challenge.data)
