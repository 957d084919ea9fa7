"""What EHLO and LHLO announce: a line for each extension that is really there.

Each entry of ``EXTENSIONS`` makes its line from what holds on this connection now, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailsys.message.reply import Reply


@dataclass(frozen=True, slots=True)
class Offer:
    """What the host can do on this connection at this moment."""

    hostname: str
    message_octets: int
    recipients: int
    notices: bool = False  # what a sender wishes to be told
    later: str = ""  # how far ahead a message may be handed in
    starttls: bool = False
    mechanisms: tuple[str, ...] = ()


def _auth(offer: Offer) -> str | None:
    return "AUTH " + " ".join(offer.mechanisms) if offer.mechanisms else None


EXTENSIONS: Sequence[Callable[[Offer], str | None]] = (
    lambda offer: "PIPELINING",  # RFC 2920
    lambda offer: f"SIZE {offer.message_octets}",  # RFC 1870
    lambda offer: "8BITMIME",  # RFC 6152
    lambda offer: "SMTPUTF8",  # RFC 6531
    lambda offer: "ENHANCEDSTATUSCODES",  # RFC 2034
    lambda offer: "CHUNKING",  # RFC 3030
    lambda offer: "BINARYMIME",  # RFC 3030
    lambda offer: "DSN" if offer.notices else None,  # RFC 3461
    lambda offer: f"FUTURERELEASE {offer.later}" if offer.later else None,  # RFC 4865
    lambda offer: f"LIMITS RCPTMAX={offer.recipients}",  # RFC 9422
    lambda offer: "STARTTLS" if offer.starttls else None,  # RFC 3207
    _auth,  # RFC 4954
)


@lru_cache(maxsize=32)
def hello_reply(verb: str, offer: Offer) -> Reply:
    """The answer to HELO, EHLO or LHLO."""
    lines = [offer.hostname]
    if verb != "HELO":
        lines += [line for make in EXTENSIONS if (line := make(offer)) is not None]
    return Reply(250, "", "\n".join(lines))
