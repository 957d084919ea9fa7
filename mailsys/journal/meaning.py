"""What a reply means, for somebody who never saw one: read from its enhanced code (RFC 3463)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_CODES = re.compile(r"([45])\d\d(?: [245]\.(\d{1,3}\.\d{1,3}))?(?: |$)")
_DETAILS: Mapping[str, str] = {
    "1.1": "there is no such address here",
    "1.2": "there is no such domain",
    "1.3": "the recipient's address is written wrongly",
    "1.7": "the sender's address is written wrongly",
    "1.10": "that domain takes no mail",
    "2.1": "the mailbox is closed",
    "2.2": "the mailbox is full",
    "2.4": "the alias leads to too many addresses",
    "3.0": "something went wrong on this host",
    "3.1": "this host had no room to store it",
    "3.2": "this host was busy, or about to stop",
    "3.4": "the message is too large",
    "4.1": "the other host did not answer",
    "4.2": "the connection was too slow, or broke",
    "4.6": "the mail goes round in a circle",
    "4.7": "it took too long",
    "5.1": "the client spoke out of turn",
    "5.2": "the client's command was not understood",
    "5.3": "these are too many recipients at once",
    "5.4": "the client's command was not understood",
    "6.0": "the message is not built as it must be",
    "6.1": "the message is not built as it must be",
    "6.7": "the address has letters that the client did not announce",
    "7.1": "this host must not take it, or does not want it",
    "7.5": "the connection could not be made safe",
    "7.8": "the name or the password was wrong",
    "7.11": "a password is only taken over an encrypted connection",
}
_OF_MAIL = frozenset({"MAIL", "RCPT", "DATA", "BDAT"})
_NEXT = {
    "4": "their server keeps the message and tries again by itself",
    "5": "their server does not try again, and tells the sender",
}


def meaning_of(reply: str, command: str) -> str:
    """Part of a sentence; empty when the reply says all that there is to say."""
    match = _CODES.match(reply)
    if match is None:
        return ""
    detail = _DETAILS.get(match[2] or "", "")
    following = _NEXT[match[1]] if command in _OF_MAIL else ""
    return "; ".join(filter(None, (detail, following)))
