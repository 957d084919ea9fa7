"""What the commands about domains, accounts and aliases share: the database, and how they speak.

They open ``accounts.sqlite3`` themselves, so they work beside a running server and without one.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from mailsys.accounts.database import FILE_NAME, AccountsError, Database, open_database
from mailsys.accounts.history.file import FILE_NAME as LOGINS
from mailsys.accounts.history.file import open_existing
from mailsys.accounts.history.rows import Request
from mailsys.config import Configuration
from mailsys.control.command import CannotDo
from mailsys.message.address import Address, AddressError, display_domain, parse_address, parse_domain
from mailsys.process import CannotBecome, make_data_folder
from mailsys.store.maildir.layout import Layout


@dataclass(frozen=True, slots=True)
class Offline:
    """A host's configuration and its accounts, without its server."""

    configuration: Configuration
    database: Database

    def kept_mail_sentence(self, address: Address) -> str:
        """What stays of an account that was removed."""
        path = self._maildir(address) or f"the store {self.configuration.store.kind}"
        return f"The mail of {address.display()}, if there is any, stays in {path}."

    def earlier_mail_sentence(self, address: Address) -> str:
        """What a new account finds, when one of its name was there before; empty when there is nothing."""
        path = self._maildir(address)
        if not os.path.exists(path):
            return ""
        return f"Its mailbox is there already, in {path}, and its owner will read the mail in it."

    def _maildir(self, address: Address) -> str:
        """The folder of its mail; empty when mail is kept otherwise."""
        store = self.configuration.store
        return Layout(store.maildir, self.configuration.data).root(address) if store.kind == "maildir" else ""

    def forget_logins(self, addresses: Iterable[Address]) -> None:
        """Whoever gets these names later does not inherit their networks; raises CannotDo."""
        path = os.path.join(self.configuration.data, LOGINS)
        try:
            if (file := open_existing(path)) is not None:
                with closing(file):
                    file.request([Request("forget", str(address)) for address in addresses], time.time())
        except (sqlite3.Error, OSError) as error:
            raise CannotDo(f"What {path} knows of its logins could not be forgotten: {error}.") from error

    def postmaster_sentence(self, domain: str) -> str:
        """Who gets the mail for postmaster of this domain."""
        named = f"postmaster@{display_domain(domain)}"
        address = self.database.postmaster(domain)
        if address is None:
            return f"Nobody gets the mail for {named} yet; the first account that you add will."
        if str(address) == f"postmaster@{domain}":
            return f"Mail for {named} goes to the account or alias of that name."
        return (
            f"Mail for {named} goes to {address.display()}, until there is an account or alias of that name."
        )


@contextmanager
def opened_accounts(configuration: Configuration) -> Iterator[Offline]:
    """Open the accounts of this configuration; what they refuse is told as CannotDo."""
    try:
        make_data_folder(configuration.data, configuration.process.user)
        with closing(open_database(os.path.join(configuration.data, FILE_NAME))) as database:
            yield Offline(configuration, database)
    except (AccountsError, CannotBecome) as error:
        raise CannotDo(str(error)) from error


def read_address(text: str) -> Address:
    """An address from the command line, which may hold U-labels; raises CannotDo."""
    try:
        return parse_address(text)
    except AddressError as error:
        raise CannotDo(f'"{text}" is no address: {error}; write it as in user@example.org.') from None


def read_domain(text: str) -> str:
    """A domain from the command line, as A-labels; raises CannotDo."""
    try:
        domain = parse_domain(text)
    except AddressError as error:
        raise CannotDo(f'"{text}" is no domain: {error}; write it as in example.org.') from None
    if domain.startswith("["):
        raise CannotDo(f'"{text}" is no domain but an address; write it as in example.org.')
    return domain


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as what is in them; nothing at all without rows."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_json(rows: Sequence[object]) -> None:
    """A list, empty when there is nothing."""
    print(json.dumps(rows, indent=2, ensure_ascii=False))
