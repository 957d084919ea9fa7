"""Which account ``mailsys read`` reads, and its password."""

from __future__ import annotations

import argparse
import getpass
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from mailsys.control.command import CannotDo
from mailsys.journal.printable import printable

if TYPE_CHECKING:
    from mailsys.agent.account import Account
    from mailsys.agent.accounts_file import ConfiguredAccount

PASSWORD_OCTETS = 4096
COMMAND_SECONDS = 120.0  # that a password command may take: it may ask a person


def chosen_account(arguments: argparse.Namespace) -> ConfiguredAccount | None:
    """What the words of the command say, or else the file; None when neither names one."""
    from mailsys.agent.accounts_file import ConfiguredAccount

    if arguments.imap or arguments.pop3:
        if not arguments.account:
            return None
        chosen = ConfiguredAccount(arguments.account, imap=arguments.imap, pop3=arguments.pop3)
    elif (found := _from_file(arguments.account)) is not None:
        chosen = found
    else:
        return None
    return replace(chosen, tls=arguments.tls or chosen.tls, trust=arguments.trust or chosen.trust)


def with_password(chosen: ConfiguredAccount, *, from_stdin: bool) -> Account:
    """The account, with the password from standard input, its command, or the terminal; raises CannotDo."""
    from mailsys.agent.account import Account
    from mailsys.wire.sasl.client import Login

    if chosen.server is None:
        raise CannotDo(f"{printable(chosen.address)} has not one server.")
    protocol, host, port = chosen.server
    if from_stdin:
        password = _text(sys.stdin.buffer.readline(PASSWORD_OCTETS + 2))
    elif chosen.password_command:
        password = _text(_said_by(chosen.password_command))
    else:
        password = _from_terminal(chosen.address)
    return Account(protocol, host, port, chosen.security, Login(chosen.login or chosen.address, password))


def _from_file(address: str | None) -> ConfiguredAccount | None:
    """The account with this address, else the first; None without a file."""
    from mailsys.agent.accounts_file import read_accounts
    from mailsys.config import ConfigurationError

    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    path = os.path.join(folder, "mailsys", "agent.toml")
    if not os.path.exists(path):
        return None
    try:
        accounts = read_accounts(path)
    except ConfigurationError as error:
        raise CannotDo(f"{path} cannot be used:\n{error}") from None
    found = [account for account in accounts if address in (None, account.address)]
    if not found:
        named = f"the account {printable(address)}" if address else "no account"
        raise CannotDo(f"{path} does not name {named}." if address else f"{path} names {named}.")
    return found[0]


def _said_by(command: tuple[str, ...]) -> bytes:
    """The first line that a command prints; it may ask on the terminal meanwhile."""
    name = printable(command[0])
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=COMMAND_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise CannotDo(f"The password command {name} took more than {COMMAND_SECONDS:.0f} seconds.") from None
    except OSError as error:
        raise CannotDo(f"The password command {name} cannot be run: {error.strerror}.") from None
    if done.returncode:
        raise CannotDo(f"The password command {name} failed with status {done.returncode}.")
    return done.stdout.partition(b"\n")[0]


def _from_terminal(address: str) -> str:
    if not sys.stdin.isatty():
        raise CannotDo("There is no terminal to ask for a password; give it with --password-stdin.")
    try:
        return getpass.getpass(f"Password for {printable(address)}: ")
    except EOFError:
        raise CannotDo("No password was given.") from None


def _text(line: bytes) -> str:
    try:
        return line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CannotDo("The password is not UTF-8.") from None
