"""``mailsys logins``: who came from where, what was refused and why, and how a block is lifted."""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime

from mailsys.accounts.guessing.networks import network_of
from mailsys.accounts.history.file import FILE_NAME, LoginFile, open_existing
from mailsys.accounts.history.rows import Request, StoredBlock
from mailsys.accounts.near import near_addresses
from mailsys.config import Configuration
from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.control.login_story import LoginStory
from mailsys.control.moment import NoTime, moment
from mailsys.control.offline import Offline, opened_accounts, read_address
from mailsys.message.address import Address

MOST_ROWS = 20  # of each kind, when nobody is named


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``logins``."""
    parser = subcommands.add_parser(
        "logins",
        help="tell who logged in from where, and what was refused",
        description="Tells who logged in from where, and what was refused and why.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "wanted",
        nargs="?",
        default="",
        metavar="ADDRESS",
        help="an account, or an IP address or network; without it the blocks, and what is going on",
    )
    parser.add_argument("--since", metavar="TIME", help='as in "yesterday", "2h", "09:30" or "2026-11-24"')
    parser.add_argument("--forgive", action="store_true", help="lift the blocks, and begin to count anew")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Tell, or forgive."""
    configuration = read_configuration(arguments)
    since = _since(arguments.since)
    network = _network(arguments.wanted)
    if arguments.forgive and not arguments.wanted:
        raise CannotDo("Say whom to forgive: an account, an IP address or a network.")
    with opened_logins(configuration) as file:
        if arguments.forgive:
            print(_forgive(file, arguments.wanted, network))
            return 0
        story = _story(configuration, file, arguments.wanted, network, since)
    if arguments.json:
        print(json.dumps(story.as_json(), indent=2, ensure_ascii=False))
    else:
        print("\n".join(story.tell()))
    return 0


@contextmanager
def opened_logins(configuration: Configuration) -> Iterator[LoginFile]:
    """The file of logins; raises CannotDo when there is none, or it cannot be read."""
    path = os.path.join(configuration.data, FILE_NAME)
    try:
        file = open_existing(path)
        if file is None:
            raise CannotDo(f"Nothing is known of logins yet: {path} is made when the server starts.")
        with closing(file):
            yield file
    except (sqlite3.Error, OSError) as error:
        raise CannotDo(f"{path} cannot be read ({error}); try as the server's user.") from None


def _since(text: str | None) -> float:
    try:
        return moment(text, datetime.now()) if text else 0.0
    except NoTime as error:
        raise CannotDo(str(error)) from None


def _network(wanted: str) -> str:
    """The network that an IP address or network stands for; empty for an account."""
    try:
        return network_of(str(ipaddress.ip_network(wanted, strict=False).network_address))
    except ValueError:
        return ""


# ---------------------------------------------------------------------- the story


def _story(
    configuration: Configuration, file: LoginFile, wanted: str, network: str, since: float
) -> LoginStory:
    now = time.time()
    if not wanted:
        seen, failures = file.newest(since or now - 86_400, MOST_ROWS)
        return LoginStory("", "", seen, failures, file.blocks(now))
    if network:
        seen, failures = file.of_network(network, since)
        blocks = [block for block in file.blocks(now) if _is_about(block, wanted, network)]
        return LoginStory(wanted, "", seen, failures, blocks)
    address = read_address(wanted).folded()
    with opened_accounts(configuration) as offline:
        state, has_account = _state(offline, configuration, address)
    name = str(address)
    failures = file.failures(name if has_account else "", name, since)
    blocks = [block for block in file.blocks(now) if name in (block.subject, block.name)]
    return LoginStory(name, state, file.seen(name, since), failures, blocks)


def _state(offline: Offline, configuration: Configuration, address: Address) -> tuple[str, bool]:
    """What can be said before any login, and whether there is such an account."""
    account = offline.database.accounts.get(address)
    shown = address.display()
    if account is None and configuration.auth.sources:
        return f"{shown} is no account of 'mailsys account'; a plugin may know it.", True
    if account is None:
        return _no_account(offline, configuration, address), False
    if not account.active:
        enable = f"mailsys account enable {shown}"
        return f"{shown} is disabled, so every login is refused; undo it with '{enable}'.", True
    if offline.database.accounts.password(address) is None:
        return f"{shown} has no password; set one with 'mailsys account password {shown}'.", True
    return f"{shown} may log in.", True


def _no_account(offline: Offline, configuration: Configuration, address: Address) -> str:
    shown = address.display()
    if targets := offline.database.aliases.get(address):
        told = ", ".join(target.display() for target in targets)
        return f"{shown} is an alias of {told}; one logs in with the account's own address."
    path = os.path.join(configuration.data, "accounts.sqlite3")
    near = near_addresses(path, address)
    meant = f" Was {near[0].display()} meant?" if near else ""
    return f"There is no account {shown}, so every login is refused.{meant}"


# ---------------------------------------------------------------------- forgiving


def _forgive(file: LoginFile, wanted: str, network: str) -> str:
    now = time.time()
    if network:
        subjects = {("address", wanted), ("network", network)}
        about = [block for block in file.blocks(now) if _is_about(block, wanted, network)]
    else:
        wanted = str(read_address(wanted).folded())
        subjects = {("account", wanted)}
        about = [block for block in file.blocks(now) if wanted in (block.subject, block.name)]
    subjects |= {(block.kind, block.subject) for block in about}
    file.request([Request(*subject) for subject in sorted(subjects)], now)
    lifted = ", ".join(f"{block.kind} {block.subject}" for block in about)
    if not lifted:
        return f"Nothing was blocked; what was counted for {wanted} is forgotten."
    return f"Lifted: {lifted}.  A running server knows within a second."


def _is_about(block: StoredBlock, wanted: str, network: str) -> bool:
    return block.subject in (wanted, network) or (
        block.kind == "address" and network == wanted and network_of(block.subject) == network
    )
