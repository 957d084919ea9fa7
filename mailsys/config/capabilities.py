"""IMAP capabilities that are not announced, by account: for programs that stumble over one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mailsys.config.values import Wrong
from mailsys.message.address import AddressError, parse_address

EVERYBODY = "*"
_WORD = re.compile(r"[A-Za-z0-9.=+:-]{1,64}")
_NEEDED = frozenset({"IMAP4REV1", "IMAP4REV2"})

Withheld = Mapping[str, frozenset[str]]


def read_withheld(value: object) -> Withheld:
    """Words in capitals by address, or ``*`` for every account."""
    if not isinstance(value, dict):
        raise Wrong(
            "is not a table", 'write [imap.without] and lines such as "ann@example.org" = ["QRESYNC"]'
        )
    return {_account(account): _words(account, words) for account, words in value.items()}


def write_withheld(withheld: Withheld) -> dict[str, list[str]]:
    """As in the file."""
    return {account: sorted(words) for account, words in withheld.items()}


def _account(text: str) -> str:
    if text == EVERYBODY:
        return text
    try:
        return str(parse_address(text).folded())
    except AddressError as error:
        raise Wrong(
            f'has "{text}", which is no address ({error})', 'write "user@domain", or "*" for all'
        ) from None


def _words(account: str, words: object) -> frozenset[str]:
    if not isinstance(words, list) or not all(isinstance(one, str) and _WORD.fullmatch(one) for one in words):
        raise Wrong(
            f'has for "{account}" what is no list of capabilities', 'write as in ["QRESYNC", "UTF8=ACCEPT"]'
        )
    found = frozenset(word.upper() for word in words)
    if found & _NEEDED:
        raise Wrong(f'has for "{account}" IMAP4rev1 or IMAP4rev2', "name what goes beyond these")
    return found
