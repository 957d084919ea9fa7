"""Which mechanism a client logs in with."""

from __future__ import annotations

from collections.abc import Collection

from mailsys.wire.sasl.client import ClientExchange, Login, LoginExchange, PlainExchange
from mailsys.wire.sasl.scram_client import ScramExchange


def choose_exchange(offered: Collection[str], login: Login, nonce: bytes) -> ClientExchange | None:
    """The best mechanism that both sides speak; ``nonce`` is for one that needs chance."""
    if ScramExchange.name in offered:
        return ScramExchange(login, nonce)
    if PlainExchange.name in offered:
        return PlainExchange(login)
    return LoginExchange(login) if LoginExchange.name in offered else None
