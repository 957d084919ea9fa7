"""Which mechanisms there are, and which of them may be offered on a connection."""

from __future__ import annotations

from collections.abc import Callable

from mailsys.wire.sasl.passwords import Login, Plain
from mailsys.wire.sasl.scram import NONCE_OCTETS, Binding, Scram, Terms
from mailsys.wire.sasl.steps import Exchange

SCRAM_PLUS = "SCRAM-SHA-256-PLUS"
SCRAM = "SCRAM-SHA-256"

# In the order in which we announce them: the best first.
MECHANISMS = (SCRAM_PLUS, SCRAM, "PLAIN", "LOGIN")


def passwords_allowed(plaintext: str, *, is_secure: bool, is_loopback: bool) -> bool:
    """May one log in over this connection?  ``plaintext`` is the setting: never, loopback or always."""
    return is_secure or plaintext == "always" or (plaintext == "loopback" and is_loopback)


def offered(*, is_allowed: bool, has_keys: bool, is_bound: bool) -> tuple[str, ...]:
    """What is announced: SCRAM if all accounts have keys, -PLUS if the connection can be bound to.

    Where a password may not come in the clear, SCRAM is not offered either.  Whoever overhears one
    exchange can try passwords against it at home (RFC 5802 9), RFC 7677 4 wants TLS around it, and
    the mail behind the login would be in the clear as well (RFC 8314 3).
    """
    if not is_allowed:
        return ()
    scram = (SCRAM_PLUS, SCRAM) if is_bound else (SCRAM,)
    return (*(scram if has_keys else ()), "PLAIN", "LOGIN")


def exchange(
    mechanism: str, offered: tuple[str, ...], binding: Binding, random_bytes: Callable[[int], bytes]
) -> Exchange:
    """Begin with one of the mechanisms that were ``offered``."""
    if mechanism == "PLAIN":
        return Plain()
    if mechanism == "LOGIN":
        return Login()
    return Scram(Terms(mechanism == SCRAM_PLUS, SCRAM_PLUS in offered, binding, random_bytes(NONCE_OCTETS)))
