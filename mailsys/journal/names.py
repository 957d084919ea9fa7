"""By which names a story can be found: the addresses that it is about, and its Message-ID."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from mailsys.journal.printable import printable

NAME_CHARACTERS = 256
_FACTS_WITH_A_NAME = ("from", "recipient", "account", "login", "name", "message_id", "sent_as")
_LISTS_OF_NAMES = ("to", "fetched", "removed")  # the last two are files in a mailbox


def names_of(facts: Mapping[str, Any]) -> set[str]:
    """The names of one event, as :func:`search_name` writes them."""
    return {search_name(name) for name in _written_names(facts) if name}


def _written_names(facts: Mapping[str, Any]) -> Iterator[str]:
    for fact in _FACTS_WITH_A_NAME:
        if isinstance(name := facts.get(fact), str):
            yield name
    for fact in _LISTS_OF_NAMES:
        if isinstance(several := facts.get(fact), list):
            yield from (name for name in several if isinstance(name, str))


def search_name(text: str) -> str:
    """One form for what people write in different ways: no case, no angle brackets, a bounded length."""
    name = text.strip(" <>").casefold()
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    return printable(name[:NAME_CHARACTERS])
