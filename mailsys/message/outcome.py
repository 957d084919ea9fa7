"""How one delivery to one recipient ended: exactly one of these for each recipient."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mailsys.message.reply import Reply


class Step(Enum):
    """How far an attempt came; the value says at what it ended, for people."""

    ROUTE = "choosing the host"
    CONNECT = "connecting"
    GREETING = "the greeting"
    HELLO = "EHLO"
    TLS = "STARTTLS"
    LOGIN = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    MESSAGE = "the end of the message"


@dataclass(frozen=True, slots=True)
class Delivered:
    """It is where it should be; ``where`` says so in words."""

    where: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not yet: it stays in the queue and is tried again."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Failed:
    """It will never be delivered; the sender is told."""

    reply: Reply


Outcome = Delivered | Deferred | Failed


def outcome_of(reply: Reply, where: str) -> Outcome:
    """What a reply to a recipient means for it; ``where`` is told when it is positive."""
    if reply.is_positive:
        return Delivered(where)
    return Deferred(reply) if reply.is_transient else Failed(reply)
