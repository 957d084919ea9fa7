"""``mailsys queue``: what waits, why, until when; and what can be done about it."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing

from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.control.offline import print_json
from mailsys.interfaces import Selection, Verb
from mailsys.journal.ids import as_heard
from mailsys.journal.printable import printable
from mailsys.message.address import AddressError, parse_address, parse_domain
from mailsys.queue import FILE_NAME
from mailsys.queue.listing import ListedMessage

PAGE = 100

_ORDERS = {
    Verb.RETRY: ("try what waits now, whatever its schedule says", "tried again now"),
    Verb.HOLD: ("let it wait until it is released", "held until 'mailsys queue release'"),
    Verb.RELEASE: ("let go what is held", "let go"),
    Verb.REMOVE: ("give it up for good; its sender is not told", "removed"),
}


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``queue``."""
    parser = subcommands.add_parser("queue", help="see and change what waits to be sent")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    lister = actions.add_parser("list", help="what waits, the oldest first")
    lister.set_defaults(run=run_list)
    _add_selection(lister, "only these")
    lister.add_argument("--finished", action="store_true", help="what is finished, and kept for some days")
    lister.add_argument("--limit", type=int, default=PAGE, metavar="N", help=f"the first N messages ({PAGE})")
    lister.add_argument("--json", action="store_true", help="as JSON")
    shower = actions.add_parser("show", help="all that is known of a message in the queue")
    shower.set_defaults(run=run_show)
    shower.add_argument("id", metavar="ID")
    shower.add_argument("--json", action="store_true", help="as JSON")
    for verb, (words, _) in _ORDERS.items():
        order = actions.add_parser(verb.value, help=words)
        order.set_defaults(run=run_order, verb=verb)
        _add_selection(order, "what it is for")
        order.add_argument("--all", action="store_true", help="everything that waits")


def _add_selection(parser: argparse.ArgumentParser, words: str) -> None:
    parser.add_argument(
        "what",
        metavar="WHAT",
        nargs="*",
        help=f"{words}: ids of messages, addresses of senders or recipients, domains of recipients",
    )


def run_list(arguments: argparse.Namespace) -> int:
    """Print what waits, or what is finished."""
    selections = [read_selection(text) for text in arguments.what]
    found = _read(arguments, selections, is_finished=arguments.finished, limit=arguments.limit + 1)
    page = found[: arguments.limit]
    _print(arguments, page)
    if not page and not arguments.json:
        print("Nothing is kept of what is finished." if arguments.finished else "Nothing waits.")
    if len(found) > len(page):
        print(f"\nThere are more: --limit {arguments.limit * 10} shows them.", file=sys.stderr)
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """Print one message with all its recipients."""
    selection = [Selection(id=as_heard(arguments.id))]
    found = [
        message
        for is_finished in (False, True)
        for message in _read(arguments, selection, is_finished=is_finished, limit=1)
    ]
    if not found:
        words = f'There is no message "{printable(arguments.id)}" in the queue; mailsys trace may know it.'
        raise CannotDo(words)
    _print(arguments, found, shown=sys.maxsize)
    return 0


def run_order(arguments: argparse.Namespace) -> int:
    """Change what waits."""
    from mailsys.control.queue_orders import carry_out

    if bool(arguments.what) == arguments.all:
        raise CannotDo("Say what it is for: ids, addresses or domains, or --all for everything that waits.")
    configuration = read_configuration(arguments)
    selections = [read_selection(text) for text in arguments.what] or [Selection()]
    count = 0
    if os.path.exists(os.path.join(configuration.data, FILE_NAME)):
        count = carry_out(configuration, arguments.verb, selections)
    if not count:
        state = "is held" if arguments.verb is Verb.RELEASE else "waits"
        what = f" for {' and '.join(map(printable, arguments.what))}" if arguments.what else ""
        raise CannotDo(f"Nothing {state}{what}; what is being tried just now comes later.")
    recipients = "1 recipient is" if count == 1 else f"{count:,} recipients are"
    print(f"{recipients} {_ORDERS[arguments.verb][1]}.")
    return 0


def read_selection(text: str) -> Selection:
    """An id, an address or a domain, as a person writes it; raises CannotDo."""
    try:
        if "@" in text:
            address = parse_address(text.strip("<>"))
            return Selection(address=f"{address.local_part}@{address.domain}")
        if text.rpartition(".")[2].isdigit():
            return Selection(id=as_heard(text))
        return Selection(domain=parse_domain(text))
    except AddressError as error:
        raise CannotDo(f'"{printable(text)}" is no id, address or domain: {error}.') from None


def _read(
    arguments: argparse.Namespace, selections: Sequence[Selection], *, is_finished: bool, limit: int
) -> list[ListedMessage]:
    from mailsys.queue.database import BUSY_SECONDS
    from mailsys.queue.listing import messages
    from mailsys.sqlite import open_reader

    path = os.path.join(read_configuration(arguments).data, FILE_NAME)
    if not os.path.exists(path):
        return []
    try:
        with closing(open_reader(path, BUSY_SECONDS)) as connection:
            return messages(connection, selections, is_finished=is_finished, limit=limit)
    except sqlite3.Error as error:
        raise CannotDo(f"The queue {path} cannot be read ({error}); try as the server's user.") from None


def _print(arguments: argparse.Namespace, found: Sequence[ListedMessage], shown: int = 10) -> None:
    from mailsys.control.queue_words import Words, as_json

    if arguments.json:
        print_json([as_json(message) for message in found])
        return
    words = Words(read_configuration(arguments).send.retry, time.time())
    for message in found:
        print("\n".join(map(printable, words.message(message, shown))))
