"""Where a client's connection stands, and what each command may be answered with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mailsys.message.address import Address
from mailsys.message.outcome import Step


class State(Enum):
    """Where a connection stands."""

    BEGINNING = "no Ready yet"
    READY = "the next wish may be told"
    ASKED_FOR_TLS = "STARTTLS was said"
    TLS = "the handshake is to be done"
    LOGIN = "inside an AUTH exchange"
    ENVELOPE = "MAIL, RCPT and DATA are on their way"
    BODY = "the content is being sent"
    ANSWER = "all was sent"
    ENDED = "nothing more is said or heard"


class Verb(Enum):
    """What a reply answers, the first digit of a yes, and how far the attempt has come with it.

    RFC 5321 4.2.1: a code that is not known counts by its first digit.
    """

    GREETING = ("the connection", 2, Step.GREETING)
    EHLO = ("EHLO", 2, Step.HELLO)
    HELO = ("HELO", 2, Step.HELLO)
    STARTTLS = ("STARTTLS", 2, Step.TLS)
    AUTH = ("AUTH", 2, Step.LOGIN)
    RSET = ("RSET", 2, Step.MAIL)
    MAIL = ("MAIL", 2, Step.MAIL)
    RCPT = ("RCPT", 2, Step.RCPT)
    DATA = ("DATA", 3, Step.DATA)
    CHUNK = ("BDAT", 2, Step.DATA)
    NOTHING = ("a message for nobody", 2, Step.DATA)
    MESSAGE = ("the message", 2, Step.MESSAGE)

    def __init__(self, words: str, yes: int, step: Step) -> None:
        self.words = words
        self.yes = yes
        self.step = step

    def may_be_answered_with(self, code: int) -> bool:
        """A yes, a no, or in a login the next challenge."""
        return code // 100 in (self.yes, 4, 5) or (self is Verb.AUTH and code == 334)


@dataclass(frozen=True, slots=True)
class Awaited:
    """A command whose reply has to come; ``recipients`` are those that it is about."""

    verb: Verb
    recipients: tuple[Address, ...] = ()
