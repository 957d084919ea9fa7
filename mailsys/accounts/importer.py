"""Many accounts at once: all lines are looked at first, then all is stored in one transaction."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.credentials import foreign_credentials
from mailsys.accounts.database import AccountsError, Database
from mailsys.accounts.passwd_file import PasswdLine, WrongLine, read_lines
from mailsys.message.address import Address


@dataclass(frozen=True, slots=True)
class Imported:
    """How many accounts there are more, how many of them with a foreign hash, and what was wrong."""

    accounts: int
    foreign: int
    wrong: tuple[WrongLine, ...]


def import_accounts(database: Database, file: BinaryIO, *, keep_going: bool = False) -> Imported:
    """Store the accounts of a file; none if any line is wrong, unless told to keep going.

    Passwords in clear are hashed on all of the machine's cores.  Raises AccountsError when the
    database does not take the accounts.
    """
    lines = list(_checked(database, read_lines(file)))
    good = [line for line in lines if isinstance(line, PasswdLine)]
    wrong = tuple(line for line in lines if isinstance(line, WrongLine))
    if wrong and not keep_going:
        return Imported(0, 0, wrong)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        accounts = list(threads.map(_hashed, good))
    database.accounts.add(accounts)
    foreign = sum(account.credentials[0].is_foreign for account in accounts)
    return Imported(len(accounts), foreign, wrong)


def _checked(database: Database, lines: Iterable[PasswdLine | WrongLine]) -> Iterator[PasswdLine | WrongLine]:
    seen: dict[Address, int] = {}
    for line in lines:
        objection = ""
        if isinstance(line, PasswdLine):
            first = seen.setdefault(line.address, line.number)
            repeated = f"{line.address} stands in line {first} already." if first != line.number else ""
            objection = repeated or _objection(database, line.address)
        yield WrongLine(line.number, objection) if objection else line


def _objection(database: Database, address: Address) -> str:
    """Why this account cannot be added; empty if it can."""
    try:
        database.accounts.demand_free(address)
    except AccountsError as error:
        return str(error)
    return ""


def _hashed(line: PasswdLine) -> NewAccount:
    return NewAccount(line.address, foreign_credentials(line.password), line.quota_bytes)
