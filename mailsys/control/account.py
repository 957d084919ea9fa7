"""``mailsys account``: the people who have a mailbox here."""

from __future__ import annotations

import argparse
import datetime
import sys
from typing import BinaryIO

from mailsys.accounts.accounts import ListedAccount, NewAccount
from mailsys.accounts.importer import import_accounts
from mailsys.config.values import Wrong, format_size, parse_size
from mailsys.control.command import CannotDo
from mailsys.control.configuration import read_configuration
from mailsys.control.new_password import new_credentials
from mailsys.control.offline import (
    Offline,
    opened_accounts,
    print_json,
    print_table,
    read_address,
    read_domain,
)
from mailsys.message.address import Address

NO_QUOTA = "none"


def add_parser(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``account``."""
    parser = subcommands.add_parser("account", help="add, remove, list and change accounts")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    from_stdin = argparse.ArgumentParser(add_help=False)
    from_stdin.add_argument(
        "--password-stdin", action="store_true", help="read the password's line from standard input"
    )
    one = argparse.ArgumentParser(add_help=False)
    one.add_argument("address", metavar="ADDRESS")

    adder = actions.add_parser("add", parents=[one, from_stdin], help="add an account")
    adder.set_defaults(run=run_add)
    adder.add_argument("--quota", metavar="SIZE", default=NO_QUOTA, help="such as 2G (default: no limit)")
    remover = actions.add_parser("remove", parents=[one], help="remove an account, and keep its mail")
    remover.set_defaults(run=run_remove)
    changer = actions.add_parser("password", parents=[one, from_stdin], help="set a new password")
    changer.set_defaults(run=run_password)
    limiter = actions.add_parser("quota", parents=[one], help="limit the size of the mailbox")
    limiter.set_defaults(run=run_quota)
    limiter.add_argument("size", metavar="SIZE", help="such as 2G, or none")
    for name, active, words in (
        ("disable", False, "let its owner log in no more"),
        ("enable", True, "undo that"),
    ):
        switcher = actions.add_parser(name, parents=[one], help=words)
        switcher.set_defaults(run=run_switch, active=active)
    _add_list_and_import(actions)


def _add_list_and_import(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    lister = actions.add_parser("list", help="list the accounts")
    lister.set_defaults(run=run_list)
    lister.add_argument("domain", metavar="DOMAIN", nargs="?", help="only of this domain")
    lister.add_argument("--json", action="store_true", help="as JSON")
    importer = actions.add_parser("import", help="add many accounts, as in Dovecot's passwd-file")
    importer.set_defaults(run=run_import)
    importer.add_argument("file", metavar="FILE", help="lines address:{SCHEME}password; - is standard input")
    importer.add_argument("--keep-going", action="store_true", help="import the others when lines are wrong")


def run_add(arguments: argparse.Namespace) -> int:
    """Add one account."""
    address = read_address(arguments.address).folded()
    quota_bytes = _read_quota(arguments.quota)
    with opened_accounts(read_configuration(arguments)) as offline:
        offline.database.accounts.demand_free(address)  # before a person types a password twice
        credentials = new_credentials(address, from_stdin=arguments.password_stdin)
        offline.database.accounts.add([NewAccount(address, credentials, quota_bytes)])
        print(f"The account {address.display()} was added.")
        if earlier_mail := offline.earlier_mail_sentence(address):
            print(earlier_mail)
    return 0


def run_remove(arguments: argparse.Namespace) -> int:
    """Remove one account, and say what stays."""
    address = read_address(arguments.address).folded()
    with opened_accounts(read_configuration(arguments)) as offline:
        offline.database.accounts.remove(address)
        offline.forget_logins([address])
        print(f"The account {address.display()} was removed.")
        print(offline.kept_mail_sentence(address))
        for alias, targets in offline.database.aliases.all().items():
            if address in targets:
                print(f"Note: the alias {alias.display()} still stands for it.")
    return 0


def run_password(arguments: argparse.Namespace) -> int:
    """Set a new password; the old one is wrong from then on."""
    address = read_address(arguments.address).folded()
    with opened_accounts(read_configuration(arguments)) as offline:
        _demand_account(offline, address)
        credentials = new_credentials(address, from_stdin=arguments.password_stdin)
        offline.database.accounts.set_password(address, credentials)
    print(f"The password of {address.display()} was changed.")
    return 0


def run_quota(arguments: argparse.Namespace) -> int:
    """Limit the size of a mailbox."""
    address = read_address(arguments.address).folded()
    quota_bytes = _read_quota(arguments.size)
    with opened_accounts(read_configuration(arguments)) as offline:
        offline.database.accounts.set_quota(address, quota_bytes)
    print(f"The quota of {address.display()} is {_shown_quota(quota_bytes)}.")
    return 0


def run_switch(arguments: argparse.Namespace) -> int:
    """Let an owner log in, or not."""
    address = read_address(arguments.address).folded()
    with opened_accounts(read_configuration(arguments)) as offline:
        offline.database.accounts.set_active(address, arguments.active)
    can = "can log in again" if arguments.active else "cannot log in any more; mail is received all the same"
    print(f"{address.display()} {can}.")
    return 0


def run_list(arguments: argparse.Namespace) -> int:
    """List the accounts."""
    domain = read_domain(arguments.domain) if arguments.domain else None
    with opened_accounts(read_configuration(arguments)) as offline:
        accounts = offline.database.accounts.all(domain)
    if arguments.json:
        print_json(list(map(_as_json, accounts)))
    else:
        print_table(("ACCOUNT", "QUOTA", "LOGIN", "PASSWORD"), list(map(_as_row, accounts)))
    return 0


def run_import(arguments: argparse.Namespace) -> int:
    """Import a file; every wrong line is told."""
    with opened_accounts(read_configuration(arguments)) as offline, _opened(arguments.file) as file:
        imported = import_accounts(offline.database, file, keep_going=arguments.keep_going)
    for line in imported.wrong:
        print(f"{arguments.file}: {line}", file=sys.stderr)
    if imported.wrong and not arguments.keep_going:
        raise CannotDo(
            "Nothing was imported; put the lines above right, or leave them out with --keep-going."
        )
    count = "1 account was" if imported.accounts == 1 else f"{imported.accounts} accounts were"
    foreign = f", {imported.foreign} of them with a hash that is renewed at the first login"
    print(f"{count} imported{foreign if imported.foreign else ''}.")
    if imported.wrong:
        raise CannotDo("The lines above were left out.")
    return 0


def _opened(path: str) -> BinaryIO:
    if path == "-":
        return open(sys.stdin.fileno(), "rb", closefd=False)
    try:
        return open(path, "rb")
    except OSError as error:
        raise CannotDo(f"{path} cannot be read: {error.strerror}.") from error


def _demand_account(offline: Offline, address: Address) -> None:
    if offline.database.accounts.get(address) is None:
        raise CannotDo(f"There is no account {address.display()}.")


def _read_quota(text: str) -> int | None:
    if text == NO_QUOTA:
        return None
    try:
        octets = parse_size(text)
    except Wrong as error:
        raise CannotDo(f'The quota "{text}" {error}.') from None
    if octets == 0:
        raise CannotDo(f'The quota "{text}" would refuse all mail; write "{NO_QUOTA}" for no limit.')
    return octets


def _shown_quota(quota_bytes: int | None) -> str:
    return NO_QUOTA if quota_bytes is None else format_size(quota_bytes)


def _as_row(listed: ListedAccount) -> tuple[str, str, str, str]:
    account = listed.account
    login = "yes" if account.active else "disabled"
    password = "foreign" if listed.has_foreign_password else "ours"
    return account.address.display(), _shown_quota(account.quota_bytes), login, password


def _as_json(listed: ListedAccount) -> dict[str, object]:
    return {
        "address": str(listed.account.address),
        "quota_bytes": listed.account.quota_bytes,
        "active": listed.account.active,
        "created": datetime.datetime.fromtimestamp(listed.created, datetime.UTC).isoformat(),
        "password": "foreign" if listed.has_foreign_password else "ours",
    }
