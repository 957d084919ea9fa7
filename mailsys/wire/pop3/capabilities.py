"""What CAPA says: only what is true on this connection at this moment (RFC 2449)."""

from __future__ import annotations

from dataclasses import dataclass

from mailsys.wire.sasl import MECHANISMS


@dataclass(frozen=True, slots=True)
class Terms:
    """What the connection allows: ``stls`` until login or TLS, ``passwords`` where they may be sent."""

    stls: bool
    passwords: bool


def capabilities(terms: Terms) -> list[str]:
    """The lines of the CAPA response.

    RFC 2449 6 and RFC 5034 6: how to log in is announced after login, too; RFC 2595 4: STLS is not.
    """
    lines = ["TOP", "UIDL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "UTF8 USER"]
    if terms.passwords:
        lines += ["USER", "SASL " + " ".join(MECHANISMS)]
    if terms.stls:
        lines.append("STLS")
    return [*lines, "EXPIRE NEVER", "IMPLEMENTATION mailsys"]
