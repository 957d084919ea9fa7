"""The lines of an exchange: base64, ``=`` for an empty initial response, ``*`` to give up (RFC 4422 5).

POP3 and SMTP frame them each in their own way (RFC 5034, RFC 4954); what is inside is the same.
"""

from __future__ import annotations

import base64
import binascii

from mailsys.wire.sasl.steps import Challenge, Exchange, Failed, Refusal, Step

RESPONSE_OCTETS = 12288  # RFC 4954 4: the longest line of an exchange, with its CRLF.


def begin(exchange: Exchange, initial: bytes | None) -> Step:
    """Start an exchange with the initial response as it stood behind AUTH, in base64 or ``=``."""
    if initial is None:
        return exchange.begin(None)
    decoded = b"" if initial == b"=" else decode(initial)
    return Failed(decoded) if isinstance(decoded, Refusal) else exchange.begin(decoded)


def step(exchange: Exchange, line: bytes) -> Step:
    """Go on with the line that answered a challenge, in base64; ``*`` cancels."""
    decoded = Refusal.CANCELLED if line == b"*" else decode(line)
    return Failed(decoded) if isinstance(decoded, Refusal) else exchange.step(decoded)


def decode(line: bytes) -> bytes | Refusal:
    """Base64 with its padding and nothing else (RFC 4648 4); an empty line is an empty response."""
    if len(line) > RESPONSE_OCTETS:
        return Refusal.BAD_BASE64
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        return Refusal.BAD_BASE64


def encode(challenge: Challenge) -> bytes:
    """The challenge in base64, without line end."""
    return base64.b64encode(challenge.data)
