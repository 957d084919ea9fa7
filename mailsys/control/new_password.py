"""Asks for a new password: twice on a terminal, or one line of standard input."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence

from mailsys.accounts.credentials import PASSWORD_OCTETS, Credential, PasswordError, own_credentials
from mailsys.control.command import CannotDo
from mailsys.message.address import Address


def new_credentials(address: Address, *, from_stdin: bool) -> Sequence[Credential]:
    """What is stored of the new password; raises CannotDo."""
    password = _from_stdin() if from_stdin else _from_terminal(address)
    try:
        return own_credentials(password)
    except PasswordError as error:
        raise CannotDo(str(error)) from None


def _from_stdin() -> str:
    line = sys.stdin.buffer.readline(PASSWORD_OCTETS + 2)
    try:
        return line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise CannotDo("The password is not UTF-8.") from None


def _from_terminal(address: Address) -> str:
    if not sys.stdin.isatty():
        raise CannotDo("There is no terminal to ask for a password; give it with --password-stdin.")
    try:
        password = getpass.getpass(f"New password for {address.display()}: ")
        again = getpass.getpass("The same again: ")
    except EOFError:
        raise CannotDo("No password was given.") from None
    if password != again:
        raise CannotDo("The two passwords are not the same; nothing was changed.")
    return password
