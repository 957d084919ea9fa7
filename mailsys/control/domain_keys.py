"""``mailsys domain keys``: the DKIM keys of a domain, beside a running server and without one."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailsys.config import Configuration
from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.control.offline import opened_accounts, print_json, print_table, read_domain
from mailsys.message.address import display_domain

if TYPE_CHECKING:
    from mailsys.dkim.key_file import KeyFiles, StoredKey


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``keys`` to those of ``domain``."""
    parser = actions.add_parser(
        "keys",
        help="show and change the keys that sign the mail of a domain",
        description="A running server changes keys by itself: it makes the next ones in time, and uses them "
        "when all name servers show them.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("domain", metavar="DOMAIN")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--next", action="store_true", help="make the next keys now, to be published")
    change.add_argument("--use-next", action="store_true", help="sign with the next keys now, without a look")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Change what is to be changed, and show the keys."""
    configuration = read_configuration(arguments)
    domain = our_domain(configuration, arguments.domain)
    with opened_keys(configuration, domain) as files:
        _change(files, domain, arguments)
        keys = files.read(domain)
    if arguments.json:
        print_json([_as_json(key) for key in keys])
    else:
        print_table(("SELECTOR", "ALGORITHM", "STATE", "SINCE"), [_row(key) for key in keys])
    return 0


def _change(files: KeyFiles, domain: str, arguments: argparse.Namespace) -> None:
    from mailsys.dkim.keys import first_keys, prepare_next, use_next

    now, shown = time.time(), display_domain(domain)
    first_keys(files, domain, now)
    if arguments.next and not prepare_next(files, domain, now):
        raise CannotDo(
            f"{shown} has next keys already; publish what 'mailsys domain records {shown}' prints."
        )
    if arguments.use_next and not use_next(files, domain, now):
        raise CannotDo(f"{shown} has no next keys; make them with 'mailsys domain keys {shown} --next'.")


def _as_json(key: StoredKey) -> dict[str, object]:
    return {
        "selector": key.selector,
        "algorithm": key.algorithm,
        "state": key.state.value,
        "since": key.since,
        "name": key.name,
        "record": key.record,
    }


def _row(key: StoredKey) -> Sequence[str]:
    return key.selector, key.algorithm, key.state.value, f"{datetime.fromtimestamp(key.since, UTC):%Y-%m-%d}"


def our_domain(configuration: Configuration, text: str) -> str:
    """A domain from the command line that is ours, as A-labels; raises CannotDo."""
    domain = read_domain(text)
    with opened_accounts(configuration) as offline:
        if not offline.database.domains.has(domain):
            shown = display_domain(domain)
            raise CannotDo(f"The domain {shown} is not ours; add it with 'mailsys domain add {shown}'.")
    return domain


@contextmanager
def opened_keys(configuration: Configuration, domain: str) -> Iterator[KeyFiles]:
    """What the files of this domain's keys refuse is told as CannotDo."""
    from mailsys.dkim.key_file import BadKeyFile, KeyFiles

    try:
        yield KeyFiles(configuration.data)
    except (OSError, BadKeyFile) as error:
        raise CannotDo(f"The DKIM keys of {display_domain(domain)} cannot be used: {error}.") from error
