"""What to say when the journal knows nothing: what was looked for, how far back, and what to ask instead."""

from __future__ import annotations

from collections.abc import Iterator

from mailsys.config import Configuration
from mailsys.control.afterwards import near
from mailsys.journal.moments import day_of, moment_of, zone_of
from mailsys.journal.printable import bounded, printable
from mailsys.journal.reader import JournalReader
from mailsys.journal.wanted import Wanted

_SHOWN_CHARACTERS = 200


def nothing_found(wanted: Wanted, journal: JournalReader, configuration: Configuration) -> str:
    """Some sentences; raises sqlite3.Error."""
    return " ".join(_sentences(wanted, journal, configuration))


def _sentences(wanted: Wanted, journal: JournalReader, configuration: Configuration) -> Iterator[str]:
    yield f"The journal knows nothing of {_sought(wanted)}."
    oldest = journal.oldest()
    yield "It is empty." if oldest is None else f"It reaches back to {_when(oldest)}."
    if found := near(wanted.text, configuration):
        yield f"Is {' or '.join(found)} meant?"
    if not journal.is_indexed():
        yield "Its older stories are still being indexed."
    if oldest is not None:
        yield f"Ask instead by {_instead(wanted)}."


def _sought(wanted: Wanted) -> str:
    parts = [
        f'"{_shown(wanted.text)}"' if wanted.text else "",
        f'the subject "{_shown(wanted.subject)}"' if wanted.subject else "",
        f"the client {_shown(wanted.client)}" if wanted.client else "",
    ]
    times = [
        f"since {_when(wanted.since)}" if wanted.since is not None else "",
        f"before {_when(wanted.until)}" if wanted.until is not None else "",
    ]
    return " ".join([" with ".join(filter(None, parts)) or "anything", *filter(None, times)])


def _instead(wanted: Wanted) -> str:
    """Other ways, the likeliest first.  The envelope's addresses may not be those that a message shows."""
    ways = []
    if "@" in wanted.text:
        ways.append(f"the domain alone ({_shown(wanted.text.rpartition('@')[2].strip('<> '))})")
        ways.append("the other side's address")
    if len(wanted.words()) > 1:
        ways.append("fewer words of the subject")
    elif not wanted.subject:
        ways.append("a word of the subject (--subject)")
    if wanted.since is not None or wanted.until is not None:
        ways.append("a longer time")
    elif not ways:
        ways.append("the time alone (--since 2h)")
    return ", ".join(ways[:-1]) + (" or " if len(ways) > 1 else "") + ways[-1]


def _shown(text: str) -> str:
    return bounded(printable(text), _SHOWN_CHARACTERS)


def _when(at: float) -> str:
    moment = moment_of(at)
    return f"{day_of(moment)} {moment:%H:%M}{zone_of(moment)}"
