"""What CAPA says: only what is true on this connection at this moment (RFC 2449)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """What the connection allows: ``stls`` until login or TLS, ``mechanisms`` to log in with (RFC 5034)."""

    stls: bool
    mechanisms: tuple[str, ...]


def capabilities(terms: Terms) -> list[str]:
    """The lines of the CAPA response.

    RFC 2449 6 and RFC 5034 6: how to log in is announced after login, too; RFC 2595 4: STLS is not.
    """
    lines = ["TOP", "UIDL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "UTF8 USER"]
    if terms.mechanisms:
        lines += ["USER", "SASL " + " ".join(terms.mechanisms)]
    if terms.stls:
        lines.append("STLS")
    return [*lines, "EXPIRE NEVER", "IMPLEMENTATION mailsys"]
