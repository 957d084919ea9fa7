"""Logs in, by the best mechanism that both speak; a password leaves only where it may."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from mailsys.agent.account import Account, CannotRead, Security
from mailsys.agent.dialogue import Dialogue, E
from mailsys.agent.opening import Surroundings
from mailsys.wire.sasl.client import ClientExchange, Login
from mailsys.wire.sasl.client_choice import choose_exchange
from mailsys.wire.sasl.scram_client import ScramExchange


class Machine(Protocol):
    """What the client machines of IMAP and POP3 have in common about a login."""

    is_secure: bool

    def log_in(self, exchange: ClientExchange, *, in_clear: bool = False) -> None:
        """Begin a login by SASL."""

    def log_in_plainly(self, who: Login, *, in_clear: bool = False) -> None:
        """Begin a login without SASL."""

    def respond(self, response: bytes) -> None:
        """Answer a challenge."""

    def give_up(self) -> None:
        """End a login whose challenge has no answer."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the server wants answered, None if it was no base64."""

    data: bytes | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the server said with its no."""

    text: str


# What a server does next within a login; None when it said yes.
Step = Callable[[], Awaitable[Challenge | Refusal | None]]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a server takes: mechanisms of SASL, and does it take name and password without SASL?"""

    mechanisms: Collection[str]
    plainly: bool


async def log_in(
    account: Account,
    machine: Machine,
    dialogue: Dialogue[E],
    offered: Offered,
    surroundings: Surroundings,
    step: Step,
) -> None:
    """Log in; raises CannotRead."""
    exchange = _begin(account, machine, dialogue, offered, surroundings.nonce())
    while (said := await step()) is not None:
        if isinstance(said, Refusal):
            raise dialogue.failure(f"it did not take the login of {account.login.name}: {said.text}")
        answer = await surroundings.workers.run(exchange.respond, said.data) if exchange else None
        if answer is None:
            machine.give_up()
        else:
            machine.respond(answer)
    if exchange is not None and not exchange.is_satisfied:
        raise dialogue.failure("it did not show that it knows the password")


def check_login(login: Login) -> None:
    """Raise CannotRead for a name or password that no line can hold."""
    for what, text in (("name", login.name), ("password", login.password)):
        if not text or any(ord(character) < 32 or ord(character) == 127 for character in text):
            raise CannotRead(f"The {what} to log in with is empty or holds control characters.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise CannotRead(f"The {what} to log in with is not UTF-8.") from None


def _begin(
    account: Account, machine: Machine, dialogue: Dialogue[E], offered: Offered, nonce: bytes
) -> ClientExchange | None:
    """Say who we are; None when that was without SASL."""
    in_clear = account.security is Security.NONE and _is_this_machine(dialogue.connection.peer.host)
    shows_password = machine.is_secure or in_clear
    mechanisms = set(offered.mechanisms)
    exchange = choose_exchange(
        mechanisms if shows_password else mechanisms & {ScramExchange.name}, account.login, nonce
    )
    if exchange is not None:
        machine.log_in(exchange, in_clear=True)
    elif not shows_password:
        raise dialogue.failure("the password was not sent, as there is no TLS")
    elif not offered.plainly:
        raise dialogue.failure("it offers no way to log in that is known here")
    else:
        machine.log_in_plainly(account.login, in_clear=in_clear)
    return exchange


def _is_this_machine(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback
