"""``mailsys alias add``, ``remove``, ``list``: addresses that stand for others."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import closing

from mailsys.accounts.aliases import leading_to
from mailsys.accounts.database import FILE_NAME
from mailsys.accounts.queries import CATCH_ALL
from mailsys.control.at_once import at_once
from mailsys.control.configuration import read_configuration
from mailsys.control.offline import (
    Offline,
    opened_accounts,
    print_json,
    print_table,
    read_address,
    read_domain,
)
from mailsys.interfaces import Refused
from mailsys.message.address import Address, display_domain
from mailsys.message.reply import ALIAS_LOOP, ALIAS_TOO_DEEP, ALIAS_TOO_WIDE

UNUSABLE = (ALIAS_LOOP, ALIAS_TOO_DEEP, ALIAS_TOO_WIDE)


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``alias``."""
    parser = subcommands.add_parser("alias", help="add, remove and list aliases")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    adder = actions.add_parser("add", help="let an address stand for others; *@DOMAIN for all nobody has")
    adder.set_defaults(run=run_add)
    adder.add_argument("address", metavar="ADDRESS")
    adder.add_argument("target", metavar="TARGET", nargs="+", help="added to those that it has")
    remover = actions.add_parser("remove", help="remove an alias, or some of its targets")
    remover.set_defaults(run=run_remove)
    remover.add_argument("address", metavar="ADDRESS")
    remover.add_argument("target", metavar="TARGET", nargs="*", help="only these (default: the whole alias)")
    lister = actions.add_parser("list", help="list the aliases")
    lister.set_defaults(run=run_list)
    lister.add_argument("domain", metavar="DOMAIN", nargs="?", help="only of this domain")
    lister.add_argument("--json", action="store_true", help="as JSON")


def run_add(arguments: argparse.Namespace) -> int:
    """Add targets, and tell what is odd about them."""
    address = read_address(arguments.address).folded()
    targets = list(map(read_address, arguments.target))
    with opened_accounts(read_configuration(arguments)) as offline:
        added = offline.database.aliases.add(address, targets)
        print(f"{address.display()} stands for {_joined(offline.database.aliases.get(address) or ())}.")
        for sentence in _notes(offline, address, targets, added):
            print(f"Note: {sentence}")
    return 0


def run_remove(arguments: argparse.Namespace) -> int:
    """Remove an alias, or targets of it."""
    address = read_address(arguments.address).folded()
    targets = list(map(read_address, arguments.target))
    with opened_accounts(read_configuration(arguments)) as offline:
        offline.database.aliases.remove(address, targets)
        left = offline.database.aliases.get(address)
    print(
        f"{address.display()} stands for {_joined(left)}."
        if left
        else f"{address.display()} is no alias now."
    )
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """List the aliases with their targets."""
    domain = read_domain(arguments.domain) if arguments.domain else None
    with opened_accounts(read_configuration(arguments)) as offline:
        aliases = offline.database.aliases.all(domain)
    if arguments.json:
        print_json(
            [{"address": str(a), "targets": list(map(str, targets))} for a, targets in aliases.items()]
        )
    else:
        print_table(("ALIAS", "TARGETS"), [(a.display(), _joined(targets)) for a, targets in aliases.items()])
    return 0


def _joined(addresses: Sequence[Address]) -> str:
    return ", ".join(address.display() for address in addresses)


def _notes(
    offline: Offline, alias: Address, targets: Sequence[Address], added: Sequence[Address]
) -> Iterator[str]:
    """What is allowed, and yet may not be meant."""
    if len(added) < len(targets):
        yield "a target that stands twice is kept once."
    for target in added:
        if not offline.database.domains.has(target.domain):
            yield (
                f"{target.display()} is at another host: all mail for {alias.display()}, spam as well, is"
                f" forwarded there, from return addresses of {display_domain(alias.domain)} (SRS0=…)."
            )
        elif not _exists(offline, target.folded()):
            yield f"{target.display()} does not exist."
    yield from _refusals(offline, alias)


def _refusals(offline: Offline, alias: Address) -> Iterator[str]:
    """Whose mail is refused for the way in which aliases lead to one another: the first that is met."""
    from twisted.internet.task import Clock

    from mailsys.accounts.directory import Directory
    from mailsys.route.router import Router

    path = os.path.join(offline.configuration.data, FILE_NAME)
    with closing(Directory(path, Clock())) as directory:
        router = Router(directory, offline.configuration.receive.separator)
        for address in leading_to(alias, offline.database.aliases.all()):
            route = at_once(router.route(address))
            if isinstance(route, Refused) and route.reply in UNUSABLE:
                yield f"mail for {address.display()} is refused: {route.via[-1]}."
                return


def _exists(offline: Offline, address: Address) -> bool:
    """Would mail for this address of ours find somebody, at the first step?"""
    separator = offline.configuration.receive.separator
    untagged = address.without_tag(separator) if separator else address
    accounts, aliases = offline.database.accounts, offline.database.aliases
    return untagged.local_part == "postmaster" or any(
        accounts.get(wanted) or aliases.get(wanted)
        for wanted in (address, untagged, Address(CATCH_ALL, address.domain))
    )
