"""``mailsys trace``: the story of a message, from who handed it in to where each copy is."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mailsys.config import Configuration
from mailsys.control.colour import is_coloured, paint
from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.control.moment import NoTime, moment
from mailsys.control.story_list import print_list
from mailsys.interfaces import JournalEvent
from mailsys.journal import FILE_NAME
from mailsys.journal.reader import JournalReader, TooOld
from mailsys.journal.story import tell
from mailsys.journal.wanted import Wanted

_LIMIT = 20
Story = list[JournalEvent]


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``trace``."""
    parser = subcommands.add_parser(
        "trace",
        help="tell what happened to a message",
        description="Tells what happened to a message.  All that is given must hold.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "wanted",
        nargs="*",
        metavar="ID-OR-ADDRESS-OR-MESSAGE-ID",
        help="the id in our reply and log (or its beginning), the sender's or a recipient's address or "
        "domain, a login name, or the Message-ID; else words of the subject",
    )
    parser.add_argument(
        "--subject", default="", metavar="WORDS", help="all of them, in any order, in any case"
    )
    parser.add_argument(
        "--client", default="", metavar="IP", help="who handed it in: an address or a network"
    )
    parser.add_argument("--since", metavar="TIME", help='as in "yesterday", "2h", "09:30" or "2026-11-24"')
    parser.add_argument("--until", metavar="TIME", help="the same; a day is meant with its end")
    parser.add_argument("--whole", action="store_true", help="tell each story whole, not in a list")
    parser.add_argument(
        "--connections", action="store_true", help="connections without a message: logins, visits over POP3"
    )
    parser.add_argument("--follow", action="store_true", help="tell what happens from now on, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="the events themselves")
    parser.add_argument(
        "--limit", type=count, default=_LIMIT, metavar="N", help=f"the newest N stories ({_LIMIT})"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the stories, the newest last."""
    configuration = read_configuration(arguments)
    wanted = _wanted(arguments)
    path = os.path.join(configuration.data, FILE_NAME)
    with _told_plainly(path):
        if arguments.follow:
            from mailsys.control.follow import follow

            return follow(path, wanted, is_json=arguments.json)
        with JournalReader(path) as journal:
            found = _find(journal, wanted, arguments.limit, connections=arguments.connections)
            if not found.stories:
                from mailsys.control.nothing_found import nothing_found

                if arguments.json:
                    print("[]")
                raise CannotDo(nothing_found(wanted, journal, configuration))
            _print(found, arguments, journal, configuration)
    return 0


@dataclass(frozen=True, slots=True)
class Found:
    """The stories of one kind, the newest last; how it was asked, and what there is besides."""

    stories: list[Story]
    is_cut: bool
    others: int = 0  # stories of the other kind


def _find(journal: JournalReader, wanted: Wanted, limit: int, *, connections: bool) -> Found:
    """Those of messages, unless there are none or connections are asked for."""
    for asked in (wanted, _as_subject(wanted)):
        if asked is None:
            continue
        ids = {
            of_messages: journal.find(asked, limit + 1, of_messages=of_messages)
            for of_messages in (True, False)
        }
        shown = not connections and bool(ids[True])
        if ids[shown]:
            stories = [events for id_ in ids[shown][-limit:] if (events := journal.events(id_))]
            return Found(stories, len(ids[shown]) > limit, min(len(ids[not shown]), limit))
    return Found([], False)


def _as_subject(wanted: Wanted) -> Wanted | None:
    """What is no name of anything may be words of a subject."""
    if not wanted.text or wanted.subject or "@" in wanted.text:
        return None
    return Wanted("", wanted.text, wanted.client, wanted.since, wanted.until)


def _print(
    found: Found, arguments: argparse.Namespace, journal: JournalReader, configuration: Configuration
) -> None:
    stories = found.stories
    if arguments.json:
        print(json.dumps([as_json(events) for events in stories], indent=2))
    elif len(stories) == 1:
        from mailsys.control.afterwards import afterwards

        print_story(stories[0])
        for line in afterwards(stories[0], journal, configuration):
            print(line)
    elif arguments.whole:
        for number, events in enumerate(stories):
            print(end="\n" if number else "")
            print_story(events)
    else:
        print_list(stories)
    sys.stdout.flush()
    for hint in _hints(found, arguments, journal):
        print(hint, file=sys.stderr)


def _hints(found: Found, arguments: argparse.Namespace, journal: JournalReader) -> Iterator[str]:
    """How to go on, when this was not all."""
    if len(found.stories) > 1 and not (arguments.whole or arguments.json):
        yield f"One of them whole: mailsys trace {found.stories[-1][0].id}"
    if found.is_cut:
        yield f"There are older ones: --limit {arguments.limit * 5} shows more, --since and --until a part."
    if found.others and not arguments.connections:
        number = f"{found.others} or more" if found.others == arguments.limit else str(found.others)
        connections, them = ("connection", "it") if number == "1" else ("connections", "them")
        yield f"Besides, {number} {connections} without a message: --connections shows {them}."
    if not journal.is_indexed():
        yield "Older stories are still being indexed, and may be missing here."


def print_story(events: Sequence[JournalEvent]) -> None:
    """One story whole, in colours where they are wanted."""
    story = tell(events)
    print(paint(story) if is_coloured() else story)


def as_json(events: Sequence[JournalEvent]) -> dict[str, Any]:
    """The form that programs rely on."""
    return {"id": events[0].id, "events": [{"time": _iso(event.at), **event.facts} for event in events]}


def _wanted(arguments: argparse.Namespace) -> Wanted:
    """What is asked for; raises CannotDo."""
    now = datetime.now()
    try:
        wanted = Wanted(
            " ".join(arguments.wanted).strip(),
            arguments.subject.strip(),
            arguments.client.strip(),
            moment(arguments.since, now) if arguments.since else None,
            moment(arguments.until, now, is_end=True) if arguments.until else None,
        )
    except NoTime as error:
        raise CannotDo(str(error)) from None
    try:
        wanted.network()
    except ValueError:
        raise CannotDo(
            f"{wanted.client!a} is no IP address and no network: write 192.0.2.7 or 192.0.2.0/24."
        ) from None
    if wanted == Wanted() and not arguments.follow:
        raise CannotDo(
            "Say what to look for: an id, an address, a Message-ID, --subject, --client or --since."
        )
    return wanted


@contextmanager
def _told_plainly(path: str) -> Iterator[None]:
    if not os.path.exists(path):
        raise CannotDo(f"There is no journal yet: {path} is made when the server starts.")
    try:
        yield
    except TooOld as error:
        raise CannotDo(str(error)) from None
    except sqlite3.Error as error:
        raise CannotDo(f"The journal {path} cannot be read ({error}); try as the server's user.") from None


def _iso(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return str(at)


def count(text: str) -> int:
    """A number of at least one; argparse names this function in its complaint."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
