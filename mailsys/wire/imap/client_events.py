"""What a server did, as the client machine tells it; data of a folder comes as ``client_responses``."""

from __future__ import annotations

from dataclasses import dataclass

from mailsys.wire.imap.client_responses import Data, Status


@dataclass(frozen=True, slots=True)
class Ready:
    """The server has greeted, and has said what it can do.

    ``is_logged_in`` without a login of ours (PREAUTH): before TLS nobody should believe that.
    """

    capabilities: frozenset[str]
    is_logged_in: bool = False


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

    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Idling:
    """IDLE has begun: what happens in the folder is told, until ``end_idle``."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The command is over; ``status`` is OK."""

    status: Status


@dataclass(frozen=True, slots=True)
class Refused:
    """STARTTLS, a login or a command was answered with no."""

    command: str
    status: Status


@dataclass(frozen=True, slots=True)
class Told:
    """What the server remarks: an untagged status, such as an ALERT (RFC 9051 7.1)."""

    status: Status


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server ends the connection (BYE)."""

    status: Status


@dataclass(frozen=True, slots=True)
class Broken:
    """The server does not keep the protocol; ``why`` goes on from its name: "sent a line …"."""

    why: str


Event = (
    Ready | TLSMayBegin | Challenged | LoggedIn | Idling | Answered | Refused | Told | Stopped | Broken | Data
)
