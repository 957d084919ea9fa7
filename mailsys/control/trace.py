"""``mailsys trace``: the story of a message, from who handed it in to where each copy went."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from datetime import UTC, datetime
from typing import Any

from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.interfaces import JournalEvent
from mailsys.journal import FILE_NAME
from mailsys.journal.printable import printable
from mailsys.journal.reader import JournalReader
from mailsys.journal.story import tell

_LIMIT = 20


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``trace``."""
    parser = subcommands.add_parser("trace", help="tell what happened to a message")
    parser.set_defaults(run=run)
    parser.add_argument(
        "wanted",
        metavar="ID-OR-ADDRESS-OR-MESSAGE-ID",
        help="the id in our reply and log (or its beginning), the sender's or a recipient's address, "
        "a login name, or the Message-ID",
    )
    parser.add_argument("--json", action="store_true", help="the events themselves")
    parser.add_argument(
        "--limit", type=count, default=_LIMIT, metavar="N", help=f"the newest N stories ({_LIMIT})"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the stories, the newest last."""
    path = os.path.join(read_configuration(arguments).data, FILE_NAME)
    stories, is_cut = _read(path, arguments.wanted, arguments.limit)
    if arguments.json:
        print(json.dumps([_as_json(events) for events in stories], indent=2))
    if not stories:
        raise CannotDo(f'The journal knows nothing of "{printable(arguments.wanted)}".')
    if not arguments.json:
        print("\n\n".join([tell(events) for events in stories]))
    if is_cut:
        print(f"\nThere are older ones: --limit {arguments.limit * 5} shows more.", file=sys.stderr)
    return 0


def _read(path: str, wanted: str, limit: int) -> tuple[list[list[JournalEvent]], bool]:
    """The stories, and whether there are more."""
    if not os.path.exists(path):
        raise CannotDo(f"There is no journal yet: {path} is made when the server starts.")
    try:
        with JournalReader(path) as journal:
            ids = journal.find(wanted, limit + 1)
            stories = [journal.events(id_) for id_ in ids[-limit:]]
    except sqlite3.Error as error:
        raise CannotDo(f"The journal {path} cannot be read ({error}); try as the server's user.") from None
    return [events for events in stories if events], len(ids) > limit


def _as_json(events: list[JournalEvent]) -> dict[str, Any]:
    return {"id": events[0].id, "events": [{"time": _iso(event.at), **event.facts} for event in events]}


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def count(text: str) -> int:
    """A number of at least one; argparse names this function in its complaint."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
