"""``mailsys status``: does the server run, since when, and is anything wrong?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mailsys.control.ask import NoAnswer, ask
from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.journal.printable import printable

PATIENCE_SECONDS = 5.0
_COUNTED = {"received": "accepted", "refused": "refused", "login": "logins"}


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``status``."""
    parser = subcommands.add_parser(
        "status",
        help="tell whether the server runs, and how it is",
        description="Asks the server of this configuration.  The exit status is 0 when it answers.",
    )
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and tell."""
    data = read_configuration(arguments).data
    pid = _owner(data)
    if pid is None:
        if arguments.json:
            print(json.dumps({"running": False}))
            return 1
        raise CannotDo(f"No server runs with the data folder {data}.")
    try:
        facts = ask(data, "status", PATIENCE_SECONDS)
    except NoAnswer as reason:
        who = f"process {pid}" if pid else "no number yet"
        raise CannotDo(f"The server runs ({who}), but does not answer: {reason}.") from None
    if arguments.json:
        print(json.dumps({"running": True, **facts}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(map(printable, _lines(facts, datetime.now(UTC)))))
    return 0


def _owner(data: str) -> int | None:
    from mailsys.process import owner_of_claim

    try:
        return owner_of_claim(data)
    except OSError as error:
        raise CannotDo(f"{data} cannot be looked at ({error.strerror}): ask as root or its owner.") from None


def _lines(facts: Mapping[str, Any], now: datetime) -> Iterator[str]:
    since = datetime.fromisoformat(facts["since"])
    yield (
        f"mailsys {facts['version']} on {facts['hostname']} is {facts['phase']}, process {facts['pid']},"
        f" since {since.astimezone():%Y-%m-%d %H:%M:%S} ({_long(now - since)})"
    )
    for number, listener in enumerate(facts["listeners"]):
        yield f"{'' if number else 'listens':<12} {listener['service']:<11} {listener['endpoint']}"
    yield f"{'connections':<12} {facts['connections']}"
    if facts["queue"] is not None:
        count = facts["queue"]
        yield f"{'queue':<12} {count:,} message{'' if count == 1 else 's'}"
    counts = facts["today"]
    if counts is not None:
        words = (f"{counts.get(kind, 0):,} {word}" for kind, word in _COUNTED.items())
        yield f"{'today':<12} {', '.join(words)}"
    for number, sentence in enumerate(facts["wrong"]):
        yield f"{'' if number else 'wrong':<12} {sentence}"


def _long(time: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(time.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    shown = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(shown[:2]) or "0 s"
