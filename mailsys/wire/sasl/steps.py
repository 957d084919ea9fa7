"""What an exchange gives back: each step is one of these values, and whoever drives it obeys."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


class Refusal(Enum):
    """Why an exchange failed."""

    CANCELLED = "the client gave up"
    BAD_BASE64 = "not base64"
    MALFORMED = "not what the mechanism asks for"
    OTHER_IDENTITY = "wants to act as somebody else"
    WRONG_BINDING = "bound to another TLS connection: somebody may sit in between"
    DOWNGRADED = "the client was not told of channel binding, which is offered: somebody may sit in between"
    WRONG_PROOF = "wrong password"


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
class ScramKeys:
    """What a server knows of a password for SCRAM (RFC 5802 section 3)."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeysWanted:
    """Look up the keys of this name, and give them to the exchange's ``keys``; it returns the next step."""

    name: str


@dataclass(frozen=True, slots=True)
class Proven:
    """The client has the password of the keys that were given for this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The exchange is over."""

    refusal: Refusal


Step = Challenge | Credentials | KeysWanted | Proven | Failed


class Exchange(Protocol):
    """One attempt to log in with one mechanism."""

    def begin(self, initial: bytes | None) -> Step:
        """Start, with the initial response if the client sent one."""

    def step(self, response: bytes) -> Step:
        """Go on with the response to the last challenge."""

    def keys(self, keys: ScramKeys) -> Step:
        """Go on with the keys that were asked for."""
