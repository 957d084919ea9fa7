"""What a POP3 server did, as the client machine tells it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offers:
    """What CAPA told: of each capability its words, in capitals (RFC 2449 3)."""

    capabilities: frozenset[str] = frozenset()
    mechanisms: frozenset[str] = frozenset()

    def __contains__(self, capability: str) -> bool:
        return capability in self.capabilities


@dataclass(frozen=True, slots=True)
class Ready:
    """The server has greeted, and has said what it can do."""

    offers: Offers


@dataclass(frozen=True, slots=True)
class TLSMayBegin:
    """Do the handshake now, then call ``tls_started``."""


@dataclass(frozen=True, slots=True)
class Challenged:
    """Inside a login: what the server wants answered, None if it was no base64."""

    data: bytes | None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The login was taken."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The command was answered with ``+OK``; ``body`` is what followed a multi-line one."""

    text: str
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The greeting or a command was answered with ``-ERR``; ``code`` as in RFC 2449 8, in capitals."""

    command: str
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """The server does not keep the protocol; ``why`` goes on from its name: "sent a line …"."""

    why: str


Event = Ready | TLSMayBegin | Challenged | LoggedIn | Answered | Refused | Broken
