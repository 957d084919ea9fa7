"""What a story does not hold, for its reader at the desk: where a copy is now, and who was meant."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence

from mailsys.accounts.near import near_addresses
from mailsys.config import Configuration
from mailsys.control.mailbox_look import whereabouts
from mailsys.interfaces import JournalEvent
from mailsys.journal.moments import day_of, moment_of
from mailsys.journal.phrases import client_in_words, text_of, texts_of
from mailsys.journal.printable import printable
from mailsys.journal.reader import JournalReader
from mailsys.message.address import AddressError, parse_address
from mailsys.paths import Paths

_COPIES = 20
_NO_SUCH_USER = " 5.1.1 "


def afterwards(
    events: Sequence[JournalEvent], journal: JournalReader, configuration: Configuration
) -> Iterator[str]:
    """Lines to print below a story; raises sqlite3.Error."""
    copies = [event for event in events if event.facts.get("event") == "delivered" and "file" in event.facts]
    for copy in copies[:_COPIES]:
        yield from (f"  {printable(line)}" for line in _of_copy(copy, journal, configuration))
    for address in _unknown(events):
        if found := near(address, configuration):
            yield f"  There is no {printable(address)}.  Is {' or '.join(found)} meant?"


def _of_copy(copy: JournalEvent, journal: JournalReader, configuration: Configuration) -> Iterator[str]:
    file, account = text_of(copy.facts, "file"), text_of(copy.facts, "account")
    for event in sorted(journal.readings(file), key=lambda event: event.at):
        done = [
            word
            for word, fact in (("Fetched", "fetched"), ("deleted", "removed"))
            if file in texts_of(event.facts, fact)
        ]
        moment = moment_of(event.at)
        when = f"{day_of(moment)} {moment:%H:%M:%S}"
        words = " and ".join(done).capitalize()
        yield f"{words} over POP3 by {account} from {client_in_words(event.facts)}, {when}."
    try:
        where = whereabouts(configuration, parse_address(account), file)
    except (AddressError, OSError) as error:
        where = f"The mailbox of {account} cannot be looked at: {getattr(error, 'strerror', error)}."
    if where:
        yield where


def _unknown(events: Sequence[JournalEvent]) -> list[str]:
    """Recipients that do not exist, each once."""
    refusals = (event.facts for event in events if event.facts.get("event") == "refused")
    found = [text_of(facts, "recipient") for facts in refusals if _NO_SUCH_USER in text_of(facts, "reply")]
    return list(dict.fromkeys(found))[:_COPIES]


def near(text: str, configuration: Configuration) -> list[str]:
    """Addresses of ours that somebody may have meant."""
    path = Paths(configuration.data).accounts
    try:
        address = parse_address(text)
        found = near_addresses(path, address) if os.path.exists(path) else []
    except (AddressError, sqlite3.Error):
        return []
    return [near.display() for near in found]
