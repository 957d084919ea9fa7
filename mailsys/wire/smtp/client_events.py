"""What a server did, as the client machine tells it."""

from __future__ import annotations

from dataclasses import dataclass

from mailsys.message.address import Address
from mailsys.message.outcome import Step
from mailsys.message.reply import Reply
from mailsys.wire.smtp.offers import Offers


@dataclass(frozen=True, slots=True)
class Ready:
    """The server has greeted and told what it offers; it was ``reply``."""

    offers: Offers
    reply: Reply


@dataclass(frozen=True, slots=True)
class Refused:
    """The greeting, EHLO, STARTTLS or AUTH was answered with no; ``step`` says which."""

    step: Step
    reply: Reply


@dataclass(frozen=True, slots=True)
class TLSMayBegin:
    """Do the handshake now, then call ``tls_started``."""


@dataclass(frozen=True, slots=True)
class Challenged:
    """Inside AUTH: what the server wants answered, None if it was no base64."""

    data: bytes | None


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The login was taken."""


@dataclass(frozen=True, slots=True)
class SenderAnswered:
    """The answer to MAIL."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class RecipientAnswered:
    """The answer to RCPT."""

    recipient: Address
    reply: Reply


@dataclass(frozen=True, slots=True)
class BodyWanted:
    """At least one recipient was taken: give the content with ``send_body``."""


@dataclass(frozen=True, slots=True)
class NoBody:
    """The transaction is over without content: nobody was taken (None), or DATA was refused."""

    reply: Reply | None


@dataclass(frozen=True, slots=True)
class MessageAnswered:
    """The answer to the whole message, for these recipients; with LMTP one for each."""

    recipients: tuple[Address, ...]
    reply: Reply


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server wants no more of this connection: 421, or an answer before the content was whole."""

    step: Step
    reply: Reply


@dataclass(frozen=True, slots=True)
class Broken:
    """The server does not keep the protocol; ``why`` goes on from its name: "sent a line …"."""

    step: Step
    why: str


Event = (
    Ready
    | Refused
    | TLSMayBegin
    | Challenged
    | LoggedIn
    | SenderAnswered
    | RecipientAnswered
    | BodyWanted
    | NoBody
    | MessageAnswered
    | Stopped
    | Broken
)
