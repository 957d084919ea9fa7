"""A SASL exchange, driven: what each step asks for is done, up to an account or a failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from zope.interface import implementer

from mailsys.interfaces import Account, ILoginExchange, LoginFault
from mailsys.wire import sasl
from mailsys.wire.sasl import Challenge, Credentials, Exchange, Failed, KeysWanted, Proven, Refusal, ScramKeys

FAULTS: Mapping[Refusal, LoginFault] = {
    Refusal.CANCELLED: LoginFault.CANCELLED,
    Refusal.BAD_BASE64: LoginFault.NOT_BASE64,
    Refusal.MALFORMED: LoginFault.MALFORMED,
    Refusal.OTHER_IDENTITY: LoginFault.WRONG,
    Refusal.WRONG_BINDING: LoginFault.WRONG,
    Refusal.DOWNGRADED: LoginFault.WRONG,
    Refusal.WRONG_PROOF: LoginFault.WRONG,
}


class Judgement(Protocol):
    """Who decides about an exchange; all but ``keys`` raise LoginFailed when the answer is no."""

    async def password(self, name: str, password: str) -> Account:
        """The client says to have this password."""

    async def keys(self, name: str) -> ScramKeys:
        """The client is about to prove that it knows the password of this name."""

    async def proven(self) -> Account:
        """It has proved it."""

    async def refused(self, refusal: Refusal) -> Account:
        """It has not, or something is wrong with what it said."""


@implementer(ILoginExchange)
class LoginExchange:
    """One attempt of one client."""

    def __init__(self, exchange: Exchange, judgement: Judgement) -> None:
        self._exchange = exchange
        self._judgement = judgement

    async def begin(self, initial: bytes | None) -> bytes | Account:
        """Start, with the initial response if there was one."""
        return await self._take(sasl.begin(self._exchange, initial))

    async def go_on(self, line: bytes) -> bytes | Account:
        """Take the answer to the last challenge."""
        return await self._take(sasl.step(self._exchange, line))

    async def _take(self, step: sasl.Step) -> bytes | Account:
        match step:
            case Challenge():
                return sasl.encode(step)
            case Credentials(name, password):
                return await self._judgement.password(name, password)
            case KeysWanted(name):
                return await self._take(self._exchange.keys(await self._judgement.keys(name)))
            case Proven():
                return await self._judgement.proven()
            case Failed(refusal):
                return await self._judgement.refused(refusal)
